"""The past that a backtest goes through: where it comes from, and which part of it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.alerts.plans import CampaignPlan
from pipeline.alerts.statistics import BankLevel, Statistics
from pipeline.backtest.grid import Grid, grid_over
from pipeline.errors import UserError
from schemas.instants import instant_text

if TYPE_CHECKING:
    from pipeline.backtest.history import CampaignHistory
    from pipeline.state.policy import Policy

MOST_STEPS: Final = 10_000_000
"""A thousand years by the hour, or twenty by the minute: more is one event in another century."""
AsOf = Callable[[Sequence[CampaignPlan], int], Statistics]
"""Statistics of campaigns as of any instant: those between two steps are asked for when a hold begins there."""
BankLevels = Callable[[Sequence[CampaignPlan], int], Sequence[BankLevel | None]]
"""What a transaction that each one's goal matches is worth at this bank."""


class Range(NamedTuple):
    """What is looked at; None: from the first to the last instant that is known.

    ``ends_at_last``: the last instant that is known is a step, whatever the others are then.
    """

    from_ms: int | None
    to_ms: int | None
    every_ms: int
    ends_at_last: bool = False

    @property
    def is_upside_down(self) -> bool:
        """Whether it ends before it begins."""
        return self.from_ms is not None and self.to_ms is not None and self.to_ms < self.from_ms


@dataclass(frozen=True, slots=True)
class Past:
    """Everything a backtest needs to know.

    Attributes:
        source: what it is, for people.
        grid: the steps that are looked at.
        first_ms: the first touch or cost that is known.
        last_ms: the instant up to which everything is known: whose window ends later has not settled.
        histories: of all campaigns, by name.
        policy: how they were counted.
        as_of: for instants between the steps.
        bank_levels: None where nothing is known of the bank's other transactions.
    """

    source: str
    grid: Grid
    first_ms: int
    last_ms: int
    histories: tuple[CampaignHistory, ...]
    policy: Policy
    as_of: AsOf
    bank_levels: BankLevels | None


def grid_of(span: Range, first_ms: int, last_ms: int) -> Grid:
    """Return the steps of a range within what is known; without a begin, whole multiples of the step.

    Raises:
        UserError: nothing is known of the range or at any of its steps, or it is upside down.
    """
    known = f"what is known reaches from {instant_text(first_ms)} to {instant_text(last_ms)}"
    if span.ends_at_last:
        steps = -((first_ms - last_ms) // span.every_ms)
        return _bearable(Grid(last_ms - steps * span.every_ms, span.every_ms, steps + 1), known)
    from_ms = first_ms // span.every_ms * span.every_ms if span.from_ms is None else span.from_ms
    to_ms = last_ms if span.to_ms is None else min(span.to_ms, last_ms)
    if from_ms > last_ms or (span.to_ms is not None and span.to_ms < first_ms):
        raise UserError("the range is outside of the data", f"{known}; choose --from and --to within it")
    if span.is_upside_down:
        raise UserError("--to is before --from", known)
    # what is before anything happened has nothing to look at, and may be two thousand years
    from_ms += max(0, first_ms - from_ms) // span.every_ms * span.every_ms
    grid = grid_over(from_ms, to_ms, span.every_ms)
    if grid.last_ms < first_ms:
        raise UserError("no step is within the data", f"{known}; choose a shorter --every, or --from within it")
    return _bearable(grid, known)


def _bearable(grid: Grid, known: str) -> Grid:
    if grid.steps > MOST_STEPS:
        raise UserError(f"{grid.steps:,} steps are too many to look at", f"{known}; choose --from, --to or --every")
    return grid
