"""An experiment in money: what a variant brought in that would not have come anyway. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.experiments.always_valid import always_valid
from pipeline.experiments.facts import RETURN
from pipeline.experiments.lifts import ratio, welch

if TYPE_CHECKING:
    from pipeline.experiments.facts import ExperimentFacts
    from pipeline.experiments.lifts import Ratio
    from pipeline.experiments.moments import Moments


@dataclass(frozen=True, slots=True)
class Money:
    """A variant in money, over everyone assigned. Minor units.

    Attributes:
        incremental_return: the lift of the return times the customers; low and high are those of the lift's 95 %
        interval.
        cost: touches of the variant's customers, cost events of the variant, and its share of the campaign's cost
            events that name none, by customers.
        incremental_cost: cost beyond what as many customers of the control cost.
        incremental_roi: (incremental return - incremental cost) / incremental cost; None without cost.
        return_per_cost: return of the customers over cost of their touches, with its interval; None without such cost.
        attributed_return, attributed_cost: what attribution says of the variant; None where it says nothing.
        attributed_roi: of that return over the same cost as above, so that both can be compared.
    """

    incremental_return: int
    incremental_return_low: int | None
    incremental_return_high: int | None
    cost: int
    incremental_cost: int
    incremental_roi: float | None
    incremental_roi_low: float | None
    incremental_roi_high: float | None
    return_per_cost: Ratio | None
    attributed_return: int | None
    attributed_cost: int | None
    attributed_roi: float | None


@dataclass(frozen=True, slots=True)
class DayMoney:
    """A variant's customers whose windows are over, in money. Minor units.

    Attributes:
        incremental_return: the lift of their return times their number.
        cost: their touches, and by customers their part of the cost events that `cost_of` counts.
        incremental_cost: cost beyond what as many of the control's customers cost.
        roi: of the two; low and high by the lift's always-valid interval. None without cost, or with too little known.
    """

    incremental_return: int
    cost: int
    incremental_cost: int
    roi: float | None
    roi_low: float | None
    roi_high: float | None


class EventCosts:
    """What each customer of a variant bears of cost events; the control is compared with itself nowhere."""

    def __init__(self, facts: ExperimentFacts, control: str) -> None:
        counts = facts.customers()
        self._each = {
            variant: (cost_of(facts, variant, control) - facts.spending(variant).x) / count
            for variant, count in counts.items()
            if count
        }

    def cost(self, variant: str, spending: Moments) -> int:
        """Return what some customers of a variant cost, given the sums of their touches."""
        return spending.x + round(self._each.get(variant, 0.0) * spending.customers)


def day_money(treatment: Moments, control: Moments, cost: int, control_cost: int) -> DayMoney:
    """Return customers of a variant in money.

    Args:
        treatment: their returns.
        control: those of the control.
        cost: theirs.
        control_cost: the control's.
    """
    customers, always = treatment.customers, always_valid(treatment, control)
    spared = control_cost * customers / control.customers if control.customers else 0.0
    extra = round(cost - spared)
    gained = round(((treatment.mean or 0.0) - (control.mean or 0.0)) * customers)
    bounds = (round(each * customers) if always.is_known else None for each in (always.low, always.high))
    low, high = (_roi(each, extra) for each in bounds)
    return DayMoney(gained, cost, extra, _roi(gained, extra) if control.customers else None, low, high)


def money_of(facts: ExperimentFacts, variant: str, control: str) -> Money:
    """Return a variant in money."""
    spending = facts.spending(variant)
    lift = welch(facts.outcomes(variant, RETURN), facts.outcomes(control, RETURN))
    customers, kept = spending.customers, facts.spending(control).customers
    cost = cost_of(facts, variant, control)
    spared = cost_of(facts, control, control) * customers / kept if kept else 0.0
    extra = round(cost - spared)
    gained = round(lift.lift * customers)
    low, high = (None if each is None else round(each * customers) for each in (lift.low, lift.high))
    attributed = facts.attributed.get(variant)
    return Money(
        incremental_return=gained,
        incremental_return_low=low,
        incremental_return_high=high,
        cost=cost,
        incremental_cost=extra,
        incremental_roi=_roi(gained, extra),
        incremental_roi_low=_roi(low, extra),
        incremental_roi_high=_roi(high, extra),
        return_per_cost=ratio(spending),
        attributed_return=None if attributed is None else attributed.return_minor,
        attributed_cost=None if attributed is None else attributed.cost_minor,
        attributed_roi=None if attributed is None else _roi(attributed.return_minor, cost),
    )


def cost_of(facts: ExperimentFacts, variant: str, control: str) -> int:
    """Return what a variant's customers cost; the control bears nothing of what names no variant."""
    total = facts.spending(variant).x + facts.event_costs.get(variant, 0)
    counts = facts.customers()
    contacted = sum(count for name, count in counts.items() if name not in {control, ""})
    if variant and variant != control and contacted:
        total += round(facts.event_costs.get("", 0) * counts[variant] / contacted)
    return total


def _roi(returned: int | None, cost: int) -> float | None:
    return None if returned is None or cost <= 0 else (returned - cost) / cost
