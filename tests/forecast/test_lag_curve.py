from __future__ import annotations

import math
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.forecast.lag_curve import CohortCell, lag_curve, last_lag_of_window, longest_lag
from tests.forecast.simulated import START, WINDOW_DAYS, Scenario, simulate

AS_OF = START + timedelta(20)
CELLS = st.lists(
    st.builds(
        CohortCell,
        st.integers(0, 25).map(lambda day: START + timedelta(day)),
        st.integers(0, 9),
        st.integers(0, 5).map(float),
        st.integers(0, 10_000),
    ),
    max_size=40,
)


def on_day(day: int, lag: int, conversions: float) -> CohortCell:
    return CohortCell(START + timedelta(day), lag, conversions)


def test_young_cohorts_do_not_bend_the_curve() -> None:
    #           lag 0  1  2      as_of = the beginning of day 4
    # day 0         4  4  2      has lived through lag 2
    # day 1         6  4         has lived through lag 1: its lag 2 is still open, whatever it shows of it
    # day 2        10            has lived through lag 0
    # day 3                      too young for any
    cells = [
        on_day(0, 0, 4),
        on_day(0, 1, 4),
        on_day(0, 2, 2),
        on_day(1, 0, 6),
        on_day(1, 1, 4),
        on_day(1, 2, 1),
        on_day(2, 0, 10),
        on_day(2, 1, 5),
        on_day(3, 0, 99),
    ]
    steps = lag_curve(cells, as_of=START + timedelta(4), last_lag=2, measure="conversions")
    assert [(step.cohorts, step.at_lag, step.through_lag) for step in steps] == [(3, 20, 20), (2, 8, 18), (1, 2, 10)]
    assert [step.share for step in steps] == pytest.approx([10 / 18 * 8 / 10, 8 / 10, 1])


def test_curve_finds_the_lags_that_the_plain_share_overstates() -> None:
    random, mean_lag = Random(4), 3.0
    outcome = simulate(random, Scenario(14, 2_000, mean_lag, 0.0, 14))
    within_a_day = (1 - math.exp(-1 / mean_lag)) / (1 - math.exp(-WINDOW_DAYS / mean_lag))
    seen = sum(cell.conversions for cell in outcome.cells)
    plain = sum(cell.conversions for cell in outcome.cells if cell.lag_day == 0) / seen
    curve = lag_curve(outcome.cells, as_of=outcome.as_of, last_lag=WINDOW_DAYS - 1, measure="conversions")
    assert curve[0].share == pytest.approx(within_a_day, abs=0.01)
    assert plain > within_a_day + 0.03


@given(CELLS)
def test_shares_rise_to_one(cells: list[CohortCell]) -> None:
    for measure in ("conversions", "return_minor"):
        shares = [step.share for step in lag_curve(cells, as_of=AS_OF, last_lag=6, measure=measure)]
        assert shares == sorted(shares)
        assert all(0 <= share <= 1 for share in shares)
        assert shares[-1:] in ([], [1.0])


@given(CELLS, st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(cells: list[CohortCell], random: Random) -> None:
    mixed = random.sample(cells, len(cells))
    first, second = (lag_curve(rows, as_of=AS_OF, last_lag=6, measure="return_minor") for rows in (cells, mixed))
    assert first == second


@given(CELLS, st.lists(st.tuples(st.integers(0, 25), st.integers(0, 9), st.integers(1, 9)), max_size=10))
def test_lags_not_lived_through_change_nothing(cells: list[CohortCell], extra: list[tuple[int, int, int]]) -> None:
    days = {cell.touch_day for cell in cells}
    open_cells = [
        on_day(day, lag, float(amount))
        for day, lag, amount in extra
        if START + timedelta(day) in days and min(lag, 6) > longest_lag(START + timedelta(day), AS_OF)
    ]
    with_them = lag_curve([*cells, *open_cells], as_of=AS_OF, last_lag=6, measure="conversions")
    assert with_them == lag_curve(cells, as_of=AS_OF, last_lag=6, measure="conversions")


@given(CELLS, st.integers(0, 6), st.floats(0.5, 2))
def test_no_other_curve_makes_the_counts_likelier(cells: list[CohortCell], lag: int, factor: float) -> None:
    shares = [step.share for step in lag_curve(cells, as_of=AS_OF, last_lag=6, measure="conversions")]
    parts = [now - before for now, before in zip(shares, [0.0, *shares], strict=False)]
    if lag >= len(parts) or min(parts) <= 1e-9:
        return
    moved = [part * factor if number == lag else part for number, part in enumerate(parts)]
    assert log_likelihood(cells, parts) >= log_likelihood(cells, moved) - 1e-6


def log_likelihood(cells: list[CohortCell], parts: list[float]) -> float:
    """Right-truncated: each conversion's lag, given that it is one its cohort has lived through."""
    total = 0.0
    for cell in cells:
        age, lag = min(longest_lag(cell.touch_day, AS_OF), 6), min(cell.lag_day, 6)
        if lag <= age:
            total += cell.conversions * math.log(parts[lag] / sum(parts[: age + 1]))
    return total


@pytest.mark.parametrize(("window_days", "last_lag"), [(7, 6), (6.5, 6), (1, 0), (0.001, 0), (30, 29), (7.01, 7)])
def test_window_ends_in_its_last_lag_day(window_days: float, last_lag: int) -> None:
    assert last_lag_of_window(window_days) == last_lag


def test_conversion_at_the_very_end_of_the_window_counts_with_the_lag_before() -> None:
    cells = [on_day(0, 6, 3), on_day(0, 7, 1)]
    assert lag_curve(cells, as_of=date(2026, 4, 1), last_lag=6, measure="conversions")[-1].at_lag == 4
