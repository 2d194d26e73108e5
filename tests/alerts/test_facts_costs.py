"""Cost at the touches it pays for, and sums that do not depend on any order."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.assembly import CampaignFacts, assemble
from pipeline.alerts.conversions import CHANGES, NEVER
from pipeline.alerts.costs import CostEvent, cost_by_hour, last_paid_hour
from pipeline.alerts.plans import plan_of
from pipeline.alerts.reading import set_conversions
from pipeline.alerts.statistics import HOUR_MS
from pipeline.state.policy import Policy
from tests.alerts.test_facts_live import assert_same_bits

HOURS = np.arange(10, 14)
TOUCHES = np.array([1, 3, 0, 4])
NO_COST = np.zeros(4, np.int64)
POLICY = Policy()
END = 40 * HOUR_MS


def at(hour: float) -> int:
    return round(hour * HOUR_MS)


def event(hour: float, amount: int, category: str = "media", variant: str = "") -> CostEvent:
    return CostEvent(category, variant, at(hour), amount)


def spread(*events: CostEvent) -> dict[int, float]:
    hours, cost = cost_by_hour(HOURS, TOUCHES, NO_COST, events)
    return {hour: amount for hour, amount in zip(hours.tolist(), cost.tolist(), strict=True) if amount}


def test_a_cost_event_pays_for_the_touches_since_the_one_before_it() -> None:
    assert spread(event(12, 400), event(14, 80)) == {10: 100, 11: 300, 13: 80}  # on the stroke: the hour before
    assert spread(event(11.5, 400), event(11.7, 80)) == {10: 120, 11: 360}  # one hour, one payment


def test_feeds_of_other_categories_and_variants_pay_for_the_same_touches() -> None:
    assert spread(event(12, 4), event(12, 40, "labour"), event(12, 400, "media", "a")) == {10: 111, 11: 333}


def test_a_correction_changes_the_payment_before_it() -> None:
    assert spread(event(12, 400), event(13.9, -200), event(14, 80)) == {10: 50, 11: 150, 13: 80}
    assert spread(event(12, -5)) == {11: -5}


def test_without_a_touch_cost_stands_at_its_own_hour() -> None:
    assert spread(event(9, 7), event(14, 80), event(20.5, 9)) == {8: 7, 10: 10, 11: 30, 13: 40, 20: 9}


def test_a_regular_feed_is_awaited_until_it_is_overdue() -> None:
    daily = [event(24 * day, 100) for day in (1, 2, 3)]
    assert last_paid_hour(daily, at(80), 300) == 71
    assert last_paid_hour(daily, at(72 + 72), 300) == 71
    assert last_paid_hour(daily, at(72 + 72) + 1, 300) is None  # over
    assert last_paid_hour(daily[:2], at(50), 200) is None  # two tell no rhythm
    assert last_paid_hour([*daily, event(24 * 9, 100)], at(220), 400) is None  # irregular
    assert last_paid_hour(daily, at(80), 300 * 21) is None  # does not matter


@given(st.integers(0, 2**32 - 1), st.integers(0, 60))
def test_no_order_of_what_occurred_changes_a_bit(seed: int, count: int) -> None:
    draw = np.random.default_rng(seed)
    changes = np.zeros(count, CHANGES)
    changes["customer"] = draw.integers(0, 12, count)
    changes["customer2"] = changes["customer"] % 2
    changes["touched_at"] = draw.integers(0, END, count)
    changes["converted_at"] = changes["at"] = changes["touched_at"] + draw.integers(0, HOUR_MS, count)
    changes["returned"] = draw.integers(-(10**6), 10**15, count)
    changes["kind"], changes["arrived"] = draw.integers(0, 13, count), 1
    changes["eaten_at"] = np.where(draw.random(count) < 0.2, changes["at"], NEVER)
    events = tuple(event(float(hour), int(amount)) for hour, amount in draw.integers(1, 40, (5, 2)))
    found = []
    for order in (np.arange(count), draw.permutation(count)):
        shuffled = tuple(events[place] for place in draw.permutation(5))
        one = CampaignFacts(plan_of("c", None, POLICY), HOURS, TOUCHES, NO_COST, shuffled)
        set_conversions([one], changes[order], END + HOUR_MS)
        found.append(assemble([one.pay()], [END + HOUR_MS], ZoneInfo("Asia/Shanghai")))
    assert_same_bits(*found)
