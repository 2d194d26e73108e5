"""When a campaign would have been stopped: by the product's rule, and by the plain one.

The product looks every hour (every third in campaigns of three weeks and more), and a breach must hold for an hour.
Here looks are judged in three passes: every 12 hours (24); the middles between two of which one came within
`WIDE_SLACK` of the boundary; all hours between two of which one came within `SLACK`, until the campaign is stopped. A
look that is left out could only matter if the root had risen by more than that and fallen again between two of them;
``every_look`` leaves none out, and a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from bench.stop_rule.campaigns import NEVER
from bench.stop_rule.looks import rows_of, scaled, together
from pipeline.alerts.judging import judge
from pipeline.alerts.rule import AlertRule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.stop_rule.campaigns import Campaign
    from pipeline.alerts.learning import PeerLibrary
    from pipeline.alerts.statistics import BankLevel, Booleans, Floats, Integers, Statistics
    from pipeline.alerts.verdict import Verdict

SLACK: Final = 1.0
WIDE_SLACK: Final = 1.5
RULE: Final = AlertRule()
HOLD_HOURS: Final = int(RULE.hold_minutes // 60)
_COARSE: Final = {1: 12, 3: 24}
"""Hours between looks of the first pass, by the hours between looks; the second one halves them."""
_CELLS: Final = 8_000_000
"""So many numbers are handed to the rule at once: 64 MB a matrix."""


@dataclass(slots=True)
class Trial:
    """One campaign on trial.

    Attributes:
        campaign: the campaign.
        verdicts: by hour, those that were looked at.
        stopped_at: hour of the stop; None without one.
    """

    campaign: Campaign
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    stopped_at: int | None = None

    @property
    def smallest_p_value(self) -> float:
        """The running p-value at the end."""
        return min(verdict.p_value for verdict in self.verdicts.values())

    def below(self, hour: int) -> bool:
        """Return whether the rule finds the return to stay below what is required."""
        return hour in self.verdicts and self.verdicts[hour].outcome == "below"


@dataclass(frozen=True, eq=False)
class Portfolio:
    """Campaigns of one scenario, with what the first pass sees of them: the same at every factor of their values."""

    campaigns: Sequence[Campaign]
    every_look: bool = False

    @property
    def coarse(self) -> int:
        """Hours between looks of the first pass."""
        step = self.campaigns[0].scenario.step_hours
        return step if self.every_look else _COARSE[step]

    @property
    def grid(self) -> Integers:
        """Hours of the first pass."""
        return np.arange(self.coarse - 1, self.campaigns[0].scenario.hours, self.coarse)

    @cached_property
    def first(self) -> Statistics:
        """The rows of the first pass, campaign by campaign."""
        return together([rows_of(one, self.grid) for one in self.campaigns])


class Told(NamedTuple):
    """What judges: the peers' library, the bank's level; ``factor``: values are so many times those drawn."""

    library: PeerLibrary
    bank: BankLevel | None = None
    factor: float = 1.0


def tried(portfolio: Portfolio, told: Told) -> list[Trial]:
    """Return what becomes of campaigns of one scenario."""
    trials = [Trial(one) for one in portfolio.campaigns]
    scenario = trials[0].campaign.scenario
    step, coarse = scenario.step_hours, portfolio.coarse
    _judge([(trial, portfolio.grid) for trial in trials], portfolio.first, told)
    if not portfolio.every_look:
        _look(trials, [_middles(trial, coarse) for trial in trials], told)
    grids = {id(trial): sorted(trial.verdicts) for trial in trials}
    waiting = trials
    while waiting:
        until = [_next_breach(trial, grids[id(trial)], step) for trial in waiting]
        asked = list(zip(waiting, until, strict=True))
        _look(waiting, [_between(trial, grids[id(trial)], step, hour) for trial, hour in asked], told)
        _look(waiting, [_held(trial, hour) for trial, hour in asked], told)
        for trial, hour in asked:
            trial.stopped_at = _stopped(trial, step, hour)
        waiting = [trial for trial, hour in asked if trial.stopped_at is None and hour < scenario.hours]
    return trials


def _look(trials: Sequence[Trial], hours: Sequence[Integers], told: Told) -> None:
    """Judge these hours of each trial."""
    waiting = [(trial, looks) for trial, looks in zip(trials, hours, strict=True) if len(looks)]
    batch: list[tuple[Trial, Integers]] = []
    rows = 0
    for number, (trial, looks) in enumerate(waiting, start=1):
        batch.append((trial, looks))
        rows += len(looks)
        if rows * trial.campaign.scenario.hours > _CELLS or number == len(waiting):
            _judge(batch, together([rows_of(one.campaign, each) for one, each in batch]), told)
            batch, rows = [], 0


def _judge(looks: Sequence[tuple[Trial, Integers]], rows: Statistics, told: Told) -> None:
    verdicts = iter(judge(scaled(rows, told.factor), told.library, RULE, told.bank))
    for trial, hours in looks:
        trial.verdicts.update(zip(hours.tolist(), verdicts, strict=False))


def _middles(trial: Trial, coarse: int) -> Integers:
    """Return the hours that the second pass looks at."""
    found = [
        hour - coarse // 2
        for hour in sorted(trial.verdicts)
        if any(_near(trial, one, WIDE_SLACK) for one in (hour - coarse, hour))
    ]
    return np.array(found, np.int64)


def _next_breach(trial: Trial, grid: Sequence[int], step: int) -> int:
    """Return the first hour of the passes so far with a breach that was not looked into yet; the end without one."""
    previous = -1
    for hour in grid:
        if trial.below(hour) and _open(trial, previous, hour, step):
            return hour
        previous = hour
    return trial.campaign.scenario.hours


def _between(trial: Trial, grid: Sequence[int], step: int, until: int) -> Integers:
    """Return the hours that the third pass looks at: those next to a look that came near, up to an hour."""
    found: list[int] = []
    previous = -1
    for hour in grid:
        if hour > until:
            break
        if any(_near(trial, one, SLACK) for one in (previous, hour)):
            found += _open(trial, previous, hour, step)
        previous = hour
    return np.array(found, np.int64)


def _open(trial: Trial, start: int, end: int, step: int) -> list[int]:
    return [hour for hour in range(start + step, end, step) if hour not in trial.verdicts]


def _near(trial: Trial, hour: int, slack: float) -> bool:
    verdict = trial.verdicts.get(hour)
    return verdict is not None and verdict.outcome != "immature" and verdict.boundary - verdict.signed_root < slack


def _held(trial: Trial, until: int) -> Integers:
    """Return the hours that a breach must have been there before it fires, as far as nobody looked at them."""
    wanted = {
        hour - back
        for hour in trial.verdicts
        if hour <= until and trial.below(hour)
        for back in range(1, HOLD_HOURS + 1)
        if hour >= back
    }
    return np.array(sorted(wanted - trial.verdicts.keys()), np.int64)


def _stopped(trial: Trial, step: int, until: int) -> int | None:
    looks = (hour for hour in sorted(trial.verdicts) if hour <= until and (hour + 1) % step == 0)
    return next((hour for hour in looks if all(trial.below(hour - back) for back in range(HOLD_HOURS + 1))), None)


def plain_stop(campaign: Campaign, factor: float = 1.0) -> int | None:
    """Return the hour at which the plain rule would stop: ratio below the limit, minimum cost, held for an hour.

    ``factor``: values are so many times those drawn.
    """
    hours = campaign.scenario.hours
    booked = np.zeros(hours)
    delay = campaign.scenario.cost_delay_hours
    booked[delay:] = campaign.cost[: hours - delay]
    cost = np.cumsum(booked)
    gone = campaign.reversed_at < NEVER
    returned = _by_hour(campaign.at, campaign.value, hours)
    returned -= _by_hour(campaign.reversed_at[gone], campaign.value[gone], hours)
    breach = (factor * returned < RULE.min_return_ratio * cost) & (cost >= RULE.min_cost_minor)
    held: Booleans = breach.copy()
    for back in range(1, HOLD_HOURS + 1):
        held[back:] &= breach[:-back]
        held[:back] = False
    return int(held.argmax()) if held.any() else None


def _by_hour(at: Floats, amounts: Floats, hours: int) -> Floats:
    """Return what has come by the end of every hour."""
    return np.cumsum(np.bincount(np.minimum(at, hours).astype(np.int64), amounts, minlength=hours + 1)[:hours])
