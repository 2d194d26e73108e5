"""When looks wait for a backlog to be read, and that they never wait for long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline.alerts.backlog import FEWEST_WAITING, POSTPONED_SECONDS, Backlog, PostponedLooks
from pipeline.alerts.service import rest_seconds
from pipeline.alerts.telemetry import STALE_SECONDS
from schemas.topics import TOUCHES, TRANSACTIONS
from tests.alerts.building import look

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.alerts.fault_history import Ends
    from pipeline.alerts.record import AlertRecord, Look


def touches(offset: int) -> Ends:
    return {(TOUCHES, "life", 0): offset}


def test_a_backlog_is_read_from_before_its_first_block_until_little_waits() -> None:
    backlog, ends = Backlog(), touches(2_000_000)
    told = [
        backlog.is_read(second, ends, touches(durable))
        for second, durable in enumerate([0, 0, 400_000, 800_000, 1_200_000, 1_600_000, 1_850_000, 2_000_000])
    ]
    assert told == [True] * 6 + [False] * 2


def test_what_waits_for_less_than_a_second_is_no_backlog_however_much_it_is() -> None:
    backlog = Backlog()
    backlog.is_read(0, touches(0), touches(0))
    found = [backlog.is_read(n, touches(1_000_000 * n + 600_000), touches(1_000_000 * n)) for n in range(1, 30)]
    assert not any(found)


def test_a_backlog_that_nobody_reads_is_looked_at_after_ten_seconds() -> None:
    backlog, ends = Backlog(), touches(2_000_000)
    assert [backlog.is_read(second, ends, {}) for second in (0, 5, 9.9, 10, 11, 30)] == [True] * 3 + [False] * 3
    assert backlog.is_read(31, ends, touches(200_000)), "somebody has begun"
    assert backlog.is_read(40, ends, touches(200_000))
    assert not backlog.is_read(42, ends, touches(200_000)), "and stands still again"


def test_a_topic_that_waits_is_not_made_up_for_by_one_that_was_read_beyond_its_end() -> None:
    backlog = Backlog()
    ends = {**touches(FEWEST_WAITING + 1), (TRANSACTIONS, "life", 0): 100}
    assert backlog.is_read(0, ends, {(TRANSACTIONS, "life", 0): 5_000_000})


def test_another_life_of_a_topic_does_not_count() -> None:
    backlog = Backlog()
    assert backlog.is_read(0, touches(FEWEST_WAITING + 1), {(TOUCHES, "former", 0): 5_000_000})
    assert not backlog.is_read(1, touches(FEWEST_WAITING), {})


class Reading:
    """A ledger that reads a backlog or does not, looks at it, and a clock."""

    def __init__(self) -> None:
        self.seconds = 100.0
        self.is_backlog = True
        self.asked = 0
        self.look_seconds = 0.0
        self.noted: dict[str, Any] = {"a topic": {}}

    def go_on_from(self, noted: Mapping[str, Any]) -> None:
        self.noted = dict(noted)

    def is_backlog_read(self) -> bool:
        self.asked += 1
        return self.is_backlog

    def look(self, records: Mapping[str, AlertRecord]) -> Sequence[Look]:
        assert records == {}
        self.seconds += self.look_seconds
        return [look("below")]


@pytest.fixture
def reading() -> Reading:
    return Reading()


@pytest.fixture
def looks(reading: Reading) -> PostponedLooks:
    return PostponedLooks(reading, reading, monotonic=lambda: reading.seconds)


def test_no_look_is_taken_while_a_backlog_is_read_and_one_at_once_behind_it(
    reading: Reading, looks: PostponedLooks
) -> None:
    for _ in range(3):
        assert looks.look({}) == []
        reading.seconds += 1
    reading.is_backlog = False
    assert looks.look({}) == [look("below")]
    assert reading.asked == 4


def test_what_is_noted_of_the_feeds_is_theirs_who_watches_them(reading: Reading, looks: PostponedLooks) -> None:
    assert looks.noted == {"a topic": {}}
    looks.go_on_from({"another": {}})
    assert reading.noted == {"another": {}}


def test_during_a_long_backlog_a_look_is_taken_every_twenty_seconds(reading: Reading, looks: PostponedLooks) -> None:
    reading.look_seconds = 5.0
    taken = []
    while reading.seconds < 200:
        began = reading.seconds
        if looks.look({}):
            taken.append(began)
        reading.seconds += 1
    assert taken == [120, 145, 170, 195]  # twenty seconds from the end of one to the next


def test_between_two_looks_nobody_takes_the_service_for_silent() -> None:
    """Every turn is a sign of life, also one without a look."""
    assert POSTPONED_SECONDS + rest_seconds(1.0, 0.0) < STALE_SECONDS
