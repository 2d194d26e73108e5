"""Many comparisons, tiers, and what more customers would tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import NormalIndPower

from pipeline.experiments.always_valid import boundary, clock_of, half_width, standard_errors
from pipeline.experiments.discovery import adjusted
from pipeline.experiments.moments import Moments
from pipeline.experiments.planning import Outlook, outlook
from pipeline.experiments.tiers import tier_effects
from tests.experiments.samples import RANDOMLY, conversions, moments_of


@RANDOMLY
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_adjusted_p_values_are_those_of_scipy_and_statsmodels(values: list[float]) -> None:
    found = list(adjusted(dict(enumerate(values))).values())
    assert found == pytest.approx(stats.false_discovery_control(values, method="bh"))
    assert found == pytest.approx(multipletests(values, method="fdr_bh")[1])


def test_adjusted_p_values_are_those_of_the_first_paper() -> None:
    # Benjamini & Hochberg 1995, section 3.2: 15 hypotheses, of which the first four can be rejected at 0.05
    values = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528]
    values += [0.7590, 1.0000]
    found = adjusted(dict(enumerate(values)))
    assert [place for place, value in found.items() if value is not None and value <= 0.05] == [0, 1, 2, 3]


def test_a_comparison_that_cannot_be_made_counts_for_nothing() -> None:
    assert adjusted({"a": 0.03, "b": None}) == {"a": 0.03, "b": None}
    assert adjusted({"a": None}) == {"a": None}


RATES = st.lists(st.tuples(st.integers(200, 5000), st.floats(0.05, 0.5), st.floats(0.05, 0.5)), min_size=2, max_size=5)


@RANDOMLY
@given(RATES)
def test_tiers_are_told_apart_as_studies_of_a_meta_analysis(tiers: list[tuple[int, float, float]]) -> None:
    treated = {f"t{at}": conversions(n, int(n * rate)) for at, (n, rate, _) in enumerate(tiers)}
    kept = {f"t{at}": conversions(n, int(n * rate)) for at, (n, _, rate) in enumerate(tiers)}
    found = tier_effects(treated, kept)
    errors = [max(standard_errors(treated[tier], kept[tier])) for tier in found.tested]
    with np.errstate(all="ignore"):  # of measures that are not asked for
        combined = combine_effects(
            np.array([found.lifts[tier].lift for tier in found.tested]), np.array(errors) ** 2, method_re="dl"
        )
    assert found.difference_p == pytest.approx(stats.chi2.sf(combined.q, combined.df), rel=1e-6, abs=1e-300)


def test_an_effect_in_one_tier_only_differs_between_tiers() -> None:
    kept = {"A": conversions(5000, 500), "B": conversions(5000, 500)}
    found = tier_effects({"A": conversions(5000, 700), "B": conversions(5000, 500)}, kept)
    assert found.difference_p is not None
    assert found.difference_p < 1e-4
    same = tier_effects({"A": conversions(5000, 600), "B": conversions(5000, 600)}, kept)
    assert same.difference_p == pytest.approx(1.0)


def test_a_tier_too_small_to_be_tested_is_shown_and_not_counted() -> None:
    treated = {"A": conversions(500, 50), "B": conversions(500, 60), "rare": conversions(3, 1)}
    kept = {"A": conversions(500, 55), "B": conversions(500, 50), "rare": conversions(4, 0)}
    found = tier_effects(treated, kept)
    assert set(found.lifts) == {"A", "B", "rare"}
    assert found.tested == ("A", "B")
    assert tier_effects({"A": treated["A"]}, kept).difference_p is None


def test_customers_for_one_look_are_those_of_statsmodels() -> None:
    treated, kept = conversions(2000, 200), conversions(2000, 200)
    found = outlook(treated, kept, 0.2, (), 0)
    spread = (treated + kept).variance ** 0.5
    each = NormalIndPower().solve_power(0.02 / spread, alpha=0.05, power=0.8, ratio=1)
    assert found.customers_needed_once == pytest.approx(2 * each, rel=0.01)
    assert found.relevant_lift == pytest.approx(0.02)


@pytest.mark.parametrize("first", [100, 10**6, 10**15])
def test_outcomes_that_hardly_vary_need_the_fewest_customers(first: int) -> None:
    arm = moments_of([first + number % 10 for number in range(100)])
    assert outlook(arm, arm, 0.2, (), 0.0).customers_needed_once == 4


def test_enough_customers_show_the_relevant_lift_with_the_power() -> None:
    treated, kept = conversions(2000, 200), conversions(1000, 100)
    found = outlook(treated, kept, 0.2, (), 0)
    assert found.customers_needed is not None
    grown = [Moments(round(arm.customers * found.customers_needed / 3000)) for arm in (treated, kept)]
    shrink = (found.customers_needed / 3000) ** 0.5
    z = boundary(clock_of(grown[0].customers, grown[1].customers))
    error = half_width(treated, kept) / boundary(clock_of(2000, 1000)) / shrink
    assert stats.norm.sf(z - 0.02 / error) == pytest.approx(0.8, abs=0.001)
    assert found.customers_needed > (found.customers_needed_once or 0)


@pytest.mark.parametrize(
    ("still_open", "per_day", "days"),
    [
        ((), 1000, 4),
        ((2_000, 1_700), 0, 2),
        ((1_000, 600), 1000, 4),
        ((), 0, None),
        ((), 0.5, None),
        ((100_000,), 0, 1),
    ],
)
def test_days_follow_the_open_windows_and_then_the_rate(
    still_open: tuple[int, ...], per_day: float, days: int | None
) -> None:
    treated, kept = conversions(5000, 500), conversions(5000, 500)
    needed = outlook(treated, kept, 0.2, (), 0).customers_needed
    assert needed is not None
    assert 13_500 < needed <= 13_700
    assert outlook(treated, kept, 0.2, still_open, per_day).days == days


def test_an_outlook_says_no_more_than_is_known() -> None:
    assert outlook(conversions(10, 1), conversions(10, 1), 0.1, (), 0) == Outlook(0.1 * 0.1)
    nothing = outlook(conversions(500, 50), conversions(500, 0), 0.1, (), 0)
    assert nothing.relevant_lift is None
    assert nothing.detectable_lift is not None
