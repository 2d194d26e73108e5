"""One rule through the past: looks at every step, the alerts' states after them, and when they fired and resolved.

Whatever is decided, the code of live looks decides: `pipeline.alerts.lifecycle` about states and holds,
`pipeline.alerts.false_stops` about what may fire. Only the clock on the wall has no part: a hold is one of event time,
nothing is acknowledged or decided by anybody, and no fault of the data is known.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.alerts.false_stops import false_stops
from pipeline.alerts.lifecycle import Conduct, held_since, instants_to_look_back, step
from pipeline.alerts.looking import Now, campaign_of, is_over
from pipeline.alerts.record import Look, Moment
from pipeline.alerts.words import withheld_text
from pipeline.backtest.looked import ABOVE, BELOW, OUTCOMES, verdict_of
from schemas.alerts import OPEN_STATES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.alerts.record import AlertRecord, Campaign
    from pipeline.alerts.rule import AlertRule
    from pipeline.alerts.verdict import Outcome, Verdict
    from pipeline.backtest.grid import Grid
    from pipeline.backtest.history import CampaignHistory
    from pipeline.backtest.looked import Decisions, Looked

_QUIET: Final = frozenset({"immature", "watching"})


@dataclass(slots=True)
class Episode:
    """From a breach that fired to its resolution.

    Attributes:
        held_from_ms: the instant from which on every look, hour by hour, had found the breach.
        fired_ms: when it fired.
        fired_row: the look at which it did.
        resolved_ms: None = it is still open at the last step.
    """

    held_from_ms: int
    fired_ms: int
    fired_row: int
    resolved_ms: int | None = None


@dataclass(slots=True)
class Trial:
    """One campaign under one rule.

    Attributes:
        history: the campaign.
        rule: its rule.
        looked: the steps and figures of its looks.
        decisions: what the rule decided; None where `outcome` is not the product's test.
        outcome: (B,) codes of `looked.OUTCOMES`.
        record: its alert after the last step.
        episodes: every time that it fired.
        withheld: at how many steps a breach that had held did not fire, for too many of all breaches would be false.
    """

    history: CampaignHistory
    rule: AlertRule
    looked: Looked
    decisions: Decisions | None
    outcome: NDArray[np.int8]
    record: AlertRecord | None = None
    episodes: list[Episode] = field(default_factory=list)
    withheld: int = 0

    @property
    def name(self) -> str:
        """The campaign's name."""
        return self.history.campaign_id


class Player:
    """Plays one rule.

    Args:
        trials: of all campaigns, by name.
        grid: the steps.
        false_share_limit: expected share of false stops beyond which only the clearest fire; None = all may.
        outcome_then: what a trial's look at a row says as of an earlier instant, by what is known of peers at the row.
        conduct: of the lifecycle.
    """

    def __init__(
        self,
        trials: Sequence[Trial],
        grid: Grid,
        *,
        false_share_limit: float | None,
        outcome_then: Callable[[Trial, int, int], Outcome],
        conduct: Conduct,
    ) -> None:
        self._trials = trials
        self._grid = grid
        self._limit = false_share_limit
        self._outcome_then = outcome_then
        self._conduct = replace(conduct, wall_hold_seconds=0.0, evidence_seconds=0.0)
        self._campaigns: Mapping[str, Campaign] = {one.name: campaign_of(one.history.plan) for one in trials}
        self._smallest = [
            None if one.decisions is None else np.minimum.accumulate(one.decisions.p_value) for one in trials
        ]

    def play(self) -> None:
        """Take every look; trials hold what becomes of them."""
        at_step: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for number, trial in enumerate(self._trials):
            for row in _telling_rows(trial, self._grid):
                at_step[int(trial.looked.steps[row])].append((number, row))
        for number_of_step in sorted(at_step):
            self._take(number_of_step, at_step[number_of_step])

    def _take(self, number_of_step: int, rows: Iterable[tuple[int, int]]) -> None:
        instant = self._grid.instant(number_of_step)
        now = Moment(instant, instant / 1000)
        may_fire: frozenset[str] | None = None
        withheld = ""
        for number, row in rows:
            trial = self._trials[number]
            campaign = self._campaigns[trial.name]
            ends_now = is_over(campaign, trial.record, Now(instant, {}, frozenset()))
            if _passes_by(trial, row, is_over=ends_now):
                continue
            verdict = verdict_of(trial.name, instant, OUTCOMES[int(trial.outcome[row])], row, trial.decisions)
            is_below = trial.outcome[row] == BELOW
            if is_below and may_fire is None and not _is_open(trial):
                may_fire, withheld = self._may_fire(number_of_step, instant)
            is_held_back = is_below and may_fire is not None and trial.name not in may_fire
            look = Look(
                verdict=verdict,
                rule=trial.rule,
                held_since_ms=self._held_since(trial, row, verdict),
                campaign=campaign,
                is_over=ends_now,
                withheld=withheld if is_held_back else "",
            )
            self._step(trial, row, look, now)

    def _step(self, trial: Trial, row: int, look: Look, now: Moment) -> None:
        before = trial.record
        trial.record, change = step(before, look, now, self._conduct)
        state = trial.record.state
        was_open = before is not None and before.state in OPEN_STATES
        if look.withheld and state == "pending" and not was_open:
            held_ms = look.verdict.as_of_ms - look.held_since_ms
            trial.withheld += held_ms >= look.rule.hold_minutes * 60_000
        if change is None:
            return
        if state == "firing" and not was_open:
            trial.episodes.append(Episode(look.held_since_ms, look.verdict.as_of_ms, row))
        elif state == "resolved" and was_open:
            trial.episodes[-1].resolved_ms = look.verdict.as_of_ms

    def _held_since(self, trial: Trial, row: int, verdict: Verdict) -> int:
        back: list[tuple[int, Outcome]] = []
        for instant in instants_to_look_back(trial.record, verdict, trial.rule):
            outcome = self._outcome_then(trial, row, instant)
            back.append((instant, outcome))
            if outcome != verdict.outcome:
                break
        return held_since(trial.record, verdict, back)

    def _may_fire(self, number_of_step: int, instant: int) -> tuple[frozenset[str] | None, str]:
        """Return which campaigns may fire as of a step, and what is said to the others; None: all may."""
        if self._limit is None:
            return None, ""
        verdicts: list[Verdict] = []
        rules: list[AlertRule] = []
        smallest: dict[str, float] = {}
        for trial, least in zip(self._trials, self._smallest, strict=True):
            row = trial.looked.last(number_of_step)
            if row >= 0 and least is not None:
                verdicts.append(
                    verdict_of(trial.name, instant, OUTCOMES[int(trial.outcome[row])], row, trial.decisions)
                )
                rules.append(trial.rule)
                smallest[trial.name] = float(least[row])
        found = false_stops(verdicts, rules, self._limit, smallest)
        return found.may_fire, withheld_text(found.expected_share)


def _telling_rows(trial: Trial, grid: Grid) -> list[int]:
    """Return the looks that could change a state: the first, those that find another outcome, and those below or after.

    A campaign that was never below is in no state in which anything else matters.
    """
    outcome = trial.outcome
    if not len(outcome):
        return []
    tells = np.append(True, outcome[1:] != outcome[:-1])
    below = np.flatnonzero(outcome == BELOW)
    if len(below):
        tells[below[0] :] = True
    ends = trial.history.plan.ends_at_ms
    if ends is not None:
        over = np.flatnonzero(grid.instants(trial.looked.steps) >= ends)
        tells[over[:1]] = True
    tells[-1] = True
    return np.flatnonzero(tells).tolist()


def _passes_by(trial: Trial, row: int, *, is_over: bool) -> bool:
    """Tell, quickly, that a look changes nothing that a later one depends on; the last one is always taken."""
    record = trial.record
    if record is None or row == len(trial.outcome) - 1:
        return False
    if is_over:
        return record.state in {"watching", "resolved"}
    if record.state in OPEN_STATES:  # nothing but a return above the margin ends it, and that must hold
        return record.above_since_ms is None and trial.outcome[row] != ABOVE
    if trial.outcome[row] == BELOW:
        return False
    is_same = record.verdict.outcome == OUTCOMES[int(trial.outcome[row])]
    return record.state == "resolved" or (record.state in _QUIET and is_same)


def _is_open(trial: Trial) -> bool:
    return trial.record is not None and trial.record.state in OPEN_STATES
