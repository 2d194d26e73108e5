"""How far the ledger is behind the topics, and when that says that nobody reads."""

from __future__ import annotations

import time
from typing import Any

import pytest

from pipeline.clickhouse.reader import Reader
from pipeline.errors import UserError
from pipeline.operations import lag as lag_module
from pipeline.operations.halts import Halted
from pipeline.operations.health import Observations
from pipeline.operations.lag import (
    LogEnds,
    Standing,
    Waiting,
    WatchedLag,
    block_age_seconds,
    compare,
    looked_again,
    waiting,
)
from pipeline.settings import Settings
from schemas.topics import LOGINS, TOUCHES


def position(topic: str, partition: int, next_offset: int, topic_id: str = "life", **values: Any) -> dict[str, Any]:
    return {
        "topic": topic,
        "partition": partition,
        "topic_id": topic_id,
        "next_offset": next_offset,
        "accepted": 0,
        "duplicates": 0,
        "dead_letters": 0,
        "watermark_ms": 0,
        "written_ms": 0,
    } | values


def test_lag_is_what_the_ledger_has_not() -> None:
    ends = {(LOGINS, 0): 10, (LOGINS, 1): 5, (TOUCHES, 0): 0}
    rows = [position(LOGINS, 0, 7), position(LOGINS, 1, 5)]
    found = [(row.topic, row.partition, row.lag) for row in compare(ends, {LOGINS: "life", TOUCHES: "life"}, rows)]
    assert found == [(LOGINS, 0, 3), (LOGINS, 1, 0), (TOUCHES, 0, 0)]


def test_position_of_another_life_of_the_topic_counts_for_nothing() -> None:
    standing = compare({(LOGINS, 0): 10}, {LOGINS: "new"}, [position(LOGINS, 0, 500, "old")])
    assert standing == [Standing(LOGINS, 0, 10, 0)]


def test_block_age_is_none_before_the_first_block() -> None:
    assert block_age_seconds([], now=100.0) is None
    assert block_age_seconds([position(LOGINS, 0, 1, written_ms=98_500)], now=100.0) == 1.5


class Looked:
    """A ledger whose newest block is so many seconds old at each look, and topics that end behind it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, lag: int, *ages: float | None) -> None:
        self.seconds = 0.0
        self.left = list(ages)
        self.looks = 0
        monkeypatch.setattr(lag_module, "log_ends", lambda _: LogEnds({(LOGINS, 0): 7 + lag}, {LOGINS: "life"}))
        monkeypatch.setattr(lag_module, "positions", self.rows)

    def rows(self, _: Reader) -> list[dict[str, Any]]:
        self.looks += 1
        age = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        return [] if age is None else [position(LOGINS, 0, 7, written_ms=round((time.time() - age) * 1000))]

    def wait(self, seconds: float) -> None:
        self.seconds += seconds

    def once(self) -> Waiting:
        return waiting(Settings(), Reader(Settings()))

    def look(self, **observed: Any) -> Observations:
        found = self.once()
        seen = Observations(time.time(), lag=found.lag, block_age_seconds=found.age_seconds, **observed)
        return looked_again(seen, self.once, monotonic=lambda: self.seconds, wait=self.wait)


@pytest.mark.parametrize(
    ("lag", "ages", "looks"),
    [
        (5, (109.0, 109.5, 0.1), 3),  # they came an instant ago: an idle worker reads them
        (5, (109.0,), 14),  # nobody does
        (5, (2.0,), 1),
        (0, (3_000.0,), 1),  # an idle bank
        (5, (None,), 1),  # nothing was ever written
    ],
)
def test_records_that_came_an_instant_ago_are_not_taken_for_records_that_nobody_reads(
    monkeypatch: pytest.MonkeyPatch, lag: int, ages: tuple[float | None, ...], looks: int
) -> None:
    looked = Looked(monkeypatch, lag, *ages)
    found = looked.look()
    assert looked.looks == looks
    assert found.block_age_seconds == (None if ages[-1] is None else pytest.approx(ages[-1], abs=5))
    assert found.lag == (12 if ages[-1] is None else lag)


def test_nobody_looks_again_where_it_is_known_why_records_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    for known in (
        {"workers_are_gone": True},
        {"halts": (Halted(LOGINS, "bad", "five of five bad", "roi resume", "noon"),)},
    ):
        looked = Looked(monkeypatch, 5, 109.0)
        looked.look(**known)
        assert looked.looks == 1


class Watched:
    """A ledger that is looked at every few seconds, its clock at hand."""

    def __init__(self) -> None:
        self.seconds, self.looks, self.end, self.block = 0.0, 0, 9, 1
        self.fails = False
        self.lag = WatchedLag(self.look, lambda: self.seconds)

    def look(self) -> Waiting:
        self.looks += 1
        if self.fails:
            raise UserError("Kafka does not answer", "start it")
        rows = [position(LOGINS, 0, 4, written_ms=self.block)]
        return Waiting(rows, [Standing(LOGINS, 0, self.end, 4)], 70.0)

    def told(self, **seen: Any) -> int | None:
        return self.lag.noted_in(Observations(0.0, **seen)).lag


def test_who_watches_is_told_of_records_that_nobody_reads_at_the_second_look() -> None:
    watched = Watched()
    assert [watched.told(), watched.told()] == [None, None]
    assert watched.looks == 1
    watched.seconds = 10.0
    assert [watched.told(), watched.told()] == [5, 5]
    assert watched.looks == 2
    watched.seconds, watched.end = 20.0, 4
    assert watched.told() is None


def test_who_watches_is_not_told_of_records_that_wait_while_blocks_are_written() -> None:
    watched = Watched()
    for block in range(5):
        watched.seconds, watched.block = 10.0 * block, block
        assert watched.told() is None


def test_who_watches_is_told_nothing_of_servers_that_do_not_answer() -> None:
    watched = Watched()
    watched.told()
    for watched.seconds, watched.fails in ((10.0, True), (20.0, False)):
        assert watched.told() is None
    watched.seconds = 30.0
    assert watched.told() == 5
    assert watched.told(unreachable=(("Kafka", "does not answer", "wait"),)) is None
    watched.seconds = 40.0
    assert watched.told() is None
