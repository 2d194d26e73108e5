"""The live evaluator's looks and lifecycle, taken at a backtest's steps, come to the same states at the same steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline.alert_settings import AlertSettings
from pipeline.alerts.bank import bank_levels
from pipeline.alerts.facts import statistics
from pipeline.alerts.finished import FinishedFacts
from pipeline.alerts.lifecycle import Conduct, step
from pipeline.alerts.looking import LedgerLooks, Now
from pipeline.alerts.peers import PeerShelf
from pipeline.alerts.record import Moment
from pipeline.alerts.statistics import HOUR_MS
from pipeline.backtest.backtest import backtest
from pipeline.backtest.ledger import past_of_run
from pipeline.backtest.past import Range
from pipeline.backtest.rules import rules_of_files
from schemas.alerts import OPEN_STATES
from tests.alerts.facts_support import POLICY, played
from tests.backtest.stories import bank, plans

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.reading import FactsPort
    from pipeline.alerts.record import AlertRecord
    from pipeline.alerts.statistics import BankLevel, FinishedCampaign, Statistics
    from pipeline.backtest.past import Past

LENIENT = AlertSettings(
    min_cost_minor=1_000, min_expected_converters=1.0, confidence=0.55, resolve_margin=0.0, false_share_limit=0.9
)
STRICT = LENIENT.model_copy(update={"false_share_limit": 0.1})
LONG_HOLD = LENIENT.model_copy(update={"hold_minutes": 500.0})


class NoLibraries:
    """Keeps nothing: a backtest knows what campaigns of its own past have taught."""

    def fetch(self, name: str, **parameters: Any) -> list[list[Any]]:
        del name, parameters
        return []

    def execute(self, name: str, **parameters: Any) -> None:
        del name, parameters


class FactsAsOf:
    """Implements `pipeline.alerts.looking.Facts`: now is any instant of the past, and everything is read anew."""

    def __init__(self, port: FactsPort, plans: Mapping[str, CampaignPlan], begins: Mapping[str, int]) -> None:
        self._port = port
        self._plans = plans
        self._begins = begins
        self.as_of_ms = 0

    def now(self) -> Now:
        known = {name: plan for name, plan in self._plans.items() if self._begins[name] <= self.as_of_ms}
        return Now(self.as_of_ms, known, frozenset(known))

    def statistics(self, names: Sequence[str]) -> Statistics:
        return statistics(self._port, [self._plans[name] for name in names], self.as_of_ms, POLICY)

    def as_of(self, plans: Sequence[CampaignPlan], as_of_ms: int) -> Statistics:
        return statistics(self._port, plans, as_of_ms, POLICY)

    def bank_levels(self, plans: Sequence[CampaignPlan], as_of_ms: int) -> Sequence[BankLevel | None]:
        return bank_levels(self._port, plans, as_of_ms - as_of_ms % (6 * HOUR_MS))

    def finished(self) -> Sequence[FinishedCampaign]:
        return FinishedFacts(self._port, POLICY).refresh(self._plans, self.as_of_ms)


def episodes_live(
    past: Past, port: FactsPort, every: Mapping[str, CampaignPlan], settings: AlertSettings
) -> dict[str, list[tuple[int, int | None]]]:
    """Return when alerts fired and resolved, by campaign."""
    facts = FactsAsOf(port, every, {one.campaign_id: one.first_ms for one in past.histories})
    looks = LedgerLooks(settings, facts, PeerShelf(NoLibraries()))
    records: dict[str, AlertRecord] = {}
    found: dict[str, list[tuple[int, int | None]]] = {name: [] for name in every}
    for number in range(past.grid.steps):
        facts.as_of_ms = instant = past.grid.instant(number)
        for look in looks.look(records):
            name = look.campaign.campaign_id
            before = records.get(name)
            records[name], _ = step(before, look, Moment(instant, instant / 1000), Conduct(wall_hold_seconds=0.0))
            was_open, is_open = (one is not None and one.state in OPEN_STATES for one in (before, records[name]))
            if is_open and not was_open:
                found[name].append((instant, None))
            elif was_open and not is_open:
                found[name][-1] = (found[name][-1][0], instant)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "settings", "every"),
    [(3, LENIENT, 12), (4, STRICT, 8), (8, LONG_HOLD, 11)],
    ids=["lenient", "with false stops controlled", "with a hold between steps"],
)
def test_alerts_fire_and_resolve_as_they_do_live(
    clickhouse: Any, run_name: str, seed: int, settings: AlertSettings, every: int
) -> None:
    ledger = bank(seed, campaigns=4)
    port = played(clickhouse, run_name, ledger.log, seed)
    of_bank = plans(ledger)
    past = past_of_run(port, POLICY, Range(None, None, every * HOUR_MS), "a run", of_bank.values())
    (_, default) = backtest(past, rules_of_files(settings, [])).rules
    mine = {one.campaign_id: [(each.fired_ms, each.resolved_ms) for each in one.episodes] for one in default.campaigns}
    assert any(mine.values()), "nothing fired"
    assert settings is not STRICT or any(one.withheld_steps for one in default.campaigns), "nothing was held back"
    assert mine == episodes_live(past, port, of_bank, settings)
