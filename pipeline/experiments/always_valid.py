r"""Tests that may be looked at every day: one that is true is called false with at most 5 % over a whole life. Pure.

**Formula.** Robbins' normal mixture, as an asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy &
Ramdas 2024, "Time-uniform central limit theory and asymptotic confidence sequences", Annals of Statistics 52(6);
the mixture: Robbins 1970, "Statistical methods related to the law of the iterated logarithm"). With the
standardised lift z after t customers and x = t·ρ²:

    e = (1 + x)^(-1/2) · exp(z²·x / (2·(1 + x))),     p = min(1, 1/e)

and the interval is lift ± standard error · √((1 + 1/x) · log((1 + x)/α²)). p ≤ α exactly where it excludes 0.

**Assumptions.** Customers enter in the order in which their windows end, each once, with an outcome that is final by
then; they are independent and their outcomes have a finite variance. It holds for large t: until `MIN_CUSTOMERS` of
each arm and `MIN_NONZERO` outcomes other than 0 nothing is said.

**Heavy tails and small arms.** Where few customers carry most of the return, a small arm that met none of them has too
small a mean *and* too small a variance, and Welch's z takes that for an effect (docs/ab.md: 9 to 16 % instead of 5).
The pooled variance errs the other way. Both hold in the limit, so the smaller of the two z does as well, and it keeps
the level where one of them does not. Welch's z is a quantile of Student's t before.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, log, sqrt
from typing import TYPE_CHECKING, Final

from pipeline.experiments.lifts import degrees_of_freedom

if TYPE_CHECKING:
    from pipeline.experiments.moments import Moments

ALPHA: Final = 0.05
BEST_AT: Final = 10_000
"""The number of customers for which the interval is narrowest beside a fixed one (3.03 instead of 1.96 standard
errors); 3.76 at a tenth of it, 3.26 at ten times. It must not depend on the data."""
MIN_CUSTOMERS: Final = 50
MIN_NONZERO: Final = 10
_RHO_SQUARED: Final = (2 * log(1 / ALPHA) + log(2 * log(1 / ALPHA)) + 1) / BEST_AT
_LARGEST: Final = 37.0  # beyond it a normal tail is 0 in doubles


@dataclass(frozen=True, slots=True)
class AlwaysValid:
    """A comparison as of one look.

    Attributes:
        p_value: at most α with a chance of α, whenever and however often it is looked at.
        low, high: contain the true lift at every look with a chance of 1 - α; infinite while too little is known.
        clock: t, the customers that count: as many as would tell the same in two equal arms.
    """

    p_value: float
    low: float
    high: float
    clock: float

    @property
    def is_known(self) -> bool:
        """Whether there is enough to say anything."""
        return self.high < inf


def always_valid(treatment: Moments, control: Moments) -> AlwaysValid:
    """Return the comparison of a variant with the control."""
    clock = clock_of(treatment.customers, control.customers)
    if not is_enough(treatment, control):
        return AlwaysValid(1.0, -inf, inf, clock)
    lift = (treatment.mean or 0.0) - (control.mean or 0.0)
    half = half_width(treatment, control)
    return AlwaysValid(p_of(_smaller_z(lift, treatment, control), clock), lift - half, lift + half, clock)


def is_enough(treatment: Moments, control: Moments) -> bool:
    """Tell whether the limit theorem has something to stand on."""
    return (
        min(treatment.customers, control.customers) >= MIN_CUSTOMERS
        and treatment.nonzero + control.nonzero >= MIN_NONZERO
        and treatment.variance + control.variance > 0
    )


def clock_of(treatment: int, control: int) -> float:
    """Return how many customers in two equal arms would tell as much."""
    both = treatment + control
    return 4 * treatment * control / both if both else 0.0


def boundary(clock: float, alpha: float = ALPHA) -> float:
    """Return the z beyond which a difference is called."""
    x = clock * _RHO_SQUARED
    return sqrt((1 + 1 / x) * log((1 + x) / alpha**2))


def p_of(z: float, clock: float) -> float:
    """Return the always-valid p-value of a standardised lift."""
    x = clock * _RHO_SQUARED
    return min(1.0, sqrt(1 + x) * exp(-z * z * x / (2 * (1 + x))))


def half_width(treatment: Moments, control: Moments, alpha: float = ALPHA) -> float:
    """Return half the width of the interval."""
    from scipy import special

    z = boundary(clock_of(treatment.customers, control.customers), alpha)
    welch, pooled = standard_errors(treatment, control)
    t = -float(special.stdtrit(degrees_of_freedom(treatment, control), special.ndtr(-z)))
    return max(welch * t, pooled * z)


def standard_errors(treatment: Moments, control: Moments) -> tuple[float, float]:
    """Return the lift's standard error by each arm's own variance, and by the pooled one."""
    n, m = treatment.customers, control.customers
    pooled = ((n - 1) * treatment.variance + (m - 1) * control.variance) / (n + m - 2)
    return sqrt(treatment.variance / n + control.variance / m), sqrt(pooled * (1 / n + 1 / m))


def _smaller_z(lift: float, treatment: Moments, control: Moments) -> float:
    from scipy import special

    welch, pooled = standard_errors(treatment, control)
    z = min(abs(lift) / pooled, _LARGEST)
    tail = float(special.stdtr(degrees_of_freedom(treatment, control), -abs(lift) / welch))
    return min(z, -float(special.ndtri(tail))) if tail > 0 else z
