from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from pipeline.alert_settings import AlertSettings
from pipeline.alerts.lifecycle import Conduct, step
from pipeline.alerts.looking import JUDGING_SECONDS, LedgerLooks, Now
from pipeline.alerts.money_at_risk import money_at_risk
from pipeline.alerts.peers import PeerShelf
from pipeline.alerts.plans import plan_of
from pipeline.alerts.record import Moment, record_of
from pipeline.alerts.statistics import BankLevel
from pipeline.alerts.verdict import Caveat
from pipeline.ledger.ledger import LedgerUnavailableError
from pipeline.state.policy import Policy
from schemas import Campaign
from tests.alerts.building import HOUR, RULE, T0, verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.record import AlertRecord, Evidence
    from pipeline.alerts.verdict import Outcome, Verdict

POLICY = Policy(models=("last_touch",), future_ms=None, pseudonym_key=b"key")


class FakePeers:
    def fetch(self, name: str, **parameters: Any) -> list[list[Any]]:
        del name, parameters
        return []

    def execute(self, name: str, **parameters: Any) -> None:
        del name, parameters


class Rows(list[Any]):
    """Verdicts in the place of statistics."""

    def rows(self, chosen: Sequence[int]) -> Rows:
        return Rows(self[row] for row in chosen)


class FakeFacts:
    """Outcomes by campaign and instant stand for statistics: the rule is another test's."""

    def __init__(self, **outcomes: Outcome) -> None:
        self.as_of_ms = T0
        self.outcomes: dict[str, Outcome] = outcomes
        self.past: dict[int, Outcome] = {}
        self.plans = {name: plan_of(name, None, POLICY) for name in outcomes}
        self.changed: set[str] = set()
        self.is_away = False
        self.asked: list[tuple[int, tuple[str, ...]]] = []
        self.levels: dict[str, BankLevel] = {}
        self.valued: list[str] = []
        self.unknown: set[str] = set()
        self.p_values: dict[str, float] = {}

    def now(self) -> Now | None:
        changed, self.changed = frozenset(self.changed), set()
        return Now(self.as_of_ms, dict(self.plans), changed)

    def statistics(self, names: Sequence[str]) -> Any:
        if self.is_away:
            raise LedgerUnavailableError("away")
        self.asked.append((self.as_of_ms, tuple(names)))
        caveats = (Caveat("no_known_value", {"rate": 0.002}),)
        return Rows(
            verdict(
                self.outcomes[name],
                self.as_of_ms,
                name,
                caveats=caveats if name in self.unknown else (),
                p_value=self.p_values.get(name, 0.01),
            )
            for name in names
        )

    def as_of(self, plans: Sequence[CampaignPlan], as_of_ms: int) -> Any:
        self.asked.append((as_of_ms, tuple(plan.campaign_id for plan in plans)))
        return [verdict(self.past.get(as_of_ms, "below"), as_of_ms, plan.campaign_id) for plan in plans]

    def bank_levels(self, plans: Sequence[CampaignPlan], as_of_ms: int) -> Sequence[BankLevel | None]:
        del as_of_ms
        self.valued = [plan.campaign_id for plan in plans]
        return [self.levels.get(name) for name in self.valued]

    def finished(self) -> None:
        return None


@pytest.fixture(autouse=True)
def _judged_as_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def judge(statistics: list[Verdict], libraries: Any, rules: Any, bank: Any = None) -> list[Verdict]:
        assert len(statistics) == len(libraries) == len(rules)
        levels = bank or [None] * len(rules)
        return [
            one if level is None else replace(one, outcome="undecided", caveats=())
            for one, level in zip(statistics, levels, strict=True)
        ]

    monkeypatch.setattr("pipeline.alerts.looking.judge", judge)


def looks_at(facts: FakeFacts, **settings: Any) -> LedgerLooks:
    return LedgerLooks(AlertSettings(**settings), facts, PeerShelf(FakePeers()))


def records_of(looks: LedgerLooks, records: dict[str, AlertRecord] | None = None) -> dict[str, AlertRecord]:
    found = dict(records or {})
    for look in looks.look(found):
        name = look.campaign.campaign_id
        found[name], _ = step(found.get(name), look, Moment(T0, 0.0), Conduct(wall_hold_seconds=0))
    return found


def test_a_breach_that_history_shows_for_the_whole_hold_fires_at_the_first_look() -> None:
    facts = FakeFacts(spring="below", winter="undecided")
    (spring, winter) = looks_at(facts, hold_minutes=150).look({})
    assert facts.asked[1:] == [(T0 - HOUR, ("spring",)), (T0 - 2 * HOUR, ("spring",)), (T0 - 150 * 60_000, ("spring",))]
    assert (spring.held_since_ms, winter.held_since_ms) == (T0 - 150 * 60_000, T0)
    assert records_of(looks_at(facts, hold_minutes=150))["spring"].state == "firing"


def test_an_hour_without_the_breach_ends_the_looking_back() -> None:
    facts = FakeFacts(spring="below")
    facts.past[T0 - HOUR] = "undecided"
    (look,) = looks_at(facts, hold_minutes=600).look({})
    assert look.held_since_ms == T0
    assert len(facts.asked) == 2


def test_within_a_minute_only_what_has_changed_is_judged_again() -> None:
    facts = FakeFacts(spring="undecided", winter="undecided")
    looks = looks_at(facts)
    looks.look({})
    looks.look({})
    facts.changed = {"winter"}
    looks.look({})
    facts.as_of_ms += 60_000
    looks.look({})
    both = ("spring", "winter")
    assert facts.asked == [(T0, both), (T0, ("winter",)), (T0 + 60_000, both)]


def test_what_has_changed_is_judged_though_a_look_ended_half_way() -> None:
    facts = FakeFacts(spring="undecided", winter="undecided")
    looks = looks_at(facts)
    looks.look({})
    facts.changed, facts.is_away = {"winter"}, True
    with pytest.raises(LedgerUnavailableError):
        looks.look({})
    facts.is_away, facts.outcomes["winter"] = False, "above"
    assert [look.verdict.outcome for look in looks.look({})] == ["undecided", "above"]


def test_a_definition_that_changes_changes_the_rule_at_once() -> None:
    facts = FakeFacts(spring="undecided")
    looks = looks_at(facts)
    assert looks.look({})[0].rule.min_return_ratio == 2.0
    definition = Campaign.model_validate(
        {
            "campaign_id": "spring",
            "name": "Spring",
            "starts_at": "2026-01-01T00:00:00Z",
            "ends_at": "2026-01-02T00:00:00Z",
            "goal": {"kinds": ["deposit"]},
            "min_return_ratio": 3.0,
            "budget_minor": 2_000_000,
            "receivers": ["floor"],
        }
    )
    facts.plans["spring"] = plan_of("spring", definition, POLICY)
    (look,) = looks.look({})
    assert (look.rule.min_return_ratio, look.rule.hold_minutes) == (3.0, 60.0)
    assert (look.campaign.name, look.campaign.receivers, look.is_over) == ("Spring", ("floor",), True)
    assert look.evidence.money_at_risk_minor == 0, "nothing is left to stop"


def test_which_breach_may_fire_does_not_depend_on_how_long_the_process_has_lived() -> None:
    facts = FakeFacts(spring="undecided", summer="undecided", winter="undecided")
    facts.p_values = {"spring": 1e-9, "summer": 0.5, "winter": 0.9}
    rule = {"hold_minutes": 0, "false_share_limit": 1e-6}  # Benjamini-Hochberg decides
    looks = looks_at(facts, **rule)
    records = records_of(looks)
    facts.outcomes |= {"spring": "below", "summer": "below"}
    facts.p_values["spring"] = 0.5
    facts.as_of_ms += 60_000
    expected = {"spring": "firing", "summer": "pending", "winter": "watching"}
    for some, known in (
        (looks, records),
        (looks_at(facts, **rule), {name: record_of(record.body("")) for name, record in records.items()}),
    ):
        assert {name: record.state for name, record in records_of(some, known).items()} == expected


def test_what_the_deciding_model_says_is_shown_from_the_first_look_on() -> None:
    class Later:
        found: ClassVar[set[str]] = set()

        def evidence(self, _plan: CampaignPlan, _verdict: Verdict, _rule: Any, evidence: Evidence) -> Evidence:
            return evidence

        def knows(self, campaign_id: str) -> bool:
            return campaign_id in self.found

    facts = FakeFacts(spring="below", summer="above", winter="below")
    later = Later()
    later.found.add("winter")
    looks = LedgerLooks(AlertSettings(), facts, PeerShelf(FakePeers()), evidences=later, model="linear")
    found = {look.campaign.campaign_id: look for look in looks.look({})}
    assert {name: look.evidence.decisions_by_model for name, look in found.items()} == {
        "spring": {"linear": True},
        "summer": {"linear": False},
        "winter": {"linear": True},
    }
    assert {name for name, look in found.items() if not look.is_evident} == {"spring"}


def test_money_at_risk_is_unknown_without_a_budget_and_nothing_once_it_is_spent() -> None:
    plan = plan_of("spring", None, POLICY)
    assert money_at_risk(plan, verdict("below"), RULE) is None
    definition = Campaign.model_validate(
        {
            "campaign_id": "spring",
            "name": "Spring",
            "starts_at": "2026-01-01T00:00:00Z",
            "goal": {"kinds": ["deposit"]},
            "budget_minor": 10,
        }
    )
    spent = plan_of("spring", definition, POLICY)
    assert money_at_risk(spent, verdict("below"), RULE) == 0
    assert money_at_risk(spent, replace(verdict("below"), forecast=None, return_ratio=None), RULE) is None


def test_values_that_nobody_knows_are_those_of_the_banks_own_transactions() -> None:
    facts = FakeFacts(spring="below", summer="below", winter="below")
    facts.unknown = {"spring", "summer"}
    facts.levels = {"spring": BankLevel(9.0, 1.0)}
    looks = {look.campaign.campaign_id: look for look in looks_at(facts).look({})}
    assert facts.valued == ["spring", "summer"]
    assert {name: look.verdict.outcome for name, look in looks.items()} == {
        "spring": "undecided",
        "summer": "below",
        "winter": "below",
    }


def test_only_campaigns_whose_values_nobody_knows_are_judged_a_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def judge(statistics: list[Verdict], libraries: Any, rules: Any, bank: Any = None) -> list[Verdict]:
        assert len(statistics) == len(libraries) == len(rules) == len(bank or rules)
        asked.append([one.campaign_id for one in statistics])
        return list(statistics)

    monkeypatch.setattr("pipeline.alerts.looking.judge", judge)
    facts = FakeFacts(spring="undecided", summer="undecided", winter="undecided")
    facts.unknown, facts.levels = {"summer", "winter"}, {"winter": BankLevel(9.0, 1.0)}
    looks_at(facts).look({})
    assert asked == [["spring", "summer", "winter"], ["winter"]]


def test_who_has_only_grown_older_is_judged_within_a_budget_and_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.alerts.looking.PART", 2)
    names = ("a", "b", "c", "d", "e", "f")
    outcomes: dict[str, Outcome] = dict.fromkeys(names, "undecided")
    facts = FakeFacts(**outcomes | {"e": "below"})
    facts.past = dict.fromkeys(range(T0 - HOUR, T0 + HOUR, 60_000), "undecided")
    clock = itertools.count(0.0, JUDGING_SECONDS * 0.6)
    looks = LedgerLooks(AlertSettings(hold_minutes=0), facts, PeerShelf(FakePeers()), monotonic=lambda: next(clock))
    looks.look({})
    seen = []
    for minute in (1, 1, 2, 3):
        facts.as_of_ms, facts.asked = T0 + minute * 60_000, []
        facts.changed = {"d"} if minute == 2 else set()
        found = looks.look({})
        seen.append([part for _, part in facts.asked])
        assert [one.verdict.campaign_id for one in found] == list(names)
    assert seen == [[("e",), ("a", "b")], [("c", "d")], [("d", "e"), ("f", "a")], [("e",), ("b", "c")]]
    assert {name: looks._verdicts[name].as_of_ms - T0 for name in names} == {
        "a": 120_000,
        "b": 180_000,
        "c": 180_000,
        "d": 120_000,
        "e": 180_000,
        "f": 120_000,
    }


def test_a_retired_campaign_is_over_and_told_by_what_its_definition_said() -> None:
    definition = Campaign.model_validate(
        {
            "campaign_id": "spring",
            "name": "Spring",
            "owner": "lin",
            "starts_at": "2026-01-01T00:00:00Z",
            "goal": {"kinds": ["deposit"]},
            "min_return_ratio": 3.0,
            "receivers": ["floor"],
        }
    )
    facts = FakeFacts(spring="below", winter="below", never="below")
    facts.plans["spring"] = plan_of("spring", definition, POLICY)
    looks = looks_at(facts, hold_minutes=0)
    records = records_of(looks)
    assert records["spring"].state == records["winter"].state == "firing"
    for name in ("spring", "never"):
        facts.plans[name] = plan_of(name, None, POLICY, is_retired=True)
    facts.as_of_ms += HOUR
    fired = records["spring"]
    after = records_of(looks, {name: record for name, record in records.items() if name != "never"})
    assert {name: record.state for name, record in after.items()} == {
        "spring": "resolved",
        "winter": "firing",
        "never": "watching",
    }
    spring = after["spring"]
    assert (spring.campaign, spring.rule, spring.verdict) == (fired.campaign, fired.rule, fired.verdict)
    assert (spring.campaign.receivers, spring.rule.min_return_ratio) == (("floor",), 3.0)
    assert spring.evidence.reasons[1].startswith("retired")
    again = after
    for _ in range(3):
        facts.as_of_ms += HOUR
        again = records_of(looks, again)
    assert again["spring"] == spring, "what is over begins no second alert"


def test_a_retired_campaign_that_never_fired_does_not_gather_reasons() -> None:
    facts = FakeFacts(spring="below")
    looks = looks_at(facts, hold_minutes=600)
    facts.past[T0 - HOUR] = "undecided"
    records = records_of(looks)
    assert records["spring"].state == "pending"
    facts.plans["spring"] = plan_of("spring", None, POLICY, is_retired=True)
    seen = []
    for _ in range(3):
        records = records_of(looks, records)
        seen.append((records["spring"].state, len(records["spring"].evidence.reasons)))
    assert len(set(seen)) == 1
    assert seen[0][0] == "watching"
