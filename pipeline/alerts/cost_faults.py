"""Faults of one campaign's costs: its cost events have stopped coming, or its touches have lost their cost. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.alerts.amounts import total
from pipeline.alerts.faults import DataFault
from pipeline.alerts.statistics import HOUR_MS
from schemas.topics import COSTS, TOUCHES

if TYPE_CHECKING:
    from pipeline.alerts.assembly import CampaignFacts

PAYMENTS: Final = 9
"""The newest so many cost events tell how regular they were."""
FEWEST_PAYMENTS: Final = 4
USUAL_GAPS: Final = 2.0
"""A silence of so many of the longest gaps between them is none of the feed's habits."""
PAID_SHARE: Final = 0.95
"""A campaign that has spent so much of its budget is paid for: no cost event need come any more."""
FEWEST_TOUCHES: Final = 50
USUAL_FREE_RUNS: Final = 5
"""Touches without cost are a fault when they are so many times more than ever came in a row."""
OWN_SHARE: Final = 0.5
"""The touches carry the cost of a campaign when so much of it is theirs."""


def cost_faults(facts: CampaignFacts, silent_hours: float) -> list[DataFault]:
    """Return the faults of a campaign's costs; both end with the next cost that comes."""
    found = []
    name = facts.plan.campaign_id
    if is_silent(facts, silent_hours):
        found.append(DataFault("silent_cost", COSTS, name))
    if has_lost_cost(facts):
        found.append(DataFault("free_touches", TOUCHES, name))
    return found


def is_silent(facts: CampaignFacts, silent_hours: float) -> bool:
    """Tell whether cost events came regularly and then stopped, while touches go on for longer than the silence asked.

    Without later touches there is nothing to pay for: the campaign has ended, or rests.
    """
    last_touch = facts.last_hour
    times = np.unique(np.array([event.at for event in facts.events if event.amount_minor > 0], np.int64))
    if last_touch is None or len(times) < FEWEST_PAYMENTS:
        return False
    newest = times[-PAYMENTS:]
    patience = max(silent_hours * HOUR_MS, USUAL_GAPS * int(np.diff(newest).max()))
    went_on = int(times[-1] - times[0]) >= silent_hours * HOUR_MS
    return went_on and last_touch * HOUR_MS - int(times[-1]) > patience and not _is_paid(facts)


def has_lost_cost(facts: CampaignFacts) -> bool:
    """Tell whether creditable touches that carried the campaign's cost go on without any.

    Free touches between others are usual: a fault is a run much longer than any before. Cost events that have taken
    over pay for it.
    """
    own = total(facts.touch_cost)
    events = sum(event.amount_minor for event in facts.events)
    priced = np.flatnonzero(facts.touch_cost > 0)
    if not len(priced) or own < OWN_SHARE * (own + max(0, events)):
        return False
    last = int(priced[-1])
    since = int(facts.hours[last] + 1) * HOUR_MS
    if any(event.at > since and event.amount_minor > 0 for event in facts.events):
        return False
    before = np.concatenate([[0], np.cumsum(facts.touches)])
    runs = before[priced[1:]] - before[priced[:-1] + 1]  # touches strictly between two hours with cost
    usual = int(runs.max(initial=0))
    free = int(before[-1] - before[last + 1])
    return free >= max(FEWEST_TOUCHES, USUAL_FREE_RUNS * usual) and len(facts.hours) - 1 - last > 1


def _is_paid(facts: CampaignFacts) -> bool:
    budget = None if facts.plan.definition is None else facts.plan.definition.budget_minor
    return budget is not None and float(facts.cost.sum()) >= PAID_SHARE * budget
