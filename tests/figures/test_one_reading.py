"""Views that choose the newest version themselves, or roll days up at once: any order, duplicates, runs apart."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate, count
from typing import TYPE_CHECKING, Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.ledger.rows import FORM
from tests.figures.comparing import read
from tests.support.depth import depth

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_numbers = count(1)
_TIERS: Final = ("", "gold", "unknown")
_CHANGE: Final = st.integers(-3, 3)
_MEASURES: Final = st.tuples(_CHANGE, _CHANGE, _CHANGE, st.integers(0, 2), _CHANGE, _CHANGE)
Cell = tuple[int, str, int, int]  # shard, tier, day, chapter
_CELLS: Final = st.dictionaries(
    st.tuples(st.integers(0, 2), st.sampled_from(_TIERS), st.integers(20_000, 20_012), st.integers(1, 2)),
    st.lists(_MEASURES, min_size=1, max_size=3),
    min_size=1,
    max_size=12,
)
"""The versions of each cell, oldest first."""


def _written(clickhouse: Any, rows: Sequence[str], columns: str) -> None:
    """Insert the rows in two blocks, so that FINAL and a comparison of versions have something to do."""
    half = len(rows) // 2 + 1
    for block in (rows[:half], rows[half:]):
        if block:
            clickhouse.command(f"INSERT INTO roi.ledger ({columns}) VALUES {', '.join(block)}")


def _rolled(cells: Iterable[tuple[str, int, tuple[int, ...]]]) -> dict[tuple[int, str], tuple[int, ...]]:
    """Return dau, wau, mau, mau_gross and reactivated by day and tier, worked out day by day."""
    sums: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0] * 6)
    for tier, day, measures in cells:
        sums[tier, day] = [one + two for one, two in zip(sums[tier, day], measures, strict=True)]
    seen = [day for (_, day), total in sums.items() if total[3] > 0] or [0]
    days = range(min(seen), max(seen) + 1)
    rolled: dict[tuple[int, str], tuple[int, ...]] = {}
    for tier in {tier for tier, _ in sums}:
        totals = [sums.get((tier, day), [0] * 6) for day in days]
        wau, mau, gross = (list(accumulate(total[place] for total in totals)) for place in (1, 2, 4))
        for place, day in enumerate(days):
            row = (totals[place][0], wau[place], mau[place], gross[place], totals[place][5])
            for scope in {tier, ""}:
                known = rolled.get((day, scope), (0,) * 5)
                rolled[day, scope] = tuple(one + two for one, two in zip(known, row, strict=True))
    return rolled


@settings(max_examples=depth(45), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), cells=_CELLS, others=_CELLS)
def test_active_users_are_the_running_sums_whatever_order_and_repetition_their_rows_came_in(
    clickhouse: Any,
    run_name: str,
    data: st.DataObject,
    cells: dict[Cell, list[tuple[int, ...]]],
    others: dict[Cell, list[tuple[int, ...]]],
) -> None:
    run = f"{run_name}-{next(_numbers)}"
    rows = [
        f"('{owner}', 'activity', {shard}, '{tier}', {day}, {chapter}, {list(measures)}, {version})"
        for owner, given_cells in ((run, cells), (f"{run}-other", others))
        for (shard, tier, day, chapter), versions in given_cells.items()
        for version, measures in enumerate(versions)
    ]
    repeated = data.draw(st.lists(st.sampled_from(rows), max_size=4))
    _written(
        clickhouse,
        data.draw(st.permutations(rows + repeated)),
        "run, kind, shard, label, at, chapter, measures, version",
    )
    for owner, given_cells in ((run, cells), (f"{run}-other", others)):
        found = {
            (row["day"], row["tier"]): tuple(row[name] for name in ("dau", "wau", "mau", "mau_gross", "reactivated"))
            for row in read(clickhouse, "active_users", owner)
        }
        newest = [(tier, day, versions[-1]) for (_, tier, day, _), versions in given_cells.items()]
        expected = {(_date(day), tier): row for (day, tier), row in _rolled(newest).items()}
        assert found == expected


def _date(day: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


@settings(max_examples=depth(45), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.data(),
    offsets=st.dictionaries(
        st.tuples(st.sampled_from((0, 1, 65_536)), st.sampled_from(("bank.transactions.v1", "bank.logins.v1"))),
        st.lists(st.integers(0, 10**12), min_size=1, max_size=4),
        min_size=1,
    ),
    end_ms=st.none() | st.integers(1, 10**12),
)
def test_a_position_is_that_of_the_newest_block_whatever_order_blocks_came_in(
    clickhouse: Any, run_name: str, data: st.DataObject, offsets: dict[tuple[int, str], list[int]], end_ms: int | None
) -> None:
    run = f"{run_name}-{next(_numbers)}"
    rows = [
        f"('{run}', 'position', {shard}, '{topic}', {[offset, offset, 1, 2, 3, offset, FORM]}, 'id-{offset}',"
        f" {version})"
        for (shard, topic), versions in offsets.items()
        for version, offset in enumerate(versions)
    ]
    repeated = data.draw(st.lists(st.sampled_from(rows), max_size=4))
    _written(
        clickhouse, data.draw(st.permutations(rows + repeated)), "run, kind, shard, label, measures, detail, version"
    )
    found = [
        (row["topic"], row["partition"], row["next_offset"], row["watermark_ms"], row["topic_id"])
        for row in read(clickhouse, "positions", run)
    ]
    assert sorted(found) == sorted(
        (topic, shard % 65_536, versions[-1], versions[-1], f"id-{versions[-1]}")
        for (shard, topic), versions in offsets.items()
    )
    # what is read of the positions by other views (0037), and ends with the range of a replay (0041)
    newest = {key: versions[-1] for key, versions in offsets.items()}
    clickhouse.command(f"INSERT INTO roi.runs (run, zone) VALUES ('{run}', 'UTC')")
    if end_ms is not None:
        clickhouse.command(
            "INSERT INTO roi.replays (run, state, settings, to_ms, version) VALUES "
            f"('{run}', 'complete', '{{}}', {end_ms}, 1)"
        )
    end = math.inf if end_ms is None else end_ms
    clocks = [int(min(max(newest.values()), end - 1))] if any(newest.values()) else []
    assert [row["as_of"] for row in read(clickhouse, "run_clocks", run)] == [_instant(clock) for clock in clocks]
    days = [_instant(int(min(max(newest.values()), end)))[:10]] if clocks else []  # all before it is over (0042)
    assert [row["today"] for row in read(clickhouse, "run_clocks", run)] == days
    aged = [clock for (_, topic), clock in newest.items() if topic == "bank.transactions.v1" and clock > 0]
    assert [row["as_of"] for row in read(clickhouse, "run_days", run)] == [
        _instant(int(min(clock, end)))[:10] for clock in sorted(aged)[-1:]
    ]
    assert [row["updated_at"] for row in read(clickhouse, "freshness", run)] == [_instant(max(newest.values()))]


def test_a_range_that_ends_with_a_day_holds_all_of_it(clickhouse: Any, run_name: str) -> None:
    """Boards take the days before `today` for over."""
    end_ms = 20_545 * 86_400_000 - 8 * 3_600_000  # the beginning of 2026-04-02 in the run's zone
    position = (
        f"('{run_name}', 'position', 0, 'bank.logins.v1', [1, {end_ms + 5 * 86_400_000}, 1, 0, 0, 0, {FORM}], 'id', 1)"
    )
    _written(clickhouse, [position], "run, kind, shard, label, measures, detail, version")
    clickhouse.command(f"INSERT INTO roi.runs (run, zone) VALUES ('{run_name}', 'Asia/Shanghai')")
    clickhouse.command(
        "INSERT INTO roi.replays (run, state, settings, to_ms, version) VALUES "
        f"('{run_name}', 'complete', '{{}}', {end_ms}, 1)"
    )
    (clock,) = read(clickhouse, "run_clocks", run_name)
    assert (clock["as_of"], clock["today"]) == ("2026-04-01 15:59:59.999", "2026-04-02")


def _instant(milliseconds: int) -> str:
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds):%F %T}.{milliseconds % 1000:03}"
