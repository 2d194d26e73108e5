from __future__ import annotations

from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given, strategies

from pipeline.state.calendar import DAY_MS
from pipeline.state.intake import FROM_THE_FUTURE, NEVER, TOO_LATE, Intake, RecentIds, Refusal
from schemas.columns import LoginColumns
from tests.state.rules import PROPERTY

LATENESS = 1_000
FUTURE = 50


def _columns(times: list[int], first: int = 0) -> LoginColumns:
    count = len(times)
    return LoginColumns(
        list(range(first, first + count)),
        [f"e{first + place}" for place in range(count)],
        times,
        ["c"] * count,
        ["app"] * count,
        [None] * count,
        [False] * count,
    )


def _verdicts(times: list[int], now_ms: int | None = None, intake: Intake | None = None) -> list[str]:
    intake = intake or Intake(LATENESS, FUTURE)
    kept, refusals = intake.screen(_columns(times), now_ms)
    reasons = {refusal.offset: refusal.reason for refusal in refusals}
    assert sorted([*kept.offset, *reasons]) == list(range(len(times)))
    return [reasons.get(offset, "taken") for offset in range(len(times))]


def test_exactly_at_the_floor_is_in_time_and_a_millisecond_before_is_not() -> None:
    assert _verdicts([5_000, 4_000, 3_999, 5_000]) == ["taken", "taken", TOO_LATE, "taken"]


def test_the_verdict_falls_before_the_event_moves_the_watermark() -> None:
    assert _verdicts([0, 9_000, 0]) == ["taken", "taken", TOO_LATE]


def test_an_event_further_ahead_than_allowed_moves_nothing() -> None:
    intake = Intake(LATENESS, FUTURE)
    assert _verdicts([1_050, 1_051, 60], now_ms=1_000, intake=intake) == ["taken", FROM_THE_FUTURE, "taken"]
    assert intake.watermark == 1_050


@pytest.mark.parametrize("limit", [None, FUTURE])
def test_a_replay_knows_no_future(limit: int | None) -> None:
    assert _verdicts([10**15], now_ms=None, intake=Intake(LATENESS, limit)) == ["taken"]


def test_nothing_leaves_the_watermark_alone() -> None:
    intake = Intake(LATENESS, FUTURE)
    assert intake.screen(_columns([]), 0)[1] == []
    assert intake.watermark == NEVER


@PROPERTY
@given(
    strategies.lists(strategies.integers(0, 5_000), max_size=40),
    strategies.lists(strategies.integers(1, 39)),
    strategies.none() | strategies.integers(0, 5_000),
)
def test_verdicts_do_not_depend_on_the_batches(times: list[int], cuts: list[int], now_ms: int | None) -> None:
    whole, cut = Intake(LATENESS, FUTURE), Intake(LATENESS, FUTURE)
    expected = whole.screen(_columns(times), now_ms)
    kept: list[int] = []
    refused: list[Refusal] = []
    edges = sorted({0, len(times), *(place for place in cuts if place < len(times))})
    for start, end in pairwise(edges):
        columns, refusals = cut.screen(_columns(times[start:end], start), now_ms)
        kept += columns.offset
        refused += refusals
    assert (kept, refused) == (expected[0].offset, expected[1])
    assert cut.watermark == whole.watermark
    assert {refusal.offset: refusal.reason for refusal in refused} == _by_hand(times, now_ms)


def _by_hand(times: list[int], now_ms: int | None) -> dict[int, str]:
    watermark = None
    reasons = {}
    for offset, at in enumerate(times):
        if now_ms is not None and at > now_ms + FUTURE:
            reasons[offset] = FROM_THE_FUTURE
        elif watermark is not None and at < watermark - LATENESS:
            reasons[offset] = TOO_LATE
        else:
            watermark = at if watermark is None else max(at, watermark)
    return reasons


@PROPERTY
@given(
    strategies.lists(strategies.tuples(strategies.sampled_from("abcdef"), strategies.integers(0, 6)), max_size=40),
    strategies.lists(strategies.integers(1, 39)),
    strategies.lists(strategies.booleans(), min_size=40, max_size=40),
)
def test_an_id_is_known_while_its_event_is_in_time_whenever_memory_is_tidied(
    events: list[tuple[str, int]], cuts: list[int], tidies: list[bool]
) -> None:
    lateness, hours = 2 * DAY_MS, [20 * at for _, at in events]
    intake, ids = Intake(lateness, None), RecentIds()
    times = [hour * 3_600_000 for hour in hours]
    new: list[int] = []
    edges = sorted({0, len(events), *(place for place in cuts if place < len(events))})
    for tidy, (start, end) in zip(tidies, pairwise(edges), strict=False):
        columns, _ = intake.screen(_columns(times[start:end], start), None)
        names = [events[offset][0] for offset in columns.offset]
        found = ids.are_new(names, columns.occurred_at, partial(intake.floors, columns))
        new += [offset for offset, is_new in zip(columns.offset, found, strict=True) if is_new]
        if tidy:
            ids.forget_before(intake.horizon)
    assert new == _new_by_hand([name for name, _ in events], times, lateness)


def _new_by_hand(names: list[str], times: list[int], lateness: int) -> list[int]:
    new: list[int] = []
    for offset, at in enumerate(times):
        floor = max([*times[:offset], NEVER]) - lateness
        is_copy = any(names[other] == names[offset] and times[other] >= floor for other in new)
        if at >= floor and not is_copy:
            new.append(offset)
    return new


def test_ids_leave_memory_by_whole_days_behind_the_floor() -> None:
    ids, day = RecentIds(), 86_400_000
    names, times = ["a", "b", "c", "a"], [0, day - 1, day, 0]
    assert ids.are_new(names, times, lambda: [0] * 4) == [True, True, True, False]
    ids.forget_before(day - 1)
    assert len(ids) == 3
    assert ids.are_new(["b"], [day], lambda: [day]) == [True]  # known no longer, though it is still held
    ids.forget_before(day)
    assert len(ids) == 2
    assert ids.are_new(["b", "c"], [day, day], lambda: [day, day]) == [False, False]
    ids.forget([("b", day - 1), ("c", day)])
    assert ids.are_new(["b", "c"], [day, day], lambda: [day, day]) == [False, True]


def test_an_id_that_came_again_outlives_the_days_it_stood_under_before() -> None:
    ids, day = RecentIds(), 86_400_000
    for place in range(3):
        assert ids.are_new(["again", f"{place}"], [place * day] * 2, lambda: [2 * day] * 2) == [True, True]
    ids.are_new(["erased"], [0], list)
    ids.forget([("erased", 0)])
    ids.are_new(["erased"], [2 * day], list)
    for floor in (day, 2 * day):
        ids.forget_before(floor)
        assert ids.are_new(["again", "erased"], [2 * day] * 2, lambda: [2 * day] * 2) == [False, False]
    ids.forget_before(3 * day)
    assert len(ids) == len(ids._by_day) == len(ids._older_day) == 0


def test_an_id_that_was_erased_outlives_that_day_though_it_came_again_before_it() -> None:
    ids, day = RecentIds(), 86_400_000
    assert ids.are_new(["again"], [5 * day], list) == [True]
    ids.forget([("again", 5 * day)])
    for at, floor in ((2 * day, 0), (3 * day, 2 * day + 1), (6 * day + 1, 3 * day + 1)):
        ids.forget_before(floor)
        assert ids.are_new(["again"], [at], [floor].copy) == [True]
    for floor in (4 * day, 6 * day):
        ids.forget_before(floor)
        assert ids.are_new(["again"], [6 * day + 1], [floor].copy) == [False]
    ids.forget_before(7 * day)
    assert len(ids) == len(ids._by_day) == len(ids._older_day) == 0
