"""A backtest from the beginning to the end: a past and some rules in, what each would have done out.

past = past_of_run(port, policy, Range(None, None, HOUR_MS), "run live")
found = backtest(past, rules_of_files(settings.alerts, []))
found.document()  # as `roi backtest --json` prints it
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from pipeline.alerts.isolating import Unjudged
from pipeline.alerts.lifecycle import Conduct
from pipeline.alerts.statistics import HOUR_MS
from pipeline.backtest.deciding import Deciding, plain_outcomes
from pipeline.backtest.looked import Task, learn_all, look_at_all
from pipeline.backtest.peers import looked_steps, peers_over_time, settled_steps
from pipeline.backtest.playing import Player, Trial
from pipeline.backtest.results import Found, campaign_result, rule_result

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.alerts.learning import PeerLibrary
    from pipeline.alerts.statistics import Booleans, Integers
    from pipeline.alerts.verdict import Outcome
    from pipeline.backtest.grid import Grid
    from pipeline.backtest.history import CampaignHistory
    from pipeline.backtest.looked import Looked, Question
    from pipeline.backtest.past import Past
    from pipeline.backtest.peers import PeersOverTime
    from pipeline.backtest.results import RuleResult
    from pipeline.backtest.rules import TriedRule

ROWS_WORTH_PROCESSES: Final = 15_000
"""Fewer looks are taken in this process: starting others takes about two seconds."""
MOST_WORKERS: Final = 8


class Seen(NamedTuple):
    """All looks at a past: what every rule rests on.

    Attributes:
        histories: the campaigns of which anything is known within the range, by name.
        looked: the looks at each, by the rules that are not plain, in their order.
        libraries: what peers had taught; `Looked.which` names places in it.
        unjudged: campaigns that cannot be judged: those that are found so from here on are among the others.
    """

    histories: tuple[CampaignHistory, ...]
    looked: tuple[Looked, ...]
    libraries: tuple[PeerLibrary, ...]
    unjudged: Unjudged


class _Stepped(NamedTuple):
    """A campaign, as of which steps it has settled, and the steps at which it is looked at."""

    history: CampaignHistory
    settled: Booleans
    steps: Integers


@dataclass(frozen=True, slots=True)
class Played:
    """One rule after the last step."""

    rule: TriedRule
    trials: tuple[Trial, ...]
    deciding: Deciding


def backtest(
    past: Past,
    rules: Sequence[TriedRule],
    *,
    history_days: float = 400.0,
    workers: int | None = None,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> Found:
    """Return what every rule would have done.

    Args:
        past: of a run or an export.
        rules: to be put side by side.
        history_days: finished campaigns teach for so long (setting ``alerts.history_days``).
        workers: processes to use at most; None: as many as there are processors.
        tell: hears how many campaigns have been looked at, of how many.

    Raises:
        UserError: a process was ended from outside.
    """
    seen = see(past, rules, history_days=history_days, workers=workers, tell=tell)
    results = _results(past, play(past, rules, seen), seen.unjudged)
    return Found(
        past=past,
        looks=sum(len(one.steps) for one in seen.looked),
        most_peers=max((library.campaigns for library in seen.libraries), default=0),
        rules=results,
        notes=_notes(past, seen),
    )


def see(
    past: Past,
    rules: Sequence[TriedRule],
    *,
    history_days: float,
    workers: int | None = None,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> Seen:
    """Take every look at a past; arguments as for `backtest`."""
    unjudged = Unjudged("en")
    stepped = [
        found
        for history in past.histories
        if (found := unjudged.alone(history.campaign_id, partial(_stepped, history, past.grid), None)) is not None
    ]
    histories, settled = [one.history for one in stepped], [one.settled for one in stepped]
    peers = peers_over_time(histories, settled, past.policy.calendar(), history_days)
    chosen = [one for one in stepped if len(one.steps) and not one.history.plan.is_retired]
    rows = sum(len(one.steps) for one in chosen)
    allowed = workers or min(MOST_WORKERS, len(os.sched_getaffinity(0)))
    used = allowed if rows >= ROWS_WORTH_PROCESSES else 1
    questions, which = _questions(chosen, peers)
    libraries = learn_all(questions, peers.finished, used)
    tested = [rule for rule in rules if not rule.is_plain]
    tasks = [
        Task(one.history, one.steps, of, tuple(rule.of(one.history.plan) for rule in tested))
        for one, of in zip(chosen, which, strict=True)
    ]
    looked = _looks(tasks, libraries, used, tell, unjudged)
    deciding = Deciding(past, libraries)
    for name, (task, of_task) in looked.items():
        unjudged.alone(name, partial(deciding.with_bank_levels, task.history, of_task, task.rules), None)
    judged = [pair for name, pair in looked.items() if not unjudged.faults(name)]
    return Seen(
        tuple(task.history for task, _ in judged), tuple(found for _, found in judged), tuple(libraries), unjudged
    )


def _stepped(history: CampaignHistory, grid: Grid) -> _Stepped:
    settled = settled_steps(history, grid)
    return _Stepped(history, settled, looked_steps(history, settled))


def _looks(
    tasks: Sequence[Task],
    libraries: Sequence[PeerLibrary],
    workers: int,
    tell: Callable[[int, int], None],
    unjudged: Unjudged,
) -> dict[str, tuple[Task, Looked]]:
    """Return what is found of the campaigns that can be judged, by name, in their order."""
    # campaigns of one product and time one after the other: they share what a process keeps of libraries
    order = sorted(range(len(tasks)), key=lambda at: (tasks[at].history.plan.product, int(tasks[at].steps[0])))
    looked: dict[int, Looked] = {}
    looks = look_at_all([tasks[at] for at in order], libraries, workers)
    for done, (at, found) in enumerate(zip(order, looks, strict=True), 1):
        if found is not None:
            looked[at] = found
        else:
            unjudged.told(tasks[at].history.campaign_id)  # who looked has logged why
        tell(done, len(tasks))
    return {tasks[at].history.campaign_id: (tasks[at], looked[at]) for at in sorted(looked)}


def _questions(looks: Sequence[_Stepped], peers: PeersOverTime) -> tuple[list[Question], list[Integers]]:
    """Return the different libraries that are needed, and which of them each campaign needs at each step."""
    numbers: dict[Question, int] = {}
    which: list[Integers] = []
    for one in looks:
        plan = one.history.plan
        epochs, place = np.unique(peers.epochs(plan.product, one.steps), return_inverse=True)
        asked = [(plan.product, plan.window_ms / HOUR_MS, peers.peers(plan.product, each)) for each in epochs.tolist()]
        found = np.array([numbers.setdefault(question, len(numbers)) for question in asked], np.int64)
        which.append(found[place])
    return list(numbers), which


def play(past: Past, rules: Sequence[TriedRule], seen: Seen) -> list[Played]:
    """Return every rule after the last step."""
    deciding = Deciding(past, seen.libraries)
    nothing: Outcome = "immature"  # as live has it, whose campaign is blocked

    def outcome_then(trial: Trial, row: int, instant: int) -> Outcome:
        return seen.unjudged.alone(trial.name, partial(deciding.outcome_then, trial, row, instant), nothing)

    played: list[Played] = []
    number = 0
    for rule in rules:
        trials = tuple(
            _trial(history, looked, rule, None if rule.is_plain else number)
            for history, looked in zip(seen.histories, seen.looked, strict=True)
        )
        player = Player(
            trials,
            past.grid,
            false_share_limit=None if rule.is_plain else rule.settings.false_share_limit,
            outcome_then=outcome_then,
            conduct=Conduct(installation=past.source),  # ids of alerts that nobody ever had
        )
        player.play()
        played.append(Played(rule, trials, deciding))
        number += not rule.is_plain
    return played


def _results(past: Past, played: Sequence[Played], unjudged: Unjudged) -> tuple[RuleResult, ...]:
    """Return what became of the campaigns that every rule could judge: they are put side by side."""
    found = [
        [unjudged.alone(trial.name, partial(campaign_result, trial, past, one.deciding), None) for trial in one.trials]
        for one in played
    ]
    return tuple(
        rule_result(one.rule, [each for each in of_rule if each and not unjudged.faults(each.campaign_id)])
        for one, of_rule in zip(played, found, strict=True)
    )


def _trial(history: CampaignHistory, looked: Looked, rule: TriedRule, number: int | None) -> Trial:
    of_campaign = rule.of(history.plan)
    if number is None:
        return Trial(history, of_campaign, looked, None, plain_outcomes(looked.cost, looked.returned, of_campaign))
    decisions = looked.by_rule[number]
    return Trial(history, of_campaign, looked, decisions, decisions.outcome)


def _notes(past: Past, seen: Seen) -> tuple[str, ...]:
    notes = ["holds are in event time; faults of the data, acknowledgements and decisions are not part of the past"]
    if not any(library.campaigns for library in seen.libraries):
        notes.append("no campaign was over at any step: no finished peers, own data only")
    if any(history.plan.ends_at_ms is None for history in seen.histories):
        notes.append("campaigns without an end date are judged as open-ended: slower to decide")
    retired = sum(history.plan.is_retired for history in past.histories)
    if retired:
        notes.append(f"{retired} campaigns are not judged: their definitions, and so their limits, were retired")
    if seen.unjudged.names:
        names = ", ".join(seen.unjudged.names)
        notes.append(f"not judged, for their figures make the program fail (see its log): {names}")
    return tuple(notes)
