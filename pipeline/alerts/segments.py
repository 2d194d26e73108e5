"""One campaign's facts by channel, variant or tier: what the advice to optimise is made of."""

from __future__ import annotations

from itertools import compress, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pipeline.alerts.assembly import CampaignFacts
from pipeline.alerts.conversions import CHANGES, KINDS
from pipeline.alerts.costs import cost_by_hour
from pipeline.alerts.reading import read_reversed, set_conversions, set_events

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.reading import FactsPort
    from pipeline.alerts.repricing import BookedCredit, Reversed
    from pipeline.alerts.statistics import Floats, Integers
    from pipeline.state.policy import Policy

Dimension = Literal["channel", "variant", "tier"]


def read_segments(  # noqa: PLR0913 - what to look at, and how it was counted
    port: FactsPort, plan: CampaignPlan, dimension: Dimension, as_of_ms: int, policy: Policy, *, model: str = ""
) -> tuple[list[str], list[CampaignFacts]]:
    """Return a campaign's segments, in the order of their names, and the facts of each.

    A transaction that was credited to touches of several segments stands in each with its share. A cost event is
    shared by the touches that it pays for; one that names a variant pays for touches of that variant alone.
    """
    campaign = {"campaign": plan.campaign_id, "dimension": dimension, "until": as_of_ms}
    touches = port.fetch("alert_segment_touches", **campaign)
    whole = CampaignFacts(plan)
    set_events([whole], port.fetch("alert_costs", campaigns=[plan.campaign_id], until=as_of_ms))
    names = sorted({row[0] for row in touches} | _named(port, plan, dimension))
    facts = [_with_touches(CampaignFacts(plan, events=whole.events), touches, name) for name in names]
    for name, part, cost in zip(names, facts, _costs(whole, names, facts, dimension), strict=True):
        part.cost_hours, part.cost = cost
        if dimension == "variant":
            part.events = tuple(event for event in part.events if event.variant in {"", name})
    changes = port.records(
        "alert_segment_conversions", CHANGES, segments=names, kinds=list(KINDS), model=model, **campaign
    )
    booked = read_reversed(port, [plan.campaign_id], as_of_ms, policy, model=model, since=as_of_ms)
    if booked is not None:
        place_of = _place_of(port, plan, dimension, booked, names)
        changes = np.concatenate([changes, booked.changes([plan], policy, place_of)])
    set_conversions(facts, changes, as_of_ms)
    seen = [bool(len(part.hours) or len(part.customers.total) or part.cost.any()) for part in facts]
    return list(compress(names, seen)), list(compress(facts, seen))


def _named(port: FactsPort, plan: CampaignPlan, dimension: Dimension) -> set[str]:
    """Return the variants or tiers that have a number: also one with costs, or with credits, alone."""
    if dimension == "channel":
        return set()
    return {row[0] for row in port.fetch("alert_segments", campaign=plan.campaign_id, dimension=dimension)}


def _with_touches(part: CampaignFacts, rows: Sequence[Sequence[Any]], name: str) -> CampaignFacts:
    own = [row[1:] for row in rows if row[0] == name]
    part.hours = np.array([row[0] for row in own], np.int64)
    part.touches = np.array([row[1] for row in own], np.int64)
    part.touch_cost = np.array([row[2] for row in own], np.int64)
    return part


def _costs(
    whole: CampaignFacts, names: Sequence[str], parts: Sequence[CampaignFacts], dimension: Dimension
) -> list[tuple[Integers, Floats]]:
    """Return hours and cost of each part: its touches' own, and its share of what pays for them."""
    hours = np.unique(np.concatenate([part.hours for part in parts])) if parts else np.empty(0, np.int64)
    touches = np.zeros((len(parts), len(hours)), np.int64)
    cost = np.zeros((len(parts), len(hours)))
    for number, part in enumerate(parts):
        places = np.searchsorted(hours, part.hours)
        touches[number, places] = part.touches
        cost[number, places] = part.touch_cost
    extra: list[tuple[Integers, Floats]] = []
    for variant, events in groupby(sorted(whole.events, key=itemgetter(1)), key=itemgetter(1)):
        theirs = touches
        if dimension == "variant" and variant:
            theirs = touches * (np.array(names) == variant)[:, None]
        paid_hours, paid = cost_by_hour(hours, theirs.sum(0), np.zeros(len(hours), np.int64), list(events))
        at_touches = np.isin(paid_hours, hours[theirs.sum(0) > 0])
        per_touch = np.zeros(len(hours))
        per_touch[np.searchsorted(hours, paid_hours[at_touches])] = paid[at_touches]
        cost += theirs * per_touch / np.maximum(theirs.sum(0), 1)
        weight = theirs.sum(1) if theirs.any() else (np.array(names) == variant).astype(np.int64)
        weight = weight if weight.any() else np.ones(len(names), np.int64)
        extra.append((paid_hours[~at_touches], np.outer(weight / weight.sum(), paid[~at_touches])))
    spent: list[tuple[Integers, Floats]] = []
    for number in range(len(parts)):
        at = np.concatenate([hours, *(each for each, _ in extra)])
        amounts = np.concatenate([cost[number], *(each[number] for _, each in extra)])
        distinct, place = np.unique(at, return_inverse=True)
        spent.append((distinct, np.bincount(place, amounts, len(distinct)).astype(np.float64)))
    return spent


def _place_of(
    port: FactsPort, plan: CampaignPlan, dimension: Dimension, booked: Reversed, names: Sequence[str]
) -> Callable[[BookedCredit], int | None]:
    places = {name: place for place, name in enumerate(names)}
    own = [credit for credit in booked.credits if credit.campaign_id == plan.campaign_id]
    channels: dict[tuple[str, int], str] = {}
    if dimension == "channel":
        instants = sorted({credit.touched_at for credit in own})
        for start in range(0, len(instants), 500):
            chosen = instants[start : start + 500]
            found = port.fetch("alert_touch_channels", campaign=plan.campaign_id, instants=chosen)
            channels |= {(touch_id, at): channel for touch_id, at, channel in found}

    def place_of(credit: BookedCredit) -> int | None:
        if credit.campaign_id != plan.campaign_id:
            return None
        if dimension == "channel":
            return places.get(channels.get((credit.touch_id, credit.touched_at), ""))
        return places.get(credit.variant if dimension == "variant" else credit.tier)

    return place_of
