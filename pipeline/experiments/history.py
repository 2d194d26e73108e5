"""How an experiment looked on each of its days: what a board draws. Pure.

A day's look counts who was assigned by its end, and outcomes of windows that were over by then, with reversals and late
events known today: a look of that day may have differed by them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.experiments.always_valid import always_valid
from pipeline.experiments.lifts import welch
from pipeline.experiments.moments import NOTHING
from pipeline.experiments.sample_ratio import planned_shares, sample_ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.experiments.always_valid import AlwaysValid
    from pipeline.experiments.analysis import Design
    from pipeline.experiments.facts import ExperimentFacts
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


def daily_looks(facts: ExperimentFacts, design: Design) -> Iterator[DayLook]:
    """Yield every day's look, from the first assignment to the run's today, at most the last `MOST_DAYS`."""
    variants = facts.variants
    planned = planned_shares(variants, design.shares)
    arrivals: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    endings: dict[int, dict[tuple[str, str], Moments]] = defaultdict(lambda: defaultdict(lambda: NOTHING))
    for one in facts.days:
        arrivals[one.assigned_day][one.variant] += one.spending.customers
        if one.is_over:
            for metric in design.metrics:
                endings[one.end_day][metric, one.variant] += one.outcomes[metric]
    counts = dict.fromkeys(variants, 0)
    sums = {(metric, variant): NOTHING for metric in design.metrics for variant in variants}
    for day in range(min(arrivals), facts.today + 1):
        for variant, customers in arrivals.get(day, {}).items():
            counts[variant] += customers
        for key, moments in endings.get(day, {}).items():
            sums[key] += moments
        if day > facts.today - MOST_DAYS:
            ratio = sample_ratio(counts, planned)
            for (metric, variant), ended in sums.items():
                kept = sums[metric, design.control]
                is_compared = variant != design.control
                yield DayLook(
                    day,
                    metric,
                    variant,
                    counts[variant],
                    ended,
                    welch(ended, kept) if is_compared else None,
                    always_valid(ended, kept) if is_compared else None,
                    ratio.p_value,
                    ratio.sequential_p,
                )
