"""How an experiment looked on each of its days: what a board draws. Pure.

A day's look counts who was assigned by its end, and outcomes of windows that were over by then, with reversals and late
events known today: a look of that day may have differed by them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.experiments.always_valid import always_valid
from pipeline.experiments.facts import RETURN
from pipeline.experiments.incremental import EventCosts, day_money
from pipeline.experiments.lifts import welch
from pipeline.experiments.moments import NOTHING
from pipeline.experiments.sample_ratio import planned_shares, sample_ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.experiments.always_valid import AlwaysValid
    from pipeline.experiments.analysis import Design
    from pipeline.experiments.facts import ArmDay, ExperimentFacts
    from pipeline.experiments.incremental import DayMoney
    from pipeline.experiments.lifts import Lift
    from pipeline.experiments.moments import Moments

MOST_DAYS: Final = 400


@dataclass(frozen=True, slots=True)
class DayLook:
    """A variant on one day; the control is not compared with itself.

    Attributes:
        day: days since 1970-01-01.
        assigned: customers in the variant.
        ended: outcomes of those whose window was over.
        lift: as of one look that day; None for the control.
        always: as of any look; None for the control.
        srm_p, srm_sequential_p: of everybody assigned.
        planned_share: of customers.
        money: of those whose window was over, and with touches and cost events known today, whenever they were; None
            for the control.
    """

    day: int
    metric: str
    variant: str
    assigned: int
    ended: Moments
    lift: Lift | None
    always: AlwaysValid | None
    srm_p: float | None
    srm_sequential_p: float
    planned_share: float | None
    money: DayMoney | None


def daily_looks(facts: ExperimentFacts, design: Design) -> Iterator[DayLook]:
    """Yield every day's look, from the first assignment to the run's today, at most the last `MOST_DAYS`."""
    planned = planned_shares(facts.variants, design.shares)
    events = EventCosts(facts, design.control)
    known = _Known(facts, design)
    for day in range(known.first_day, facts.today + 1):
        known.take(day)
        if day <= facts.today - MOST_DAYS:
            continue
        ratio = sample_ratio(known.counts, planned)
        money = _money(known, events, design.control)
        for (metric, variant), ended in known.asked():
            kept = known.sums[metric, design.control]
            is_compared = variant != design.control
            yield DayLook(
                day,
                metric,
                variant,
                known.counts[variant],
                ended,
                welch(ended, kept) if is_compared else None,
                always_valid(ended, kept) if is_compared else None,
                ratio.p_value,
                ratio.sequential_p,
                planned.get(variant),
                money.get(variant),
            )


class _Known:
    """What is known by the end of a day: who was assigned, and the sums of those whose window was over.

    Attributes:
        first_day: of an assignment.
        counts: customers assigned, by variant.
        sums: by metric and variant, with the return always.
        spending: returns and touch costs, by variant.
    """

    def __init__(self, facts: ExperimentFacts, design: Design) -> None:
        self._metrics = design.metrics
        self._arrivals: dict[int, list[ArmDay]] = defaultdict(list)
        self._endings: dict[int, list[ArmDay]] = defaultdict(list)
        for one in facts.days:
            self._arrivals[one.assigned_day].append(one)
            if one.is_over:
                self._endings[one.end_day].append(one)
        self.first_day = min(self._arrivals)
        metrics = dict.fromkeys((*design.metrics, RETURN))
        self.counts = dict.fromkeys(facts.variants, 0)
        self.sums = {(metric, variant): NOTHING for metric in metrics for variant in facts.variants}
        self.spending = dict.fromkeys(facts.variants, NOTHING)

    def take(self, day: int) -> None:
        """Take in what a day brought."""
        for one in self._arrivals.get(day, ()):
            self.counts[one.variant] += one.spending.customers
        for one in self._endings.get(day, ()):
            self.spending[one.variant] += one.spending
            for metric, variant in self.sums:
                if variant == one.variant:
                    self.sums[metric, variant] += one.outcomes[metric]

    def asked(self) -> Iterator[tuple[tuple[str, str], Moments]]:
        """Yield the sums of the metrics that were asked for."""
        return ((key, ended) for key, ended in self.sums.items() if key[0] in self._metrics)


def _money(known: _Known, events: EventCosts, control: str) -> dict[str, DayMoney]:
    kept, spared = known.sums[RETURN, control], events.cost(control, known.spending[control])
    return {
        variant: day_money(known.sums[RETURN, variant], kept, events.cost(variant, spending), spared)
        for variant, spending in known.spending.items()
        if variant != control
    }
