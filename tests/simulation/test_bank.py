from __future__ import annotations

import hashlib
import json
from collections import Counter
from itertools import islice, pairwise
from typing import Any

import pytest

from pipeline.simulation.bank import Bank, BankOptions
from pipeline.simulation.schedule import Due, Irregularities
from pipeline.simulation.wire import DAY_MS
from schemas.topics import COSTS, CUSTOMERS, KEY_FIELD, LOGINS, TOUCHES, TRANSACTIONS
from tests.simulation.counting import Counted, count_campaigns, good_events

NOW = 1_795_000_000_000
REGULAR = Irregularities(disorder=0, duplicates=0, bad=0)
SETTLED = BankOptions(seed=5, customers=3_000, campaigns=12, backfill_days=30, backfill_density=6)


Settled = tuple[Bank, dict[str, list[dict[str, Any]]], dict[str, Counted]]


@pytest.fixture(scope="module")
def settled() -> Settled:
    bank = Bank(SETTLED, NOW)
    definitions = list(bank.definitions())
    events = good_events(bank.events(live_seconds=0, settle=True))
    return bank, events, count_campaigns(definitions, events)


def digest(options: BankOptions, now_ms: int = NOW) -> str:
    bank = Bank(options, now_ms)
    content = hashlib.sha256()
    for definition in bank.definitions():
        content.update(repr(definition).encode())
    for event in islice(bank.events(), 5_000):
        content.update(repr(event).encode())
    return content.hexdigest()


def small(**changes: Any) -> list[Due]:
    options: dict[str, Any] = {"customers": 500, "campaigns": 8, "backfill_days": 5, "irregularities": REGULAR}
    return list(Bank(BankOptions(**(options | changes)), NOW).events(live_seconds=0))


def test_same_seed_and_moment_give_same_bytes() -> None:
    options = BankOptions(customers=200, campaigns=8)
    assert digest(options) == digest(options)
    assert digest(options) != digest(BankOptions(customers=200, campaigns=8, seed=2))
    assert digest(options) != digest(options, NOW + 1)


@pytest.mark.slow
def test_settled_ratio_is_the_declared_one(settled: Settled) -> None:
    bank, _, counted = settled
    for campaign in bank.campaigns:
        found = counted[campaign.campaign_id]
        assert len(found.returns) > 100
        assert found.ratio == pytest.approx(campaign.true_ratio, rel=4 * found.relative_error), campaign


@pytest.mark.slow
def test_all_settled_ratios_together_are_unbiased(settled: Settled) -> None:
    bank, _, counted = settled
    expected = sum(plan.true_ratio * counted[plan.campaign_id].cost for plan in bank.campaigns)
    returned = [value for found in counted.values() for value in found.returns]
    error = sum(value**2 for value in returned) ** 0.5
    assert abs(sum(returned) - expected) < 3 * error


@pytest.mark.slow
def test_archetypes_stand_where_their_names_say(settled: Settled) -> None:
    bank, _, _ = settled
    by_archetype = {plan.archetype: plan.true_ratio for plan in bank.campaigns}
    assert set(by_archetype) == {"below", "edge", "above", "immature"}
    for plan in bank.campaigns:
        low, high = {"below": (0, 1.6), "edge": (1.7, 2.3), "above": (2.5, 7), "immature": (2.5, 5)}[plan.archetype]
        assert low < plan.true_ratio < high
        assert 0 < plan.incremental_ratio < plan.true_ratio


@pytest.mark.slow
def test_immature_campaigns_look_bad_before_their_conversions_come() -> None:
    bank = Bank(BankOptions(seed=5, customers=5_000, campaigns=16, backfill_days=7, backfill_density=6), NOW)
    definitions = list(bank.definitions())
    counted = count_campaigns(definitions, good_events(bank.events(live_seconds=0)))
    immature = [plan for plan in bank.campaigns if plan.archetype == "immature"]
    assert immature
    for plan in immature:
        assert counted[plan.campaign_id].ratio < 1.5
        assert plan.true_ratio > 2.5


@pytest.mark.slow
def test_control_customers_convert_less_and_get_no_credit(settled: Settled) -> None:
    bank, events, _ = settled
    plan = max((plan for plan in bank.campaigns if plan.variants), key=lambda plan: plan.incremental_ratio)
    touches = [event for event in events[TOUCHES] if event["campaign_id"] == plan.campaign_id]
    assigned = [event for event in touches if event["kind"] == "assign"]
    variants = {event["customer_id"]: event["variant"] for event in assigned}
    journeys = Counter(event["variant"] for event in assigned)
    bought = Counter(
        variants[event["customer_id"]]
        for event in events[TRANSACTIONS]
        if event.get("product") == plan.product and "reverses" not in event and event["customer_id"] in variants
    )
    assert set(journeys) == {"control", "a", "b"}
    assert journeys["control"] / journeys.total() == pytest.approx(0.2, abs=0.04)
    for variant, started in journeys.items():
        expected = started * plan.probability(variant)
        assert abs(bought[variant] - expected) < 4 * expected**0.5
    touched = {event["customer_id"] for event in touches if event["kind"] != "assign"}
    assert not {customer for customer, variant in variants.items() if variant == "control"} & touched


def test_events_come_in_the_order_they_happen_without_irregularities() -> None:
    events = small()
    assert all(earlier.at_ms <= later.at_ms for earlier, later in pairwise(events))
    times = [good_events([event])[event.topic][0]["at"] for event in events[:2_000]]
    assert times == sorted(times)
    assert all(NOW - 5 * DAY_MS <= event.at_ms <= NOW for event in events)


def test_irregularities_have_their_shares() -> None:
    events = small(customers=3_000, irregularities=Irregularities(disorder=0.1, duplicates=0.05, bad=0.02))
    identity = Counter((event.topic, event.value) for event in events)
    repeats = sum(number - 1 for number in identity.values())
    good = sum(len(found) for found in good_events(events).values())
    late = sum(event.at_ms / 1000 - found["at"] > 1 for event in events for found in good_events([event])[event.topic])
    assert repeats / good == pytest.approx(0.05, abs=0.008)
    assert (len(events) - repeats - good) / good == pytest.approx(0.02, abs=0.006)
    assert late / good == pytest.approx(0.1 * 0.98 + 0.05 * 0.95, abs=0.02)


def test_live_rate_is_the_one_asked_for() -> None:
    bank = Bank(BankOptions(backfill_days=0, rate=400, customers=1_000), NOW)
    events = sum(1 for _ in bank.events(live_seconds=200))
    assert events / 200 == pytest.approx(400, rel=0.08)


def test_every_topic_and_key_is_as_the_contract_says() -> None:
    events = small()
    assert {event.topic for event in events} == {LOGINS, TRANSACTIONS, TOUCHES, COSTS}
    for event in events:
        assert json.loads(event.value)[KEY_FIELD[event.topic]].encode() == event.key


def test_customers_have_the_four_tiers_and_some_logins_are_automated() -> None:
    bank = Bank(BankOptions(customers=2_000), NOW)
    profiles = [json.loads(value) for topic, _, value in bank.definitions() if topic == CUSTOMERS]
    tiers = Counter(profile["tier"] for profile in profiles)
    assert tiers == {"growth": 100, "cultivation": 300, "potential": 600, "general": 1_000}
    logins = good_events(bank.events(live_seconds=0))[LOGINS]
    assert sum(login["automated"] for login in logins) / len(logins) == pytest.approx(0.08, abs=0.01)
    assert any(login["session_seconds"] is None for login in logins)


@pytest.mark.parametrize("wrong", [{"customers": 0}, {"campaigns": 0}, {"rate": 0}, {"backfill_days": -1}])
def test_impossible_options_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be at least"):
        BankOptions(**wrong)


def test_one_customer_makes_a_bank() -> None:
    assert small(customers=1, backfill_density=300)


def test_finished_campaigns_come_first_and_are_over_with_all_that_follows() -> None:
    bank = Bank(BankOptions(customers=500, campaigns=8, finished=9, irregularities=REGULAR), NOW)
    names = {plan.campaign_id for plan in bank.finished}
    definitions = {
        json.loads(value)["campaign_id"]: json.loads(value) for _, _, value in bank.definitions() if b"goal" in value
    }
    assert names < definitions.keys() == bank.truth().keys()
    events = [json.loads(event.value) | {"at": event.at_ms} for event in bank.events(live_seconds=0)]
    moments = [event["at"] for event in events]
    assert moments == sorted(moments)
    touches = [event for event in events if event.get("campaign_id") in names]
    assert len(touches) > 9 * 500
    longest = max(plan.window_ms for plan in bank.finished)
    assert max(event["at"] for event in touches) + longest < NOW - 7 * DAY_MS
    # each product that a running campaign is compared by has a finished one
    assert {plan.line for plan in bank.campaigns} <= {plan.line for plan in bank.finished}


def test_finished_campaigns_settle_where_declared() -> None:
    options = BankOptions(customers=3_000, campaigns=1, finished=9, backfill_density=0.1, irregularities=REGULAR)
    bank = Bank(options, NOW)
    counted = count_campaigns(list(bank.definitions()), good_events(bank.events(live_seconds=0)))
    for plan in bank.finished:
        found = counted[plan.campaign_id]
        assert len(found.returns) > 30
        assert found.ratio == pytest.approx(plan.true_ratio, rel=4 * found.relative_error), plan
