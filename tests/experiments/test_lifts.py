from __future__ import annotations

import math
import warnings
from dataclasses import astuple

import numpy as np
import pytest
import tea_tasting
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from pipeline.experiments.lifts import Lift, aggregates, cuped, degrees_of_freedom, ratio, welch
from pipeline.experiments.moments import NOTHING, Moments
from tests.experiments.samples import RANDOMLY, conversions, moments_of

MONEY = st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=40)


@RANDOMLY
@given(MONEY, MONEY)
def test_welch_is_that_of_scipy_and_statsmodels(treated: list[int], kept: list[int]) -> None:
    found = welch(moments_of(treated), moments_of(kept))
    if len({*treated}) == len({*kept}) == 1:
        assert found == Lift(treated[0] - kept[0]), "nothing differs within the arms, so nothing can be tested"
        return
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # scipy doubts arms without a difference
        test = stats.ttest_ind(treated, kept, equal_var=False)
    interval = test.confidence_interval(0.95)
    assert found.lift == pytest.approx(np.mean(treated) - np.mean(kept), abs=1e-6)
    assert (found.low, found.high, found.p_value) == pytest.approx((interval.low, interval.high, test.pvalue), rel=1e-6)
    by_tea = tea_tasting.Mean("y", equal_var=False, use_t=True).analyze_aggregates(
        *(aggregates(moments_of([value + 10**8 for value in arm])) for arm in (kept, treated))
    )
    assert (by_tea.effect_size_ci_lower, by_tea.pvalue) == pytest.approx((found.low, found.p_value), rel=1e-5, abs=1e-6)
    compared = CompareMeans(DescrStatsW(treated), DescrStatsW(kept))
    assert compared.tconfint_diff(usevar="unequal") == pytest.approx((found.low, found.high), rel=1e-6)
    assert degrees_of_freedom(moments_of(treated), moments_of(kept)) == pytest.approx(compared.dof_satt(), rel=1e-6)


def test_welch_of_the_sleep_data_is_as_published() -> None:
    # Student 1908, tenths of hours gained; R prints t.test(extra ~ group, sleep): p-value = 0.07939, -3.3654832
    # 0.2054832
    first = [7, -16, -2, -12, -1, 34, 37, 8, 0, 20]
    second = [19, 8, 11, 1, -1, 44, 55, 16, 46, 34]
    found = welch(moments_of(first), moments_of(second))
    assert (found.low, found.high) == pytest.approx((-33.654832, 2.054832))
    assert found.p_value == pytest.approx(0.07939, abs=5e-6)


@RANDOMLY
@given(MONEY, MONEY, st.randoms(use_true_random=False))
def test_cuped_is_the_regression_on_behaviour_before(treated: list[int], kept: list[int], random: object) -> None:
    generator = np.random.default_rng(len(treated) * 100 + len(kept))
    before = [[int(y) + int(generator.integers(-(10**6), 10**6)) for y in arm] for arm in (treated, kept)]
    found = cuped(moments_of(treated, before[0]), moments_of(kept, before[1]))
    y, x = np.array(treated + kept, float), np.array(before[0] + before[1], float)
    if found is None:
        return
    slope = OLS(y - y.mean(), x - x.mean()).fit().params[0]
    adjusted = y - slope * (x - x.mean())
    test = stats.ttest_ind(adjusted[: len(treated)], adjusted[len(treated) :], equal_var=False)
    interval = test.confidence_interval(0.95)
    assert found.lift.lift == pytest.approx(
        adjusted[: len(treated)].mean() - adjusted[len(treated) :].mean(), rel=1e-6, abs=1e-3
    )
    assert (found.lift.low, found.lift.high) == pytest.approx((interval.low, interval.high), rel=1e-5, abs=1e-3)
    assert found.lift.p_value == pytest.approx(test.pvalue, rel=1e-4, abs=1e-9)
    assert found.explained == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2, rel=1e-6, abs=1e-9)


def test_behaviour_before_that_tells_much_narrows_the_interval() -> None:
    generator = np.random.default_rng(1)
    before = generator.integers(0, 1000, 4000)
    after = before + generator.integers(0, 200, 4000) + 20 * (np.arange(4000) % 2)
    arms = [moments_of([int(y) for y in after[part::2]], [int(x) for x in before[part::2]]) for part in (1, 0)]
    plain, adjusted = welch(*arms), cuped(*arms)
    assert adjusted is not None
    assert adjusted.lift.high is not None
    assert adjusted.lift.low is not None
    assert plain.high is not None
    assert plain.low is not None
    narrower = (adjusted.lift.high - adjusted.lift.low) / (plain.high - plain.low)
    assert narrower == pytest.approx(math.sqrt(1 - adjusted.explained), rel=0.03)
    assert adjusted.lift.low < 20 < adjusted.lift.high
    assert plain.low < 0 < plain.high


@pytest.mark.parametrize("before", [[5, 5, 5, 5], [0, 0, 0, 0]])
def test_behaviour_before_that_does_not_differ_adjusts_nothing(before: list[int]) -> None:
    assert cuped(moments_of([1, 2, 3, 9], before), moments_of([2, 2, 7, 1], before)) is None


ARM = st.lists(st.sampled_from([(0, 0), (0, 1), (1, 0), (1, 1), (2, 3), (10**9, 10**9 + 1)]), max_size=4)


@RANDOMLY
@given(ARM, ARM)
@example([(0, 0), (0, 0)], [(0, 0), (1, 1)])  # x explains y altogether: 0 by 0 was divided
@example([(1, 0), (1, 0)], [(1, 0), (2, 3), (2, 3)])  # the same, which came out below 0 in doubles
def test_tiny_arms_are_adjusted_to_numbers_or_not_at_all(
    treated: list[tuple[int, int]], kept: list[tuple[int, int]]
) -> None:
    with warnings.catch_warnings(action="error"):
        found = cuped(*(moments_of([y for y, _ in arm], [x for _, x in arm]) for arm in (treated, kept)))
    if found is not None:
        assert all(number is not None and math.isfinite(number) for number in astuple(found.lift))


@pytest.mark.parametrize("factor", [1, 3, 10**9 + 7])
def test_behaviour_before_that_explains_everything_leaves_nothing_to_test(factor: int) -> None:
    outcomes = [[1, 5, 7, 7, 12], [0, 3, 3, 900_001]]
    arms = [moments_of([factor * y for y in arm], [y + 1 for y in arm]) for arm in outcomes]
    assert cuped(*arms) is None


@RANDOMLY
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 10**4)), min_size=2, max_size=30))
def test_a_ratio_has_the_interval_of_its_linear_part(pairs: list[tuple[int, int]]) -> None:
    returns, costs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    found = ratio(moments_of(returns, costs))
    assert found is not None
    value = sum(returns) / sum(costs)
    linear = (np.array(returns) - value * np.array(costs)) / np.mean(costs)  # Taylor's first term, customer by customer
    half = stats.t.isf(0.025, len(pairs) - 1) * stats.sem(linear)
    assert found.value == pytest.approx(value)
    assert found.high - found.value == pytest.approx(half, rel=1e-5, abs=1e-6 + abs(value) * 1e-7)
    assert found.value - found.low == pytest.approx(found.high - found.value, rel=1e-6, abs=1e-12)


def test_a_ratio_without_cost_is_none() -> None:
    assert ratio(moments_of([1, 2], [0, 0])) is None
    assert ratio(NOTHING) is None


@RANDOMLY
@given(MONEY, MONEY)
def test_sums_of_parts_are_the_sums_of_the_whole(left: list[int], right: list[int]) -> None:
    mirrored = [-y for y in left], [-y for y in right]
    parts = moments_of(left, mirrored[0]) + moments_of(right, mirrored[1])
    assert parts == moments_of(left + right, mirrored[0] + mirrored[1])
    assert parts.variance == pytest.approx(np.var(left + right, ddof=1), rel=1e-9)
    assert parts.covariance == pytest.approx(-parts.variance)


def test_the_variance_of_large_amounts_that_hardly_differ_is_exact() -> None:
    assert moments_of([10**15, 10**15 + 1, 10**15 + 2]).variance == 1.0


def test_arms_of_one_or_nobody_have_no_interval() -> None:
    assert welch(conversions(1, 1), conversions(10, 3)).p_value is None
    assert welch(Moments(), conversions(10, 3)).p_value is None
