"""Differences of means as of one fixed look: Welch, CUPED and ratios. Pure.

The delta method is tea-tasting's. Welch's test and CUPED are written out, tests hold them to others: Welch's because
tea-tasting needs milliseconds for one and a history has thousands of them, CUPED because what the behaviour before
leaves unexplained is a small difference of large numbers: in doubles it can come out as 0, or below.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    return _tested(lift, [_Spread(arm.variance, arm.customers) for arm in (treatment, control)])


def cuped(treatment: Moments, control: Moments) -> Adjusted | None:
    """Return the lift of y adjusted by x; None where x does not differ between customers, or explains y altogether.

    Deng, Xu, Kohavi & Walker 2013, "Improving the sensitivity of online controlled experiments by utilizing
    pre-experiment data"; one coefficient for both arms.
    """
    both = treatment + control
    slope = _Slope.of(both)
    if not _can_be_tested(treatment, control) or slope.xx <= 0 or both.variance <= 0:
        return None
    left = [_Spread(slope.unexplained(arm), arm.customers) for arm in (treatment, control)]
    if not any(arm.variance for arm in left):
        return None
    explained = both.covariance**2 / (both.covariate_variance * both.variance)
    return Adjusted(_tested(slope.adjusted_lift(treatment, control), left), explained)


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
    return _degrees([_Spread(arm.variance, arm.customers) for arm in (treatment, control)])


class _Spread(NamedTuple):
    """The variance within an arm, and its customers."""

    variance: float
    customers: int

    @property
    def of_mean(self) -> float:
        return self.variance / self.customers


class _Slope(NamedTuple):
    """The coefficient of x in both arms together, xy / xx: integers, so that what it leaves of y is exact."""

    xx: int
    xy: int

    @classmethod
    def of(cls, both: Moments) -> _Slope:
        n = both.customers
        return cls(n * both.xx - both.x * both.x, n * both.xy - both.x * both.y)

    def unexplained(self, arm: Moments) -> float:
        """Return the sample variance of y less the coefficient times x."""
        n = arm.customers
        yy, xx, xy = n * arm.yy - arm.y * arm.y, n * arm.xx - arm.x * arm.x, n * arm.xy - arm.x * arm.y
        left = self.xx * self.xx * yy - 2 * self.xx * self.xy * xy + self.xy * self.xy * xx
        return left / (self.xx * self.xx * n * (n - 1))

    def adjusted_lift(self, treatment: Moments, control: Moments) -> float:
        """Return the difference of the means of y less the coefficient times that of x."""
        n, m = treatment.customers, control.customers
        y, x = treatment.y * m - control.y * n, treatment.x * m - control.x * n
        return (self.xx * y - self.xy * x) / (self.xx * n * m)


def _tested(lift: float, arms: Sequence[_Spread]) -> Lift:
    """Return a lift with Welch's interval and p-value."""
    from scipy import special

    error, degrees = sqrt(sum(arm.of_mean for arm in arms)), _degrees(arms)
    half = -float(special.stdtrit(degrees, (1 - CONFIDENCE) / 2)) * error
    return Lift(lift, lift - half, lift + half, 2 * float(special.stdtr(degrees, -abs(lift) / error)))


def _degrees(arms: Sequence[_Spread]) -> float:
    each = [arm.of_mean * arm.of_mean / (arm.customers - 1) for arm in arms]
    return sum(arm.of_mean for arm in arms) ** 2 / sum(each)


def _can_be_tested(treatment: Moments, control: Moments) -> bool:
    return min(treatment.customers, control.customers) > 1 and treatment.variance + control.variance > 0


def aggregates(sums: Moments) -> tea_tasting.aggr.Aggregates:
    """Return an arm as tea-tasting takes it."""
    from tea_tasting.aggr import Aggregates

    return Aggregates(
        count_=sums.customers,
        mean_={"y": sums.mean or 0.0, "x": sums.covariate_mean},
        var_={"y": sums.variance, "x": sums.covariate_variance},
        cov_={("x", "y"): sums.covariance},
    )
