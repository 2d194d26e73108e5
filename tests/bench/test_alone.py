from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.alone_figures import Crossover, alone_rows, crossover, crossovers, points, spare_seconds
from bench.children import measured
from bench.peers.clickhouse_alone import available_bytes, unfit
from bench.peers.truth import numbers_from
from pipeline.clickhouse.reader import Reader

if TYPE_CHECKING:
    from pipeline.settings import Settings

ACTIVE: Final = Path(__file__).parents[2] / "bench" / "peers" / "sql" / "alone" / "active.sql"
COST: Final = {"seconds": 0.5, "cpu_seconds": 0.1}


def window(events: int, cpu_seconds: float = 0.1) -> dict[str, Any]:
    """Return what a measured window prints; each part of a refresh takes that much processor time."""
    return {
        "window": events,
        "parsed": 1_000_000,
        "taken": {"seconds": 1.0, "cpu_seconds": 1.0},
        "refresh": {part: COST | {"cpu_seconds": cpu_seconds} for part in ("credit", "spend", "active")},
        "wrong": [],
    }


def test_what_a_period_can_spare_makes_both_equally_fast() -> None:
    spare = spare_seconds(alone_us=1.0, own_us=10.0, every_seconds=1)
    assert spare == pytest.approx(0.9)
    assert (1e6 - spare * 1e6) / 1.0 == pytest.approx(1e6 / 10.0)
    assert spare_seconds(alone_us=2.0, own_us=1.0, every_seconds=60) < 0


@given(st.lists(st.tuples(st.integers(1, 10**6), st.floats(0.01, 10)), min_size=2, max_size=6), st.floats(0, 1))
def test_a_crossover_lies_on_the_lines_between_the_logarithms_of_measured_points(
    steps: list[tuple[int, float]], share: float
) -> None:
    sizes = list(accumulate(size for size, _ in steps))
    costs = list(accumulate(cost for _, cost in steps))
    spare = min(costs[0] + 0.001 + share * (costs[-1] - costs[0] - 0.001), costs[-1])  # rounded, it may be above
    found = crossover(list(zip(sizes, costs, strict=True)), spare)
    assert found.events is not None
    assert np.interp(np.log(found.events), np.log(sizes), np.log(costs)) == pytest.approx(np.log(spare))
    assert (found.above, found.below) in set(pairwise(sizes))


def test_beyond_what_was_measured_nothing_is_extrapolated() -> None:
    measured_points = [(1_000, 1.0), (2_000, 3.0)]
    assert crossover(measured_points, 0.5) == Crossover(None, None, 1_000)
    assert crossover(measured_points, -0.5) == Crossover(None, None, 1_000)
    assert crossover(measured_points, 3.5) == Crossover(None, 2_000, None)
    assert crossover([], 1.0) == Crossover(None, None, None)
    assert str(crossover(measured_points, 3.5)) == "faster than us up to 2,000 events, the largest measured"
    assert str(crossover(measured_points, 0.5)) == "slower than us at 1,000 events already, the smallest measured"
    assert str(crossover(measured_points, 3**0.5)) == "slower than us from 1,414 events on"
    assert str(crossover([], 1.0)) == "not measured"


def test_rows_say_what_each_window_took_and_where_it_crosses() -> None:
    # ours takes 2 µs, alone 1 µs: half of every second is left, a refresh takes 0.3 to 3 s
    rows = alone_rows([window(3_000_000, 1.0), window(1_000_000)], own_us=2.0)
    assert [row.measured for row in rows] == [
        "ClickHouse alone, 3,000,000 events",
        "ClickHouse alone, 1,000,000 events",
        *(f"ClickHouse alone, refreshed every {seconds} s" for seconds in (1, 10, 60)),
    ]
    assert rows[0].result == "1.00 µs CPU an event, 3.00 s CPU a refresh"
    assert rows[1].beside == "credit 0.50 s, spend 0.50 s, active 0.50 s; numbers equal"
    assert rows[2].result == "slower than us from 1,275,994 events on"  # a million × 3 ** (log(0.5 / 0.3) / log(10))
    assert rows[3].result == "faster than us up to 3,000,000 events, the largest measured"
    assert rows[2].beside.startswith("without MAU slower than us from 1,548,338 events on; ")


def test_a_window_or_a_part_without_a_result_says_why_and_is_left_out_of_the_crossover() -> None:
    whole, partly = window(1_000_000), window(2_000_000)
    partly["refresh"]["active"] = {"why": "Timeout exceeded"}
    absent = {"window": 100_000_000, "why": "needs 10.0 GB of disk, 1.0 GB are free"}
    rows = alone_rows([whole, partly, absent], own_us=2.0)
    assert rows[1].result == "1.00 µs CPU an event, 0.20 s CPU what was measured of a refresh"
    assert "active not measured: Timeout exceeded" in rows[1].beside
    assert rows[2].result == "not measured: needs 10.0 GB of disk, 1.0 GB are free"
    assert [size for size, _ in points([whole, partly, absent])] == [1_000_000]
    assert points([whole])[0][1] == pytest.approx(0.3)
    assert len(points([whole, partly, absent], ("credit", "spend"))) == 2
    assert alone_rows([absent], own_us=2.0) == [rows[2]]
    assert crossovers([absent], own_us=2.0) == []


def test_a_window_that_does_not_fit_is_told_before_it_is_begun() -> None:
    assert unfit(1_000, 10**9, 10**9) is None
    assert unfit(100_000_000, 10**9, 10**12) == "needs 6.0 GB of disk, 1.0 GB are free"
    assert str(unfit(100_000_000, 10**12, 10**9)).startswith("needs 5.0 GB of memory")
    assert 10**7 < available_bytes() < 10**14


LOGINS = st.lists(
    st.tuples(st.sampled_from(["ann", "bob", "eve"]), st.integers(0, 120), st.sampled_from([None, 3.0, 5.0])),
    min_size=1,
    max_size=40,
)


def test_active_users_by_their_spans_are_those_counted_day_by_day(migrated: Settings) -> None:
    first = datetime(2026, 3, 5, 4, tzinfo=UTC)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    reader = Reader(migrated)

    @given(LOGINS)
    def compare(logins: list[tuple[str, int, float | None]]) -> None:
        values = ", ".join(
            f"('{name}', {int((first + timedelta(days=day)).timestamp())}, {json.dumps(seconds)})"
            for name, day, seconds in logins
        )
        columns = "customer_id String, seconds UInt32, session_seconds Nullable(Float32)"
        table = (
            "(SELECT customer_id, toDateTime(seconds, 'UTC') AS at, session_seconds, false AS automated "
            f"FROM values('{columns}', {values}))"
        )
        sql = ACTIVE.read_text().replace("alone.logins", table)
        start = (first - epoch).days  # noon in Shanghai: the same day
        days = range(start - 1, start + 160)
        found = numbers_from((), reader.rows(sql), days).active
        right = {
            day: len(
                {
                    name
                    for name, login, seconds in logins
                    if (seconds is None or seconds >= 5) and 0 <= day - start - login < 30
                }
            )
            for day in days
        }
        assert found == right

    compare()


@pytest.mark.slow
@pytest.mark.process
def test_a_refresh_of_what_was_parsed_gives_the_oracles_numbers_before_the_window_grows() -> None:
    found = measured("bench.peers.clickhouse_alone", "--window", 20_000, "--parsed", 4_000, seconds=120)
    assert found["wrong"] == []
    assert found["refresh"].keys() == {"credit", "spend", "active"}
    assert all(cost["cpu_seconds"] > 0 for cost in found["refresh"].values())
    assert alone_rows([found], own_us=1000.0)[0].beside.endswith("numbers equal")
