from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.alert_settings import AlertSettings
from pipeline.alerts import words
from pipeline.alerts.lifecycle import step
from pipeline.alerts.looking import LedgerLooks
from pipeline.alerts.peers import PeerShelf
from pipeline.alerts.plans import plan_of
from pipeline.alerts.record import Campaign
from pipeline.ledger.ledger import LedgerUnavailableError
from schemas import Campaign as Definition
from tests.alerts.building import T0, look
from tests.alerts.test_evaluator import FIRES, Office
from tests.alerts.test_looking import POLICY, FakeFacts, FakePeers, _judged_as_told, looks_at, records_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.record import AlertRecord, Evidence, Look
    from pipeline.alerts.rule import AlertRule
    from pipeline.alerts.sayings import Language
    from pipeline.alerts.verdict import Outcome, Verdict

__all__ = ["_judged_as_told"]  # a fixture

BUDGETED = Definition.model_validate(
    {
        "campaign_id": "spring",
        "name": "Spring",
        "starts_at": "2026-01-01T00:00:00Z",
        "goal": {"kinds": ["deposit"]},
        "budget_minor": 2_000_000,
    }
)


class OddFacts(FakeFacts):
    """Facts of which some campaigns make the program fail."""

    def __init__(self, **outcomes: Outcome) -> None:
        super().__init__(**outcomes)
        self.odd: set[str] = set()
        self.odd_then: set[str] = set()

    def statistics(self, names: Sequence[str]) -> Any:
        if self.odd & set(names):
            raise OverflowError("cannot convert float infinity of customer anna to integer")
        return super().statistics(names)

    def as_of(self, plans: Sequence[CampaignPlan], as_of_ms: int) -> Any:
        if self.odd_then & {plan.campaign_id for plan in plans}:
            raise ZeroDivisionError
        return super().as_of(plans, as_of_ms)


def test_a_campaign_that_cannot_be_judged_is_blocked_and_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    outcomes: dict[str, Outcome] = {f"c{place}": "below" for place in range(9)}
    facts = OddFacts(**outcomes, spring="below", winter="undecided")
    facts.odd = {"c3", "spring"}
    looks = looks_at(facts)
    records = records_of(looks)
    states = {name: record.state for name, record in records.items()}
    assert states == {name: "blocked" if name in facts.odd else "firing" for name in states} | {"winter": "watching"}
    assert "not judged: its figures make the program fail" in records["spring"].evidence.reasons[0]
    assert all(reason.isascii() for reason in records["spring"].evidence.reasons)
    assert len(caplog.records) == 2
    assert "OverflowError" in caplog.text
    assert "anna" not in caplog.text
    facts.as_of_ms += 60_000
    records = records_of(looks, records)  # the same again says nothing new
    assert len(caplog.records) == 2
    facts.odd = set()
    facts.as_of_ms += 60_000
    again = records_of(looks, records)
    assert again["spring"].state != "blocked"
    assert records_of(looks, again)["spring"].state == "firing"


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_campaign_that_can_no_longer_be_judged_is_told_by_the_figures_that_were_known_last(
    *, is_restarted: bool
) -> None:
    facts = OddFacts(spring="below", summer="below")
    facts.plans["spring"] = plan_of("spring", BUDGETED, POLICY)
    asked: list[str] = []

    class Asked:
        def evidence(self, plan: CampaignPlan, _verdict: Verdict, _rule: AlertRule, evidence: Evidence) -> Evidence:
            asked.append(plan.campaign_id)
            return evidence

        def knows(self, campaign_id: str) -> bool:
            del campaign_id
            return True

    def looks() -> LedgerLooks:
        return LedgerLooks(AlertSettings(hold_minutes=0), facts, PeerShelf(FakePeers()), evidences=Asked())

    watching = looks()
    fired = records_of(watching)
    for minute in (1, 2):
        facts.odd, asked[:] = {"spring"}, []
        facts.as_of_ms = T0 + minute * 60_000
        records = records_of(looks() if is_restarted else watching, fired)
        spring, before = records["spring"], fired["spring"]
        data, known = spring.data(""), before.data("")
        assert (before.state, spring.state, spring.as_of_ms) == ("firing", "blocked", facts.as_of_ms)
        for name in ("cost_minor", "return_minor", "converters", "return_ratio", "forecast_ratio", "matured_share"):
            assert data[name] == known[name] != 0
        assert data["money_at_risk_minor"] == known["money_at_risk_minor"] > 0
        assert [reason.split(":")[0] for reason in data["reasons"]] == ["not judged"]
        assert data["decisions_by_model"] == {}, "nobody knows"
        assert asked == ["summer"]


def test_a_campaign_whose_past_cannot_be_judged_does_not_fire_and_stops_no_other() -> None:
    facts = OddFacts(spring="below", summer="below")
    facts.odd_then = {"spring"}
    records = records_of(looks_at(facts))
    assert {name: record.state for name, record in records.items()} == {"spring": "blocked", "summer": "firing"}


def test_a_verdict_that_cannot_be_put_in_words_blocks_its_campaign_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = words.reasons

    def reasons(verdict: Verdict, rule: AlertRule, language: Language) -> tuple[str, ...]:
        if verdict.campaign_id == "spring":
            raise ValueError
        return plain(verdict, rule, language)

    monkeypatch.setattr(words, "reasons", reasons)
    records = records_of(looks_at(OddFacts(spring="below", summer="below")))
    assert {name: record.state for name, record in records.items()} == {"spring": "blocked", "summer": "firing"}


def test_what_is_no_campaigns_fault_ends_the_look() -> None:
    facts = OddFacts(spring="below", summer="below")
    facts.is_away = True
    with pytest.raises(LedgerUnavailableError):
        looks_at(facts).look({})


def test_an_alert_that_cannot_be_stepped_stays_as_it_was_and_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    office = Office()
    office.turn(*(replace(look("undecided"), campaign=Campaign(name)) for name in ("spring", "summer")))

    def odd(record: AlertRecord | None, look: Look, *how: Any) -> Any:
        if look.campaign.campaign_id == "spring":
            raise OverflowError("of customer anna")
        return step(record, look, *how)

    monkeypatch.setattr("pipeline.alerts.evaluator.step", odd)
    for _ in range(2):
        office.turn(*(replace(FIRES, campaign=Campaign(name)) for name in ("spring", "summer")))
    assert {name: one.state for name, one in office.desk.records.items()} == {"spring": "watching", "summer": "firing"}
    assert len(caplog.records) == 1
    assert "anna" not in caplog.text
