"""What the ledger knows of an experiment: sums by variant, tier and day. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pipeline.experiments.moments import NOTHING, Moments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

CONVERTED: Final = "converted"
RETURN: Final = "return"
AUM: Final = "aum"
LOGINS: Final = "logins"
METRICS: Final = (CONVERTED, RETURN, AUM, LOGINS)
"""In the order of the arrays of sql/queries/experiment_sums.sql."""


@dataclass(frozen=True, slots=True)
class ArmDay:
    """Customers of one variant and tier who were assigned on one business day.

    Attributes:
        assigned_day, end_day: days since 1970-01-01, in the run's zone: of the assignment, and of the window's end.
        is_over: whether the windows are over as of the run's clock.
        outcomes: sums by metric; x is the same behaviour before the assignment.
        spending: y is the return, x the cost of the campaign's touches.
    """

    variant: str
    tier: str
    assigned_day: int
    end_day: int
    is_over: bool
    outcomes: Mapping[str, Moments]
    spending: Moments


@dataclass(frozen=True, slots=True)
class Attributed:
    """What attribution says of a variant."""

    return_minor: int
    cost_minor: int


@dataclass(frozen=True, slots=True)
class ExperimentFacts:
    """An experiment as of the run's clock.

    Attributes:
        by_assignment: whether assignments say who is in which variant; else the first creditable touches do.
        as_of_ms: the newest event of any topic.
        today: the business day of it, in days since 1970-01-01.
        transactions_until_ms, logins_until_ms: the newest events of these topics; 0 = none yet.
        window_ms: length of the outcome window.
        days: customers in one variant.
        left_out: customers in two variants, who count nowhere.
        event_costs: of cost events, by variant; '' is the campaign as a whole.
        attributed: by variant, those of the touches.
    """

    by_assignment: bool
    as_of_ms: int
    today: int
    transactions_until_ms: int
    logins_until_ms: int
    window_ms: int
    days: Sequence[ArmDay]
    left_out: int
    event_costs: Mapping[str, int] = field(default_factory=dict)
    attributed: Mapping[str, Attributed] = field(default_factory=dict)

    @property
    def variants(self) -> tuple[str, ...]:
        """Those that have customers."""
        return tuple(sorted({day.variant for day in self.days}))

    def outcomes(self, variant: str, metric: str, wanted: Callable[[ArmDay], bool] | None = None) -> Moments:
        """Return a variant's sums over the days that are wanted, or all."""
        return _total(
            day.outcomes[metric] for day in self.days if day.variant == variant and (wanted is None or wanted(day))
        )

    def spending(self, variant: str) -> Moments:
        """Return a variant's returns and touch costs."""
        return _total(day.spending for day in self.days if day.variant == variant)

    def customers(self, wanted: Callable[[ArmDay], bool] | None = None) -> dict[str, int]:
        """Return the number of customers by variant over the days that are wanted, or all."""
        counts = dict.fromkeys(self.variants, 0)
        for day in self.days:
            if wanted is None or wanted(day):
                counts[day.variant] += day.spending.customers
        return counts


def _total(parts: Iterable[Moments]) -> Moments:
    total = NOTHING
    for part in parts:
        total += part
    return total
