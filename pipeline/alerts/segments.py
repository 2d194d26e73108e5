"""One campaign's facts by channel, variant or tier: what the advice to optimise is made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import compress, groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np

from pipeline.alerts.amounts import amounts
from pipeline.alerts.assembly import CampaignFacts
from pipeline.alerts.conversions import CHANGES, KINDS
from pipeline.alerts.costs import cost_by_hour
from pipeline.alerts.reading import (
    TOUCHES,
    number_of_model,
    read_model_changes,
    read_reversed,
    set_conversions,
    set_events,
    set_touches,
)
from pipeline.alerts.statistics import HOUR_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.alerts.conversions import Changes
    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.reading import FactsPort
    from pipeline.alerts.repricing import BookedCredit, Reversed
    from pipeline.alerts.statistics import Floats, Integers
    from pipeline.state.policy import Policy

Dimension = Literal["channel", "variant", "tier"]
_DIMENSIONS: Final[tuple[Dimension, ...]] = get_args(Dimension)


@dataclass(frozen=True)
class CampaignReading:
    """What the questions about one campaign's segments have in common, read once.

    Attributes:
        port: the ledger.
        plan: the campaign.
        as_of_ms: nothing later is looked at, reversals neither.
        policy: how the run counts.
        model: the attribution model; '' is the deciding one.
    """

    port: FactsPort
    plan: CampaignPlan
    as_of_ms: int
    policy: Policy
    model: str = ""

    @cached_property
    def whole(self) -> CampaignFacts:
        """The campaign's cost events."""
        facts = CampaignFacts(self.plan)
        set_events([facts], self.port.fetch("alert_costs", campaigns=[self.plan.campaign_id], until=self.as_of_ms))
        return facts

    @cached_property
    def booked(self) -> Reversed | None:
        """Its credited transactions that are taken back later."""
        names = [self.plan.campaign_id]
        return read_reversed(self.port, names, self.as_of_ms, self.policy, model=self.model, since=self.as_of_ms)

    def touches(self, dimension: Dimension) -> list[list[Any]]:
        """Return touches and their own cost: segment, hour, creditable touches, cost."""
        return [row[1:] for row in self._touches if row[0] == dimension]

    def names(self, dimension: Dimension) -> list[str]:
        """Return the segments in order: those of touches, and variants or tiers with costs, or with credits, alone."""
        return sorted({row[0] for row in self.touches(dimension)} | self._named_of(dimension))

    def conversions(self, dimension: Dimension) -> Changes:
        """Return its credited transactions by segment, a place among `names`."""
        first, found = 0, self._conversions
        for one in _DIMENSIONS[: _DIMENSIONS.index(dimension)]:
            first += len(self.names(one))
        mine: Changes = found[(found["row"] >= first) & (found["row"] < first + len(self.names(dimension)))]
        mine["row"] -= first
        return mine

    def _named_of(self, dimension: Dimension) -> set[str]:
        return {label for kind, label in self._named if kind == dimension}

    @cached_property
    def _conversions(self) -> Changes:
        """Of all dimensions: reading the campaign's credits and touches is what it costs."""
        return self.port.records(
            "alert_segment_conversions",
            CHANGES,
            segments=[f"{dimension} {name}" for dimension in _DIMENSIONS for name in self.names(dimension)],
            kinds=list(KINDS),
            model=number_of_model(self.policy, self.model),
            campaign=self.plan.campaign_id,
            until=self.as_of_ms,
        )

    @cached_property
    def _touches(self) -> list[list[Any]]:
        return list(self.port.fetch("alert_segment_touches", campaign=self.plan.campaign_id, until=self.as_of_ms))

    @cached_property
    def _named(self) -> list[list[Any]]:
        return list(self.port.fetch("alert_segments", campaign=self.plan.campaign_id))


def read_segments(campaign: CampaignReading, dimension: Dimension) -> tuple[list[str], list[CampaignFacts]]:
    """Return a campaign's segments, in the order of their names, and the facts of each.

    A transaction that was credited to touches of several segments stands in each with its share. A cost event is
    shared by the touches that it pays for; one that names a variant pays for touches of that variant alone.
    """
    plan, touches, names = campaign.plan, campaign.touches(dimension), campaign.names(dimension)
    facts = [_with_touches(CampaignFacts(plan, events=campaign.whole.events), touches, name) for name in names]
    for name, part, cost in zip(names, facts, _costs(campaign.whole, names, facts, dimension), strict=True):
        part.cost_hours, part.cost = cost
        if dimension == "variant":
            part.events = tuple(event for event in part.events if event.variant in {"", name})
    changes = campaign.conversions(dimension)
    if campaign.booked is not None:
        place_of = _place_of(campaign.port, plan, dimension, campaign.booked, names)
        changes = np.concatenate([changes, campaign.booked.changes([plan], campaign.policy, place_of)])
    set_conversions(facts, changes, campaign.as_of_ms)
    seen = [bool(len(part.hours) or len(part.customers.total) or part.cost.any()) for part in facts]
    return list(compress(names, seen)), list(compress(facts, seen))


def read_models(campaign: CampaignReading, labels: Sequence[str]) -> list[CampaignFacts]:
    """Return a campaign's facts under further models, in their order: touches and cost do not depend on a model."""
    if not labels:
        return []
    plan, policy, t = campaign.plan, campaign.policy, campaign.as_of_ms
    touches = campaign.port.records("alert_touches", TOUCHES, campaigns=[plan.campaign_id], until=t, slot=HOUR_MS)
    found = [CampaignFacts(plan, events=campaign.whole.events) for _ in labels]
    for one, changes in zip(found, read_model_changes(campaign.port, plan, t, policy, labels), strict=True):
        set_touches([one], touches)
        set_conversions([one], changes, t)
    return [one.pay() for one in found]


def _with_touches(part: CampaignFacts, rows: Sequence[Sequence[Any]], name: str) -> CampaignFacts:
    own = [row[1:] for row in rows if row[0] == name]
    part.hours = np.array([row[0] for row in own], np.int64)
    part.touches = np.array([row[1] for row in own], np.int64)
    part.touch_cost = amounts([int(row[2]) for row in own])
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
