"""Journeys: one campaign at one customer, from the first touch to the conversion, its reversal and its costs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from pipeline.simulation import customers as people
from pipeline.simulation import wire
from pipeline.simulation.campaigns import (
    AMOUNT_SIGMA,
    CONTROL,
    FULL_REVERSAL_SHARE,
    HALF_REVERSAL_SHARE,
    JOURNEYS_PER_COST_EVENT,
    REDEEMED_SHARE,
)
from schemas.topics import COSTS, TOUCHES, TRANSACTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from pipeline.simulation.campaigns import CampaignPlan
    from pipeline.simulation.schedule import Schedule

_RECOMMENDED_SHARE: Final = 0.3
_VIEWED_SHARE: Final = 0.4
_CLICKED_SHARE: Final = 0.2  # of the views
_RECOMMENDED_BONUS: Final = 1.5
_AUTOMATED_CHANNELS: Final = frozenset({"app_push", "sms"})
_WINDOW_USED: Final = 0.95  # conversions stay clear of the window's end, so that a late touch can't let one slip out
_MEAN_REVERSAL_LAG_MS: Final = 12 * wire.HOUR_MS
_CORRECTED_SHARE: Final = 0.05
_OVERSTATED: Final = 0.25


class Journeys:
    """Starts journeys of the campaigns that run and puts their events on the schedule."""

    def __init__(self, rng: Random, schedule: Schedule, campaigns: Sequence[CampaignPlan], customers: int) -> None:
        self._rng = rng
        self._schedule = schedule
        self._waiting = sorted(campaigns, key=lambda campaign: campaign.starts_ms, reverse=True)
        self._running: list[CampaignPlan] = []  # each as often as its weight
        self._next_end = math.inf
        self._unbilled = {campaign.campaign_id: 0 for campaign in campaigns}
        self._campaigns = campaigns
        self._customers = customers
        weights = sum(campaign.weight for campaign in campaigns)
        self.events_per_journey = sum(_expected_events(campaign) * campaign.weight for campaign in campaigns) / weights

    def start(self, at_ms: int) -> None:
        """Start a journey, if any campaign runs yet."""
        while self._waiting and self._waiting[-1].starts_ms <= at_ms:
            campaign = self._waiting.pop()
            self._running += [campaign] * campaign.weight
            self._next_end = min(self._next_end, campaign.ends_ms)
        if at_ms >= self._next_end:
            self._running = [campaign for campaign in self._running if campaign.ends_ms > at_ms]
            self._next_end = min((campaign.ends_ms for campaign in self._running), default=math.inf)
        if not self._running:
            return
        self.begin(self._running[int(self._rng.random() * len(self._running))], at_ms)

    def begin(self, campaign: CampaignPlan, at_ms: int) -> None:
        """Start a journey of a campaign."""
        number = people.targeted_customer(self._rng.random(), self._customers)
        customer, variant = people.customer_id(number), _variant(campaign, number)
        if variant:
            self._touch(at_ms, customer, campaign, "assign", f',"variant":"{variant}"')
        if variant != CONTROL:
            self._treat(at_ms + 1, customer, campaign, variant)
        if self._rng.random() < campaign.probability(variant):
            self._convert(at_ms + 1, customer, campaign, variant)

    def close_books(self, at_ms: int) -> None:
        """Bill the journeys since each campaign's last cost event."""
        for campaign in self._campaigns:
            self.close_book(campaign, at_ms)

    def close_book(self, campaign: CampaignPlan, at_ms: int) -> None:
        """Bill the journeys since a campaign's last cost event."""
        if self._unbilled[campaign.campaign_id]:
            self._bill(at_ms, campaign)

    def _treat(self, at_ms: int, customer: str, campaign: CampaignPlan, variant: str | None) -> None:
        rng = self._rng
        recommended = rng.random() < _RECOMMENDED_SHARE
        extra = f',"variant":"{variant}"' if variant else ""
        if recommended:
            extra += ',"recommended":true'
        automated = ',"automated":true' if campaign.channel in _AUTOMATED_CHANNELS else ""
        cost = f',"cost_minor":{campaign.touch_cost_minor}'
        self._touch(at_ms, customer, campaign, campaign.first_touch, extra + automated + cost)
        bonus = _RECOMMENDED_BONUS if recommended else 1.0
        if rng.random() < _VIEWED_SHARE * bonus:
            viewed = at_ms + 1 + int(rng.expovariate(1 / (5 * wire.MINUTE_MS)))
            self._touch(viewed, customer, campaign, "view", extra)
            if rng.random() < _CLICKED_SHARE * bonus:
                self._touch(viewed + 1 + int(rng.expovariate(1 / 20_000)), customer, campaign, "click", extra)
        self._unbilled[campaign.campaign_id] += 1
        if self._unbilled[campaign.campaign_id] == JOURNEYS_PER_COST_EVENT:
            self._bill(at_ms, campaign)

    def _convert(self, touched_ms: int, customer: str, campaign: CampaignPlan, variant: str | None) -> None:
        rng, schedule = self._rng, self._schedule
        at_ms = touched_ms + self._lag(campaign)
        if campaign.voucher_minor and variant != CONTROL and rng.random() < REDEEMED_SHARE:
            extra = f',"cost_minor":{campaign.voucher_minor}' + (f',"variant":"{variant}"' if variant else "")
            self._touch(at_ms, customer, campaign, "voucher_redeem", extra)
        event_id, key = schedule.new_id(), customer.encode()
        body = self._conversion(campaign)
        schedule.put(at_ms, TRANSACTIONS, key, wire.transaction(event_id, customer, at_ms, body))
        draw = rng.random()
        if campaign.moneyless or draw >= FULL_REVERSAL_SHARE + HALF_REVERSAL_SHARE:
            return
        amount = body.amount_minor if draw < FULL_REVERSAL_SHARE else body.amount_minor // 2
        later = at_ms + 1 + int(rng.expovariate(1 / _MEAN_REVERSAL_LAG_MS))
        reversal = body._replace(amount_minor=amount, extra=f',"reverses":"{event_id}"')
        schedule.put(later, TRANSACTIONS, key, wire.transaction(schedule.new_id(), customer, later, reversal))

    def _conversion(self, campaign: CampaignPlan) -> wire.Transaction:
        """Draw what a conversion is worth; its mean is the campaign's ``mean_return_minor``."""
        mean_log = math.log(campaign.mean_return_minor) - AMOUNT_SIGMA**2 / 2
        earned = self._rng.lognormvariate(mean_log, AMOUNT_SIGMA)
        extra = f',"product":"{campaign.product}"'
        if campaign.margin_bps:
            amount = math.ceil(earned * 10_000 / campaign.margin_bps)
        else:
            amount = 0 if campaign.moneyless else int(earned * 25)
            extra += f',"revenue_minor":{round(earned)}'
        if campaign.kind == "wealth_purchase":
            extra += f',"aum_delta_minor":{amount}'
        return wire.Transaction(campaign.kind, amount, "counter" if campaign.channel == "call" else "app", extra)

    def _lag(self, campaign: CampaignPlan) -> int:
        while True:
            lag = self._rng.expovariate(1 / campaign.mean_lag_ms)
            if lag < campaign.window_ms * _WINDOW_USED:
                return int(lag)

    def _bill(self, at_ms: int, campaign: CampaignPlan) -> None:
        """Charge the unbilled journeys; some bills are too high at first and corrected hours later."""
        amount = self._unbilled[campaign.campaign_id] * campaign.event_cost_minor
        self._unbilled[campaign.campaign_id] = 0
        too_much = int(amount * _OVERSTATED) if self._rng.random() < _CORRECTED_SHARE else 0
        self._cost(at_ms, campaign, amount + too_much)
        if too_much:
            self._cost(at_ms + int(self._rng.expovariate(1 / (6 * wire.HOUR_MS))), campaign, -too_much)

    def _cost(self, at_ms: int, campaign: CampaignPlan, amount_minor: int) -> None:
        event_id = self._schedule.new_id()
        event = wire.cost(event_id, campaign.campaign_id, at_ms, campaign.cost_category, amount_minor)
        self._schedule.put(at_ms, COSTS, campaign.campaign_id.encode(), event)

    def _touch(self, at_ms: int, customer: str, campaign: CampaignPlan, kind: str, extra: str) -> None:
        body = wire.Touch(campaign.campaign_id, campaign.channel, kind, extra)
        event = wire.touch(self._schedule.new_id(), customer, at_ms, body)
        self._schedule.put(at_ms, TOUCHES, customer.encode(), event)


def _variant(campaign: CampaignPlan, customer: int) -> str | None:
    """Return the variant a customer is always given in a campaign; None where the campaign tests nothing."""
    if not campaign.variants:
        return None
    draw = people.share_of(customer, campaign.number)
    if draw < campaign.control_share:
        return CONTROL
    treated = (draw - campaign.control_share) / (1 - campaign.control_share)
    return campaign.variants[int(treated * len(campaign.variants))]


def _expected_events(campaign: CampaignPlan) -> float:
    treated = 1 - campaign.control_share
    bonus = 1 + _RECOMMENDED_SHARE * (_RECOMMENDED_BONUS - 1)
    clicked = _CLICKED_SHARE * (1 - _RECOMMENDED_SHARE + _RECOMMENDED_SHARE * _RECOMMENDED_BONUS**2)
    responses = _VIEWED_SHARE * (bonus + clicked)
    redeemed = REDEEMED_SHARE if campaign.voucher_minor else 0.0
    converted = campaign.conversion_probability * (1 + redeemed + FULL_REVERSAL_SHARE + HALF_REVERSAL_SHARE)
    billed = (1 + _CORRECTED_SHARE) / JOURNEYS_PER_COST_EVENT
    return bool(campaign.variants) + treated * (1 + responses + converted + billed)
