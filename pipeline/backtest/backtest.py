"""A backtest from the beginning to the end: a past and some rules in, what each would have done out.

past = past_of_run(port, policy, Range(None, None, HOUR_MS), "run live")
found = backtest(past, rules_of_files(settings.alerts, []))
found.document()  # as `roi backtest --json` prints it
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from pipeline.alerts.lifecycle import Conduct
from pipeline.alerts.statistics import HOUR_MS
from pipeline.backtest.deciding import Deciding, plain_outcomes
from pipeline.backtest.looked import Task, learn_all, look_at_all
from pipeline.backtest.peers import looked_steps, peers_over_time, settled_steps
from pipeline.backtest.playing import Player, Trial
from pipeline.backtest.results import Found, rule_result

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.alerts.learning import PeerLibrary
    from pipeline.alerts.statistics import Integers
    from pipeline.backtest.history import CampaignHistory
    from pipeline.backtest.looked import Looked, Question
    from pipeline.backtest.past import Past
    from pipeline.backtest.peers import PeersOverTime
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
        unjudged: campaigns that could not be judged; they are not among the others.
    """

    histories: tuple[CampaignHistory, ...]
    looked: tuple[Looked, ...]
    libraries: tuple[PeerLibrary, ...]
    unjudged: tuple[str, ...] = ()


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
    played = play(past, rules, seen)
    return Found(
        past=past,
        looks=sum(len(one.steps) for one in seen.looked),
        most_peers=max((library.campaigns for library in seen.libraries), default=0),
        rules=tuple(rule_result(one.rule, one.trials, past, one.deciding) for one in played),
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
    settled = [settled_steps(history, past.grid) for history in past.histories]
    steps = [looked_steps(history, over) for history, over in zip(past.histories, settled, strict=True)]
    peers = peers_over_time(past.histories, settled, past.policy.calendar(), history_days)
    retired = [history.plan.is_retired for history in past.histories]
    chosen = [place for place, each in enumerate(steps) if len(each) and not retired[place]]
    rows = sum(len(steps[place]) for place in chosen)
    allowed = workers or min(MOST_WORKERS, len(os.sched_getaffinity(0)))
    used = allowed if rows >= ROWS_WORTH_PROCESSES else 1
    questions, which = _questions([(past.histories[place], steps[place]) for place in chosen], peers)
    libraries = learn_all(questions, peers.finished, used)
    tested = [rule for rule in rules if not rule.is_plain]
    tasks = [
        Task(past.histories[place], steps[place], of, tuple(rule.of(past.histories[place].plan) for rule in tested))
        for place, of in zip(chosen, which, strict=True)
    ]
    # campaigns of one product and time one after the other: they share what a process keeps of libraries
    order = sorted(range(len(tasks)), key=lambda at: (tasks[at].history.plan.product, int(tasks[at].steps[0])))
    looked: dict[int, Looked] = {}
    looks = look_at_all([tasks[at] for at in order], libraries, used)
    for done, (at, found) in enumerate(zip(order, looks, strict=True), 1):
        if found is not None:
            looked[at] = found
        tell(done, len(tasks))
    deciding = Deciding(past, libraries)
    judged = sorted(looked)
    for at in judged:
        deciding.with_bank_levels(tasks[at].history, looked[at], tasks[at].rules)
    unjudged = tuple(task.history.campaign_id for at, task in enumerate(tasks) if at not in looked)
    histories = tuple(tasks[at].history for at in judged)
    return Seen(histories, tuple(looked[at] for at in judged), tuple(libraries), unjudged)


def _questions(
    looks: Sequence[tuple[CampaignHistory, Integers]], peers: PeersOverTime
) -> tuple[list[Question], list[Integers]]:
    """Return the different libraries that are needed, and which of them each campaign needs at each step."""
    numbers: dict[Question, int] = {}
    which: list[Integers] = []
    for history, steps in looks:
        plan = history.plan
        epochs, place = np.unique(peers.epochs(plan.product, steps), return_inverse=True)
        asked = [(plan.product, plan.window_ms / HOUR_MS, peers.peers(plan.product, each)) for each in epochs.tolist()]
        found = np.array([numbers.setdefault(question, len(numbers)) for question in asked], np.int64)
        which.append(found[place])
    return list(numbers), which


def play(past: Past, rules: Sequence[TriedRule], seen: Seen) -> list[Played]:
    """Return every rule after the last step."""
    deciding = Deciding(past, seen.libraries)
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
            outcome_then=deciding.outcome_then,
            conduct=Conduct(database=past.source),  # ids of alerts that nobody ever had
        )
        player.play()
        played.append(Played(rule, trials, deciding))
        number += not rule.is_plain
    return played


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
    if seen.unjudged:
        names = ", ".join(seen.unjudged)
        notes.append(f"not judged, for their figures make the program fail (see its log): {names}")
    return tuple(notes)
