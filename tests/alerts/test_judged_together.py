"""A verdict does not depend on whom it is reached with: live many campaigns are judged at once, in a backtest one."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from pipeline.alert_settings import AlertSettings
from pipeline.alerts.assembly import CampaignFacts, assemble
from pipeline.alerts.conversions import Customers
from pipeline.alerts.looking import LedgerLooks, Now
from pipeline.alerts.peers import PeerShelf
from pipeline.alerts.plans import plan_of
from pipeline.alerts.statistics import HOUR_MS
from schemas import Campaign
from tests.alerts.campaigns import MONDAY, draw, peers
from tests.alerts.test_looking import POLICY, FakePeers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.statistics import BankLevel, FinishedCampaign, Statistics
    from pipeline.alerts.verdict import Verdict
    from tests.alerts.campaigns import Events

ZONE = ZoneInfo(POLICY.zone)
FIRST_HOUR = MONDAY // HOUR_MS
HOURS = 220
DAYS = {"spring": 2, "april": 2, "summer": 90, "autumn": 50, "winter": 61}
PEERS = peers(8)


def plan(name: str) -> CampaignPlan:
    definition = {
        "campaign_id": name,
        "name": name,
        "starts_at": "2026-01-01T00:00:00Z",
        "goal": {"kinds": ["deposit"]},
        "product": "savings",
        "attribution_window_days": DAYS[name],
    }
    return plan_of(name, Campaign.model_validate(definition), POLICY)


def facts_of(of: CampaignPlan, events: Events, hours: int) -> CampaignFacts:
    touched = min(hours, len(events.touches))
    come = (events.at < hours) & (events.touch < hours)
    none = np.zeros(int(come.sum()), np.int64)
    touched_at = (FIRST_HOUR + events.touch[come]) * HOUR_MS
    order = np.argsort(events.value[come])
    return CampaignFacts(
        of,
        hours=FIRST_HOUR + np.arange(touched),
        touches=events.touches[:touched].astype(np.int64),
        touch_cost=(events.touches[:touched] * events.unit_cost).astype(np.int64),
        customers=Customers(none, none, events.value[come][order], touched_at[order]),
        arrival_touched_at=touched_at,
        arrival_lag_ms=((events.at - events.touch)[come] * HOUR_MS).astype(np.int64),
        arrival_eaten=none,
    ).pay()


class DrawnFacts:
    """Campaigns that were drawn, put together as the ledger's are."""

    def __init__(self, names: Sequence[str]) -> None:
        self._plans = {name: plan(name) for name in names}
        self._events = {name: draw(len(name), 1.1, a_day=1200.0) for name in names}
        self.asked: list[tuple[int, tuple[str, ...]]] = []

    def now(self) -> Now:
        return Now(MONDAY + HOURS * HOUR_MS, self._plans, frozenset(self._plans))

    def statistics(self, names: Sequence[str]) -> Statistics:
        return self.as_of([self._plans[name] for name in names], MONDAY + HOURS * HOUR_MS)

    def as_of(self, plans: Sequence[CampaignPlan], as_of_ms: int) -> Statistics:
        hours = (as_of_ms - MONDAY) // HOUR_MS
        self.asked.append((hours, tuple(one.campaign_id for one in plans)))
        facts = [facts_of(one, self._events[one.campaign_id], hours) for one in plans]
        return assemble(facts, [as_of_ms] * len(facts), ZONE)

    def bank_levels(self, plans: Sequence[CampaignPlan], as_of_ms: int) -> Sequence[BankLevel | None]:
        del as_of_ms
        return [None] * len(plans)

    def finished(self) -> Sequence[FinishedCampaign]:
        return PEERS


def judged(*names: str) -> tuple[dict[str, Verdict], DrawnFacts]:
    facts = DrawnFacts(names)
    looks = LedgerLooks(AlertSettings(min_cost_minor=0), facts, PeerShelf(FakePeers()))
    return {look.verdict.campaign_id: look.verdict for look in looks.look({})}, facts


def figures(verdict: Verdict) -> dict[str, float]:
    """Return the numbers of a verdict; a sum over rows may be another in its last bit with another number of rows."""
    found: dict[str, float] = {}
    for name, value in asdict(verdict).items():
        found |= {f"{name}.{part}": each for part, each in value.items()} if isinstance(value, dict) else {name: value}
    return {name: value for name, value in found.items() if isinstance(value, int | float)}


def test_a_verdict_is_the_same_alone_and_beside_campaigns_with_other_windows() -> None:
    together, facts = judged(*DAYS)
    assert any(0 < verdict.p_value < 1 for verdict in together.values())
    for name in DAYS:
        alone, _ = judged(name)
        assert figures(together[name]) == pytest.approx(figures(alone[name]), rel=1e-12)
        assert together[name].outcome == alone[name].outcome
    assert any(hours < HOURS for hours, _ in facts.asked), "nobody looked back"
    for _, names in facts.asked:
        assert len({DAYS[name] for name in names}) == 1
    assert len(facts.asked[0][1]) == 2, "who can be judged at once is"
