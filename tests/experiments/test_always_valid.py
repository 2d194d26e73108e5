from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import integrate, stats

from pipeline.experiments.always_valid import (
    ALPHA,
    BEST_AT,
    MIN_CUSTOMERS,
    MIN_NONZERO,
    always_valid,
    boundary,
    clock_of,
    half_width,
    p_of,
    standard_errors,
)
from pipeline.experiments.lifts import welch
from pipeline.experiments.moments import Moments
from tests.experiments.samples import RANDOMLY, conversions, moments_of

COUNTS = st.integers(MIN_CUSTOMERS, 100_000)


@RANDOMLY
@given(st.floats(0.1, 30), st.floats(10, 1e7))
def test_the_p_value_is_the_mixture_of_likelihood_ratios(z: float, clock: float) -> None:
    rho = math.sqrt((2 * math.log(1 / ALPHA) + math.log(2 * math.log(1 / ALPHA)) + 1) / BEST_AT)
    sums = z * math.sqrt(clock)

    def weighted(effect: float) -> float:
        log_ratio = effect * sums - effect**2 * clock / 2
        return float(stats.norm.pdf(effect, scale=rho) * math.exp(min(log_ratio, 600)))

    assume(z * z < 500)
    peak = sums / (clock + 1 / rho**2)
    width = 1 / math.sqrt(clock + 1 / rho**2)
    mixture, _ = integrate.quad(weighted, peak - 12 * width, peak + 12 * width, limit=200)
    assert p_of(z, clock) == pytest.approx(min(1.0, 1 / mixture), rel=1e-5)


@RANDOMLY
@given(st.floats(10, 1e8))
def test_the_boundary_is_where_the_p_value_is_alpha(clock: float) -> None:
    assert p_of(boundary(clock), clock) == pytest.approx(ALPHA)
    assert boundary(clock) > stats.norm.isf(ALPHA / 2)


@RANDOMLY
@given(COUNTS, COUNTS, st.floats(0.001, 0.6), st.floats(0.001, 0.6))
def test_the_interval_excludes_zero_exactly_where_the_p_value_is_below_alpha(
    treated: int, kept: int, rate: float, other: float
) -> None:
    arms = conversions(treated, math.ceil(treated * rate)), conversions(kept, math.ceil(kept * other))
    found = always_valid(*arms)
    assume(found.is_known)
    assume(abs(found.p_value - ALPHA) > 1e-9)
    assert (found.p_value < ALPHA) == (found.low > 0 or found.high < 0)


@RANDOMLY
@given(COUNTS, COUNTS, st.floats(0.01, 0.6))
def test_it_asks_for_more_than_one_look_does(treated: int, kept: int, rate: float) -> None:
    arms = conversions(treated, math.ceil(treated * rate)), conversions(kept, math.ceil(kept * 0.3))
    found, once = always_valid(*arms), welch(*arms)
    assume(found.is_known)
    assert once.p_value is not None
    assert found.p_value >= once.p_value
    assert once.low is not None
    assert found.low < once.low


def test_the_arms_change_places_with_the_sign() -> None:
    one, other = conversions(1000, 50), conversions(4000, 120)
    found, mirrored = always_valid(one, other), always_valid(other, one)
    assert found.p_value == mirrored.p_value
    assert (found.low, found.high) == pytest.approx((-mirrored.high, -mirrored.low))


@pytest.mark.parametrize(
    ("treated", "kept"),
    [
        (conversions(MIN_CUSTOMERS - 1, 20), conversions(5000, 900)),
        (conversions(5000, MIN_NONZERO - 1), conversions(5000, 0)),
        (conversions(500, 0), conversions(500, 0)),
        (conversions(500, 500), conversions(500, 500)),
    ],
)
def test_nothing_is_said_of_too_little(treated: Moments, kept: Moments) -> None:
    found = always_valid(treated, kept)
    assert not found.is_known
    assert found.p_value == 1.0


def test_an_overwhelming_difference_has_a_p_value_of_nothing() -> None:
    assert always_valid(conversions(10**6, 900_000), conversions(10**6, 1000)).p_value < 1e-200


def test_a_small_arm_without_any_large_customer_is_no_effect() -> None:
    """The case Welch's test errs in: the control's variance is as much too small as its mean."""
    treated = moments_of([*[0] * 8900, *[10_000] * 95, *[900_000] * 5])
    kept = moments_of([*[0] * 994, *[10_000] * 6])
    once = welch(treated, kept)
    assert once.p_value is not None
    assert once.p_value < 0.05
    assert always_valid(treated, kept).p_value == 1.0
    by_arm, pooled = standard_errors(treated, kept)
    assert pooled > 1.5 * by_arm


def test_the_clock_is_that_of_two_equal_arms() -> None:
    assert clock_of(500, 500) == 1000
    assert clock_of(900, 100) == 360
    assert clock_of(0, 0) == 0


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_daily_peeking_at_no_effect_stays_within_the_level(share: float) -> None:
    generator = np.random.default_rng(7)
    kept = int(200 * share)
    found = 0
    for _ in range(150):
        values = (generator.random((40, 200)) < 0.05) * np.ceil(generator.lognormal(8, 1.2, (40, 200)))
        sums = [np.cumsum(part.sum(1)) for part in (values[:, kept:], values[:, :kept])]
        squares = [np.cumsum((part**2).sum(1)) for part in (values[:, kept:], values[:, :kept])]
        counts = [np.cumsum((part > 0).sum(1)) for part in (values[:, kept:], values[:, :kept])]
        found += any(
            always_valid(
                *(
                    conversions_with(int(n * (day + 1)), counts[arm][day], sums[arm][day], squares[arm][day])
                    for arm, n in enumerate((200 - kept, kept))
                )
            ).p_value
            < ALPHA
            for day in range(40)
        )
    assert found <= 150 * ALPHA


def conversions_with(customers: int, nonzero: float, total: float, squares: float) -> Moments:
    return Moments(customers, int(nonzero), int(total), int(squares))


def test_the_half_width_shrinks_with_customers() -> None:
    assert half_width(conversions(4000, 400), conversions(4000, 400)) < half_width(
        conversions(1000, 100), conversions(1000, 100)
    )
