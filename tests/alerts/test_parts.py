"""Campaigns are read again in parts that fit the caches, with rests behind long ones and not without end."""

from __future__ import annotations

from pipeline.alerts.parts import in_parts, next_part
from pipeline.alerts.reading import CHUNK

NAMES = [f"c{number}" for number in range(600)]


class Reading:
    """Reads at a pace that a test sets, on a clock of its own."""

    def __init__(self, seconds_each: float) -> None:
        self.seconds_each = seconds_each
        self.now = 100.0
        self.parts: list[list[str]] = []
        self.rests: list[float] = []

    def read(self, part: list[str]) -> None:
        self.parts.append(part)
        self.now += self.seconds_each * len(part)

    def rest(self, seconds: float) -> None:
        self.rests.append(seconds)
        self.now += seconds

    def run(self, names: list[str], size: int) -> None:
        in_parts(names, lambda _: size, self.read, monotonic=lambda: self.now, rest=self.rest)


def test_a_part_is_many_small_campaigns_or_few_large_ones_and_one_at_least() -> None:
    assert next_part(NAMES, lambda _: 10) == NAMES[:CHUNK]
    assert next_part(NAMES, lambda _: 90_000) == NAMES[:3]
    assert next_part(NAMES, lambda _: 10**9) == NAMES[:1]
    assert next_part(NAMES[:2], lambda _: 10) == NAMES[:2]
    assert next_part([], lambda _: 10) == []


def test_all_are_read_in_order_and_short_parts_without_a_rest() -> None:
    reading = Reading(0.0001)
    reading.run(NAMES, 10)
    assert [name for part in reading.parts for name in part] == NAMES
    assert len(reading.parts) == 3
    assert reading.rests == []


def test_behind_a_long_part_it_rests_three_times_as_long_but_not_behind_the_last() -> None:
    reading = Reading(0.1)
    reading.run(NAMES[:6], 90_000)
    assert [len(part) for part in reading.parts] == [3, 3]
    assert [round(seconds, 6) for seconds in reading.rests] == [0.9]


def test_rests_end_where_a_look_would_seem_to_hang() -> None:
    reading = Reading(0.5)
    reading.run(NAMES[:30], 10**9)
    assert [name for part in reading.parts for name in part] == NAMES[:30]
    assert [round(seconds, 6) for seconds in reading.rests] == [1.0, 1.0, 1.0, 1.0]


def test_nothing_to_read_is_nothing() -> None:
    reading = Reading(1.0)
    reading.run([], 10)
    assert reading.parts == []
    assert reading.rests == []
