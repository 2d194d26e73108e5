"""What finished simulated campaigns hand to the learner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from bench.stop_rule.campaigns import NEVER, PRODUCTS, peer
from bench.stop_rule.looks import start_ms
from bench.stop_rule.scenario import COST_PER_TOUCH
from pipeline.alerts.statistics import HOUR_MS, BankLevel, FinishedCampaign

if TYPE_CHECKING:
    from bench.stop_rule.campaigns import Campaign
    from bench.stop_rule.scenario import Scenario

PRODUCT: Final = "simulated"
BANK_CAMPAIGNS: Final = 10
"""Their transactions stand for all of the bank."""


def peers_of(random: np.random.Generator, scenario: Scenario) -> list[FinishedCampaign]:
    """Draw the finished campaigns of a scenario."""
    return [finished(peer(random, scenario), f"peer {number}") for number in range(scenario.peers)]


def finished(campaign: Campaign, name: str) -> FinishedCampaign:
    """Return what a campaign teaches when all of it has come."""
    kept = campaign.reversed_at == NEVER
    customers = int(campaign.customer.max(initial=-1)) + 1
    _, first = np.unique(campaign.customer, return_index=True)
    totals = np.bincount(campaign.customer, np.where(kept, campaign.value, 0.0), minlength=customers)
    product = np.zeros(customers, np.int64)
    product[campaign.customer[first]] = campaign.product[first]
    days = campaign.scenario.days
    last = max(float(np.where(kept, 0.0, campaign.reversed_at).max(initial=0.0)), campaign.scenario.hours)
    cost = float(campaign.touches.sum())
    return FinishedCampaign(
        campaign_id=name,
        product=PRODUCT,
        ended_at_ms=start_ms(campaign) + int((last + campaign.scenario.window_hours) * HOUR_MS),
        window_hours=float(campaign.scenario.window_hours),
        first_weekday=campaign.weekday,
        touches=campaign.touches.reshape(days, 24).sum(axis=1).astype(np.float64),
        converters=np.bincount(campaign.touch_hour[first] // 24, minlength=days).astype(np.float64),
        lags=campaign.lag,
        reversal_hours=(campaign.reversed_at - campaign.at)[~kept],
        totals={
            name: totals[(product == index) & (totals > 0)]
            for index, name in enumerate(PRODUCTS[: 2 if campaign.scenario.second_share else 1])
        },
        settled_ratio=float(totals.sum()) / (cost * COST_PER_TOUCH) if cost else None,
    )


def bank_level(random: np.random.Generator, scenario: Scenario) -> BankLevel | None:
    """Return what transactions of this kind are worth at the bank, which is asked where there are no peers."""
    if scenario.peers:
        return None
    transactions = [peer(random, scenario).value for _ in range(BANK_CAMPAIGNS)]
    others = [factor * peer(random, scenario).value for factor in scenario.bank for _ in range(BANK_CAMPAIGNS)]
    logs = np.log(np.concatenate([*transactions, *others]))
    return BankLevel(float(logs.mean()), float(logs.std()))
