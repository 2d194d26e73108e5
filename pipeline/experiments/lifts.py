"""Differences of means as of one fixed look: Welch, CUPED and ratios. Pure.

CUPED and the delta method are tea-tasting's. Welch's test is written out: tea-tasting needs milliseconds for one, and a
history has thousands of them; tests hold the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, sqrt
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import tea_tasting.aggr

    from pipeline.experiments.moments import Moments

CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Lift:
    """A variant's mean minus the control's.

    Attributes:
        low, high: the 95 % interval; None where nothing differs within the arms, or an arm has fewer than two
        customers.
        p_value: two-sided; valid at one look that was planned beforehand, and at no other.
    """

    lift: float
    low: float | None = None
    high: float | None = None
    p_value: float | None = None


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The lift once the behaviour before the assignment is allowed for (CUPED).

    Attributes:
        lift: with its interval and p-value.
        explained: share of the variance that the behaviour before explains; the interval is narrower by its root.
    """

    lift: Lift
    explained: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of sums over customers, with its 95 % interval by the delta method."""

    value: float
    low: float
    high: float


def welch(treatment: Moments, control: Moments) -> Lift:
    """Return the difference of the means of y (Welch 1947)."""
    lift = (treatment.mean or 0.0) - (control.mean or 0.0)
    if not _can_be_tested(treatment, control):
        return Lift(lift)
    from scipy import special

    error = sqrt(treatment.variance / treatment.customers + control.variance / control.customers)
    degrees = degrees_of_freedom(treatment, control)
    half = -float(special.stdtrit(degrees, (1 - CONFIDENCE) / 2)) * error
    return Lift(lift, lift - half, lift + half, 2 * float(special.stdtr(degrees, -abs(lift) / error)))


def cuped(treatment: Moments, control: Moments) -> Adjusted | None:
    """Return the lift of y adjusted by x; None where x does not differ between customers.

    Deng, Xu, Kohavi & Walker 2013, "Improving the sensitivity of online controlled experiments by utilizing
    pre-experiment data"; one coefficient for both arms.
    """
    both = treatment + control
    if not _can_be_tested(treatment, control) or both.covariate_variance <= 0 or both.variance <= 0:
        return None
    shift = _shift(treatment, control)
    found = _mean_metric("x").analyze_aggregates(aggregates(control, shift), aggregates(treatment, shift))
    if not isfinite(found.pvalue):  # x explains y altogether: nothing is left to differ
        return None
    explained = both.covariance**2 / (both.covariate_variance * both.variance)
    half = (found.effect_size_ci_upper - found.effect_size_ci_lower) / 2
    lift = found.effect_size
    return Adjusted(Lift(lift, lift - half, lift + half, found.pvalue), explained)


def ratio(sums: Moments) -> Ratio | None:
    """Return sum of y / sum of x of one arm; None without a denominator or with fewer than two customers.

    Delta method: Deng, Knoblich & Lu 2018, "Applying the delta method in metric analytics". Student's t with n - 1.
    """
    from scipy import stats

    if sums.customers < 2 or sums.x == 0:
        return None
    variance = float(aggregates(sums).ratio_var("y", "x"))
    half = float(stats.t.isf((1 - CONFIDENCE) / 2, sums.customers - 1)) * sqrt(max(variance, 0.0) / sums.customers)
    value = sums.y / sums.x
    return Ratio(value, value - half, value + half)


def degrees_of_freedom(treatment: Moments, control: Moments) -> float:
    """Return those of Welch's t (Satterthwaite 1946); the arms differ within, and have two customers or more."""
    parts = [arm.variance / arm.customers for arm in (treatment, control)]
    each = [part * part / (arm.customers - 1) for part, arm in zip(parts, (treatment, control), strict=True)]
    return sum(parts) ** 2 / sum(each)


def _can_be_tested(treatment: Moments, control: Moments) -> bool:
    return min(treatment.customers, control.customers) > 1 and treatment.variance + control.variance > 0


def _shift(treatment: Moments, control: Moments) -> float:
    """Return what takes the means far from 0: there tea-tasting's relative interval, which nobody reads, overflows."""
    spread = sqrt(treatment.variance) + sqrt(control.variance)
    return 10 * spread + 2 * max(abs(treatment.mean or 0.0), abs(control.mean or 0.0))


def _mean_metric(covariate: str) -> tea_tasting.Mean:
    import tea_tasting

    # every argument is given: tea-tasting's global configuration decides nothing here
    return tea_tasting.Mean(
        "y",
        covariate,
        alternative="two-sided",
        confidence_level=CONFIDENCE,
        equal_var=False,
        use_t=True,
        alpha=1 - CONFIDENCE,
        ratio=1,
        power=0.8,
    )


def aggregates(sums: Moments, shift: float = 0.0) -> tea_tasting.aggr.Aggregates:
    """Return an arm as tea-tasting takes it, every outcome larger by a shift."""
    from tea_tasting.aggr import Aggregates

    return Aggregates(
        count_=sums.customers,
        mean_={"y": (sums.mean or 0.0) + shift, "x": sums.covariate_mean},
        var_={"y": sums.variance, "x": sums.covariate_variance},
        cov_={("x", "y"): sums.covariance},
    )
