from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, strategies

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


def test_ids_are_forgotten_by_whole_days_behind_the_floor() -> None:
    ids, day = RecentIds(), 86_400_000
    assert [ids.is_duplicate(name, at) for name, at in (("a", 0), ("b", day - 1), ("c", day), ("a", 0))] == [
        False,
        False,
        False,
        True,
    ]
    ids.forget_before(day - 1)
    assert len(ids) == 3
    ids.forget_before(day)
    assert len(ids) == 1
    assert ids.is_duplicate("c", day)
