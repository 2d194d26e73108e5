"""How large an effect can be seen, and how many days it will take. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import TYPE_CHECKING, Final

from pipeline.experiments.always_valid import boundary, clock_of, half_width, is_enough

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.experiments.moments import Moments

POWER: Final = 0.8
_Z_OF_POWER: Final = 0.8416212335729143
_MOST_CUSTOMERS: Final = 1e12
_LONGEST_DAYS: Final = 3650
_FEWEST_CUSTOMERS: Final = 4  # two an arm: fewer have no variance


@dataclass(frozen=True, slots=True)
class Outlook:
    """What more customers will tell.

    Attributes:
        relevant_lift: the smallest difference of means that matters; None where the control's mean is 0 or unknown.
        detectable_lift: the difference that today's customers show with a chance of 80 %; None with too little data.
        customers_needed: customers of both arms with their windows over, at today's shares, that show `relevant_lift`
            with a chance of 80 % however often one looks.
        customers_needed_once: the same for one look at the end (Welch), by tea-tasting.
        days: until then; None if nobody knows or too few are assigned.
    """

    relevant_lift: float | None = None
    detectable_lift: float | None = None
    customers_needed: int | None = None
    customers_needed_once: int | None = None
    days: int | None = None


def outlook(
    treatment: Moments, control: Moments, relevant_share: float, still_open: Sequence[int], per_day: float
) -> Outlook:
    """Return what to expect of a comparison.

    Args:
        treatment: outcomes of customers whose windows are over.
        control: the same of the control.
        relevant_share: the smallest lift that matters, as a share of the control's mean.
        still_open: customers of both arms by the days until their windows end, the next day first.
        per_day: customers of both arms assigned a day from now on; 0 = nobody any more.
    """
    relevant = abs(control.mean or 0.0) * relevant_share
    if not is_enough(treatment, control):
        return Outlook(relevant or None)
    both = treatment.customers + control.customers
    clock = clock_of(treatment.customers, control.customers)
    error = half_width(treatment, control) / boundary(clock)
    detectable = (boundary(clock) + _Z_OF_POWER) * error
    if not relevant:
        return Outlook(None, detectable)
    growth = _growth_needed(clock, error, relevant)
    needed = None if growth is None else round(both * growth)
    days = None if needed is None else _days_until(needed - both, still_open, per_day)
    return Outlook(relevant, detectable, needed, _needed_once(treatment, control, relevant), days)


def _growth_needed(clock: float, error: float, relevant: float) -> float | None:
    """Return how many times as many customers bring boundary and power together down to the relevant lift."""

    def excess(growth: float) -> float:
        return (boundary(clock * growth) + _Z_OF_POWER) * error / sqrt(growth) - relevant

    low, high = 1e-6, 1.0
    while excess(high) > 0:
        low, high = high, high * 2
        if high > _MOST_CUSTOMERS:
            return None
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return high


def _needed_once(treatment: Moments, control: Moments, relevant: float) -> int:
    import tea_tasting

    from pipeline.experiments.lifts import aggregates

    metric = tea_tasting.Mean(
        "y",
        alternative="two-sided",
        confidence_level=0.95,
        equal_var=False,
        use_t=False,  # with Student's t the search begins where an arm has one customer, and fails
        alpha=0.05,
        ratio=treatment.customers / control.customers,
        power=POWER,
        effect_size=relevant,
    )
    try:
        found = metric.solve_power_from_aggregates(aggregates(treatment + control), "n_obs")
    except ValueError:  # its search begins with three customers, and so few show a lift that is large beside the spread
        return _FEWEST_CUSTOMERS
    return max(int(found[0].n_obs), _FEWEST_CUSTOMERS)


def _days_until(more: int, still_open: Sequence[int], per_day: float) -> int | None:
    """Return the days until so many more windows have ended; who is assigned from now on follows the open ones."""
    if more <= 0:
        return 0
    for day, customers in enumerate(still_open, start=1):
        more -= customers
        if more <= 0:
            return day
    days = len(still_open) + (more / per_day if per_day > 0 else inf)
    return None if days > _LONGEST_DAYS else int(-(-days // 1))
