from __future__ import annotations

from math import e, log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.alerts import boundary as test
from pipeline.alerts.p_values import p_values
from tests.support.depth import depth

POSITIVE = st.floats(0.05, 50.0)


def column(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(values, dtype=np.float64)


def test_the_root_of_a_worked_example() -> None:
    """φ = σe² = 1 and D = e: e^x - 1 = e - x has the solution x = 1, so r² = 2n[(e - 2) + (e - 1)²/2]."""
    count, level = 40.0, 3.0
    required = count * np.exp(level + e)
    found = test.signed_root(column(required), column(count), column(level), column(1.0), column(1.0))
    assert found == pytest.approx(sqrt(2 * count * ((e - 2) + (e - 1) ** 2 / 2)))


def test_the_root_is_nothing_without_cost_or_converters() -> None:
    found = test.signed_root(column(0, 5), column(4, 0), column(1, 1), column(1, 1), column(1, 1))
    assert found.tolist() == [0.0, 0.0]


@settings(max_examples=depth(200), deadline=None)
@given(distance=st.floats(-12, 12), count=st.floats(0.5, 5000), dispersion=POSITIVE, noise=POSITIVE)
def test_the_inverse_of_the_root_leads_back(distance: float, count: float, dispersion: float, noise: float) -> None:
    root = test.signed_root(
        column(count * np.exp(distance)), column(count), column(0), column(dispersion), column(noise)
    )
    if abs(root[0]) < 290:
        back = test.distance_at(root, column(count), column(dispersion), column(noise))
        assert back == pytest.approx(distance, abs=1e-6, rel=1e-6)


@settings(max_examples=depth(200), deadline=None)
@given(distance=st.floats(-30, 30), dispersion=POSITIVE, noise=POSITIVE)
def test_newton_finds_the_solution(distance: float, dispersion: float, noise: float) -> None:
    x = test.newton_root(column(distance), column(dispersion), column(noise))[0]
    left, right = np.expm1(x) / dispersion, (distance - x) / noise
    assert left == pytest.approx(right, rel=1e-7, abs=1e-9)


def test_the_count_alone_of_a_worked_example() -> None:
    """10 expected: of 0 seen √20, of 10 seen 0, of 5 seen √(2(5 - 5·log 2))."""
    found = test.poisson_root(column(10, 10, 10), column(0, 10, 5), column(1, 1, 1))
    assert found == pytest.approx([sqrt(20), 0, sqrt(2 * (5 - 5 * log(2)))])


@settings(max_examples=depth(100), deadline=None)
@given(root=st.floats(0.1, 30), seen=st.integers(0, 9), dispersion=POSITIVE)
def test_the_inverse_of_the_count_leads_back(root: float, seen: int, dispersion: float) -> None:
    expected = test.expected_at(column(root), column(seen), column(dispersion))
    assert test.poisson_root(expected, column(seen), column(dispersion)) == pytest.approx(root, rel=1e-6)


def test_the_boundary_of_worked_examples() -> None:
    """At f = 1 the constant; at a quarter times 4^.6, without an end 4^.35; at f = e the constant and k."""
    planned = column(336, 336, np.inf, 672, 336)
    found = test.boundary(column(1.8, 2.25, 2.25, 2.25, 1.8), column(1, 0.25, 0.25, 0.25, e), planned)
    assert found == pytest.approx([1.8, 2.25 * 4**0.6, 2.25 * 4**0.35, 2.25 * 4**0.35, 2.1])


@given(raised=st.floats(0.5, 9), information=st.floats(1e-4, 50), days=st.sampled_from([7, 14, 20, 60, np.inf]))
def test_a_root_at_the_boundary_stands_for_the_raised_constant(raised: float, information: float, days: float) -> None:
    planned = column(24 * days)
    at = test.boundary(column(raised), column(information), planned)
    assert test.standardised(at, column(information), planned) == pytest.approx(raised)


def test_change_and_an_unlike_shape_raise_the_boundary() -> None:
    """2.75·1.6·√.25 + .1·(2.5 - 1); an unlike shape counts from 1 to 3."""
    found = test.raised(column(1.6, 0.0, 0.0), column(2.5, 1.0, 9.0), column(0.25, 0.25, 1.0))
    assert found == pytest.approx([2.2 + 0.15, 0.0, 0.2])


def test_a_change_counts_by_what_is_left_of_the_plan() -> None:
    left = test.time_left(column(0, 84, 336, 400, 500), column(336, 336, 336, 336, np.inf))
    assert left.tolist() == [1.0, 0.75, 0.0, 0.0, test.OPEN_LEFT]
    assert (test.raised(column(2, 2, 2, 2, 2), column(0, 0, 0, 0, 0), left)[2:4] == 0).all()


def test_newer_customers_that_are_worth_more_raise_the_guard() -> None:
    """20 of 100 customers with a mean √z of 3 beside 2 of the others, variance 1: 1 / √(1/20 + 1/80) = 4."""
    found = test.value_roots(column(100), column(20)[:, None], column(220), column(60)[:, None], column(1))
    assert found.ravel() == pytest.approx([4.0])
    worse = test.value_roots(column(100), column(20)[:, None], column(220), column(30)[:, None], column(1))
    few = test.value_roots(column(100), column(2)[:, None], column(220), column(60)[:, None], column(1))
    assert worse.item() == few.item() == 0


def test_long_campaigns_pay_for_their_many_looks() -> None:
    assert test.growth(column(168, 336, 504, 1440, np.inf)) == pytest.approx([0.3, 0.3, 0.65, 1.0, 1.0])


def test_long_plans_have_a_higher_constant_and_open_ends_do_not() -> None:
    assert test.longer(column(168, 336, 504, 1440, np.inf)) == pytest.approx([0, 0, 0.075, 0.15, 0])


def test_it_is_early_until_the_window_and_a_day() -> None:
    planned = column(336, 336, 168, 168, np.inf)
    found = test.early(column(191, 192, 95, 96, 500), planned, column(168, 168, 168, 168, 720))
    assert found.tolist() == [True, False, True, False, True]


def test_newest_touches_that_convert_better_raise_the_guard() -> None:
    """20 of 40 converters from a quarter of the matured cost: z² = 2(20·log 2 + 20·log(2/3))."""
    found = test.change_roots(column(40), column(20, 10, 5)[None], column(0.25, 0.25, 0.25)[None], column(1))
    assert found == pytest.approx(np.array([[sqrt(40 * (log(2) + log(2 / 3))), 0, 0]]), abs=1e-6)


def test_confidence_scales_by_the_normal_quantile() -> None:
    assert test.confidence_scale(column(0.95, 0.5, 0.975)) == pytest.approx([1, 0, 1.959964 / 1.644854], abs=1e-6)


def test_p_values_fall_with_the_height_and_stay_within_0_and_1() -> None:
    heights = np.concatenate([[-np.inf, np.nan], np.linspace(-3, 12, 400), [np.inf]])
    found = p_values(heights)
    assert found[0] == found[1] == 1
    assert np.all(np.diff(found[2:]) <= 0)
    assert found.min() > 0
    assert p_values(column(1.9))[0] == pytest.approx(0.024, abs=0.001)
