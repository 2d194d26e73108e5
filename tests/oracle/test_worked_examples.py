"""The contract worked out by hand: what the numbers must be, from a picture of the events. All days are Shanghai's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from schemas import topics
from tests.oracle.building import Ledger, moment
from tests.oracle.config import DAY_MS, MINUTE_MS, OracleConfig
from tests.oracle.evaluate import evaluate
from tests.oracle.verdicts import Verdict, judge

if TYPE_CHECKING:
    from tests.oracle.facts import Row

CONFIG = OracleConfig(margins_bps={"deposit": 1000})


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def rows(ledger: Ledger, view: str, config: OracleConfig = CONFIG) -> list[Row]:
    return list(evaluate(ledger.log, config).rows[view])


def total(ledger: Ledger, campaign: str = "spring", config: OracleConfig = CONFIG) -> dict[str, Any]:
    return next(row for row in rows(ledger, "campaign_totals", config) if row["campaign_id"] == campaign)


def credit_of(ledger: Ledger, config: OracleConfig = CONFIG) -> dict[tuple[str, str], tuple[int, int, int]]:
    return {
        (row["transaction_event_id"], row["touch_event_id"]): (
            row["credit_millionths"],
            row["return_minor"],
            row["aum_minor"],
        )
        for row in rows(ledger, "credits", config)
    }


def verdict(ledger: Ledger, topic: str, offset: int, config: OracleConfig = CONFIG) -> Verdict:
    return judge(ledger.log, config).verdicts[topic, 0, offset]


def test_totals_of_one_campaign(ledger: Ledger) -> None:
    #  1 Mar         2 Mar         3 Mar          4 Mar
    #  ann a1 ●5     ann a2 ●5     ann x1 200 ◆   ann x2 100 ◆        margin 10 %
    #  bob b1 ●5     cat (control) ●5             campaign cost 60
    ledger.touch("a1", "2026-03-01 10:00", cost_minor=5)
    ledger.touch("b1", "2026-03-01 10:00", cost_minor=5, customer_id="bob")
    ledger.touch("a2", "2026-03-02 10:00", cost_minor=5)
    ledger.touch("c1", "2026-03-02 10:00", cost_minor=5, customer_id="cat", variant="control")
    ledger.pay("x1", "2026-03-03 10:00", 200)
    ledger.pay("x2", "2026-03-04 10:00", 100)
    ledger.pay("x3", "2026-03-04 10:00", 100, customer_id="cat")
    ledger.cost("k1", "2026-03-04 10:00", 60)
    assert total(ledger) == {
        "run": "live",
        "campaign_id": "spring",
        "touches": 3,
        "reached": 2,
        "converters": 1,
        "conversion_millionths": 2_000_000,
        "cost_minor": 80,
        "return_minor": 30,
        "aum_minor": 300,
        "conversion_rate": 0.5,
        "cpa_minor": 80.0,
        "return_ratio": 0.375,
        "net_roi": -0.625,
    }


def test_ratio_without_a_denominator_is_null(ledger: Ledger) -> None:
    ledger.campaign("quiet")
    row = total(ledger, "quiet")
    assert [row[name] for name in ("conversion_rate", "cpa_minor", "return_ratio", "net_roi")] == [None] * 4


@pytest.mark.parametrize(
    ("paid_at", "credited"),
    [
        #        t ●────────────── 7 days ──────────────┤
        #          ↑ same millisecond counts            ↑ the last millisecond counts
        ("2026-03-01 09:59:59.999", False),
        ("2026-03-01 10:00:00.000", True),
        ("2026-03-08 10:00:00.000", True),
        ("2026-03-08 10:00:00.001", False),
    ],
)
def test_window_includes_both_ends(ledger: Ledger, paid_at: str, credited: bool) -> None:  # noqa: FBT001 - a case's value
    ledger.touch("t", "2026-03-01 10:00")
    ledger.pay("x", paid_at)
    assert bool(credit_of(ledger)) is credited


def test_last_touch_of_one_millisecond_is_the_larger_event_id(ledger: Ledger) -> None:
    for event_id in ("b", "a", "B", "\U0001f600", "ﬀ"):  # code points order the emoji last, UTF-16 the ligature
        ledger.touch(event_id, "2026-03-01 10:00")
    ledger.pay("x", "2026-03-01 11:00")
    assert list(credit_of(ledger)) == [("x", "\U0001f600")]


def test_touch_outside_the_goal_leaves_the_credit_to_an_earlier_one(ledger: Ledger) -> None:
    #  spring (deposits of 100 and more) ●      autumn (payments) ●      x deposit 99, y deposit 100
    ledger.campaign("spring", goal={"kinds": ["deposit"], "min_amount_minor": 100})
    ledger.campaign("autumn", goal={"kinds": ["payment"]})
    ledger.touch("t1", "2026-03-01 10:00")
    ledger.touch("t2", "2026-03-02 10:00", campaign="autumn")
    ledger.pay("x", "2026-03-03 10:00", 99)
    ledger.pay("y", "2026-03-03 10:00", 100)
    assert credit_of(ledger) == {("y", "t1"): (1_000_000, 10, 100)}


def test_goal_with_products_needs_one_of_them(ledger: Ledger) -> None:
    ledger.campaign(goal={"kinds": ["deposit"], "products": ["fund-1"]})
    ledger.touch("t", "2026-03-01 10:00")
    ledger.pay("none", "2026-03-02 10:00")
    ledger.pay("other", "2026-03-02 10:00", product="fund-2")
    ledger.pay("right", "2026-03-02 10:00", product="fund-1")
    assert list(credit_of(ledger)) == [("right", "t")]


def test_minimum_amount_is_taken_before_reversals(ledger: Ledger) -> None:
    #  t ●     x deposit 100 ◆     r takes 40 ◇         effective 60, and still x is what the campaign wants
    ledger.campaign(goal={"kinds": ["deposit"], "min_amount_minor": 100})
    ledger.touch("t", "2026-03-01 10:00")
    ledger.pay("x", "2026-03-02 10:00", 100, revenue_minor=25, aum_delta_minor=-7)
    ledger.pay("r", "2026-03-03 10:00", 40, reverses="x")
    assert credit_of(ledger) == {("x", "t"): (1_000_000, 15, -4)}  # floor(25 * 0.6), -floor(7 * 0.6)


@pytest.mark.parametrize(
    ("taken", "converters", "returned"),
    [((100,), 0, 0), ((60, 60), 0, 0), ((60, 39), 1, 0), ((50,), 1, 5), ((0,), 1, 10), ((1,), 1, 9)],
)
def test_reversals_scale_or_remove_a_transaction(
    ledger: Ledger, taken: tuple[int, ...], converters: int, returned: int
) -> None:
    ledger.touch("t", "2026-03-01 10:00")
    for number, amount in enumerate(taken):  # they arrive before their original
        ledger.pay(f"r{number}", "2026-03-03 10:00", amount, reverses="x")
    ledger.pay("x", "2026-03-02 10:00", 100)
    row = total(ledger)
    assert (row["converters"], row["conversion_millionths"]) == (converters, converters * 1_000_000)
    assert (row["return_minor"], row["aum_minor"]) == (returned, max(0, 100 - sum(taken)))


def test_zero_amount_counts_until_it_is_reversed(ledger: Ledger) -> None:
    ledger.touch("t", "2026-03-01 10:00")
    ledger.pay("x", "2026-03-02 10:00", 0, kind="account_open", revenue_minor=9)
    assert credit_of(ledger) == {("x", "t"): (1_000_000, 9, 0)}
    ledger.pay("r", "2026-03-02 10:00", 0, reverses="x")
    assert credit_of(ledger) == {}


@pytest.mark.parametrize(
    ("reversed_at", "counts"),
    [
        #          x ◆──────────── 30 days ────────────┤
        ("2026-03-01 09:59:59.999", False),
        ("2026-03-01 10:00:00.000", True),
        ("2026-03-31 10:00:00.000", True),
        ("2026-03-31 10:00:00.001", False),
    ],
)
def test_reversal_counts_for_thirty_days(ledger: Ledger, reversed_at: str, counts: bool) -> None:  # noqa: FBT001 - a case's value
    ledger.touch("t", "2026-03-01 10:00")
    ledger.pay("x", "2026-03-01 10:00")
    offset = ledger.pay("r", reversed_at, reverses="x")
    ledger.pay("later", "2026-05-01 10:00", 1, customer_id="bob")
    assert total(ledger)["converters"] == (0 if counts else 1)
    expected = Verdict("accepted") if counts else Verdict("dead_letter", "orphan_reversal")
    assert verdict(ledger, topics.TRANSACTIONS, offset) == expected


def test_reversal_of_a_reversal_or_of_a_stranger_counts_nowhere(ledger: Ledger) -> None:
    ledger.touch("t", "2026-03-01 10:00")
    ledger.pay("x", "2026-03-01 11:00")
    ledger.pay("r", "2026-03-01 12:00", 30, reverses="x")
    of_reversal = ledger.pay("rr", "2026-03-01 13:00", 30, reverses="r")
    of_stranger = ledger.pay("rs", "2026-03-01 13:00", 30, reverses="x", customer_id="bob")
    of_itself = ledger.pay("ri", "2026-03-01 13:00", 30, reverses="ri")
    ledger.pay("later", "2026-03-05 10:00", 1, customer_id="bob")
    assert credit_of(ledger) == {("x", "t"): (1_000_000, 7, 70)}
    for offset in (of_reversal, of_stranger, of_itself):
        assert verdict(ledger, topics.TRANSACTIONS, offset) == Verdict("dead_letter", "orphan_reversal")


@pytest.mark.parametrize(
    ("watermark", "expected"),
    [
        #          r ◇─────── 3 days ───────┤ an original of the same millisecond is in time here, no more after it
        ("2026-03-04 10:00:00.000", Verdict("pending")),
        ("2026-03-04 10:00:00.001", Verdict("dead_letter", "orphan_reversal")),
    ],
)
def test_orphan_is_known_when_its_original_would_be_late(ledger: Ledger, watermark: str, expected: Verdict) -> None:
    offset = ledger.pay("r", "2026-03-01 10:00", reverses="never")
    ledger.pay("later", watermark)
    assert verdict(ledger, topics.TRANSACTIONS, offset) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        #    ├─────── 3 days ───────● watermark 5 Mar 10:00
        ("2026-03-02 10:00:00.000", Verdict("accepted")),
        ("2026-03-02 09:59:59.999", Verdict("dead_letter", "too_late")),
    ],
)
def test_event_exactly_the_lateness_behind_is_in_time(ledger: Ledger, at: str, expected: Verdict) -> None:
    ledger.touch("ahead", "2026-03-05 10:00", customer_id="bob")
    assert verdict(ledger, topics.TOUCHES, ledger.touch("behind", at)) == expected


def test_watermark_is_of_the_topic_alone_and_bad_events_do_not_move_it(ledger: Ledger) -> None:
    ledger.login("2026-06-01 10:00")
    ledger.touch("foreign", "2026-06-01 10:00", currency="USD")
    assert verdict(ledger, topics.TOUCHES, ledger.touch("t", "2026-03-01 10:00")) == Verdict("accepted")


def test_copy_is_a_duplicate_until_it_is_too_late(ledger: Ledger) -> None:
    ledger.touch("t", "2026-03-01 10:00", cost_minor=5)
    again = ledger.touch("t", "2026-03-01 10:00", cost_minor=5)
    ledger.touch("ahead", "2026-03-05 10:00", customer_id="bob")
    too_late = ledger.touch("t", "2026-03-01 10:00", cost_minor=5)
    assert verdict(ledger, topics.TOUCHES, again) == Verdict("duplicate")
    assert verdict(ledger, topics.TOUCHES, too_late) == Verdict("dead_letter", "too_late")
    assert total(ledger)["cost_minor"] == 5


def test_one_name_in_two_topics_is_no_duplicate(ledger: Ledger) -> None:
    ledger.touch("same", "2026-03-01 10:00")
    ledger.pay("same", "2026-03-01 10:00")
    assert total(ledger)["conversion_millionths"] == 1_000_000


@pytest.mark.parametrize(("ahead_ms", "reason"), [(600_000, ""), (600_001, "from_the_future")])
def test_live_events_may_be_ten_minutes_ahead(ledger: Ledger, ahead_ms: int, reason: str) -> None:
    offset = ledger.touch("t", "2026-03-01 10:00")
    live = replace(CONFIG, now_ms=moment("2026-03-01 10:00") - ahead_ms)
    assert verdict(ledger, topics.TOUCHES, offset, live).reason == reason
    assert verdict(ledger, topics.TOUCHES, offset).reason == ""


def test_margins_of_campaign_then_settings_then_none(ledger: Ledger) -> None:
    ledger.campaign("own", margins_bps={"deposit": 333})
    ledger.touch("t1", "2026-03-01 10:00", campaign="own")
    ledger.pay("x", "2026-03-01 11:00", 1000)
    ledger.touch("t2", "2026-03-01 12:00", campaign="other")
    ledger.pay("y", "2026-03-01 13:00", 1000)
    ledger.pay("z", "2026-03-01 13:00", 1000, kind="payment")
    assert credit_of(ledger) == {
        ("x", "t1"): (1_000_000, 33, 1000),
        ("y", "t2"): (1_000_000, 100, 1000),
        ("z", "t2"): (1_000_000, 0, 0),
    }


def test_return_is_floored_before_it_is_scaled(ledger: Ledger) -> None:
    #  199 * 10 % = 19.9 -> 19;  19 * 100 / 199 = 9.547… -> 9   (unfloored: 9.999…)
    ledger.touch("t", "2026-03-01 10:00")
    ledger.pay("x", "2026-03-01 11:00", 199)
    ledger.pay("r", "2026-03-01 12:00", 99, reverses="x")
    assert credit_of(ledger)["x", "t"] == (1_000_000, 9, 100)


def test_linear_money_adds_up_where_margins_agree(ledger: Ledger) -> None:
    #  t1 ●   t2 ●   t3 ●   x deposit 107, margin 10 %: return 10 = 3 + 3 + 4, AUM 107 = 35 + 36 + 36
    for number in (1, 2, 3):
        ledger.touch(f"t{number}", f"2026-03-0{number} 10:00", campaign=f"c{number}")
    ledger.pay("x", "2026-03-04 10:00", 107)
    assert credit_of(ledger, replace(CONFIG, model="linear")) == {
        ("x", "t1"): (333_333, 3, 35),
        ("x", "t2"): (333_333, 3, 36),
        ("x", "t3"): (333_334, 4, 36),
    }


def test_linear_money_is_floored_where_margins_differ(ledger: Ledger) -> None:
    #  t1 ● (5 %)   t2 ● (10 %)   x deposit 110: floor(5 * 1/2) and floor(11 * 1/2); AUM 110 = 55 + 55
    ledger.campaign("c1", margins_bps={"deposit": 500})
    ledger.touch("t1", "2026-03-01 10:00", campaign="c1")
    ledger.touch("t2", "2026-03-02 10:00", campaign="c2")
    ledger.pay("x", "2026-03-04 10:00", 110)
    assert credit_of(ledger, replace(CONFIG, model="linear")) == {
        ("x", "t1"): (500_000, 2, 55),
        ("x", "t2"): (500_000, 5, 55),
    }


def test_revenue_is_split_whole_whatever_the_margins(ledger: Ledger) -> None:
    ledger.campaign("c1", margins_bps={"deposit": 500})
    ledger.touch("t1", "2026-03-01 10:00", campaign="c1")
    ledger.touch("t2", "2026-03-02 10:00", campaign="c2")
    ledger.pay("x", "2026-03-04 10:00", 110, revenue_minor=11)
    assert [part[1] for part in credit_of(ledger, replace(CONFIG, model="linear")).values()] == [5, 6]


def test_assign_and_control_touches_cost_but_earn_nothing(ledger: Ledger) -> None:
    ledger.campaign(control_variant="holdout")
    ledger.touch("assigned", "2026-03-01 10:00", kind="assign", cost_minor=1)
    ledger.touch("held", "2026-03-01 10:00", variant="holdout", cost_minor=2)
    ledger.pay("x", "2026-03-01 11:00")
    row = total(ledger)
    assert (row["touches"], row["reached"], row["cost_minor"], row["converters"]) == (0, 0, 3, 0)
    ledger.touch("named-control", "2026-03-01 10:30", variant="control")
    assert list(credit_of(ledger)) == [("x", "named-control")]


def test_minutes_date_costs_and_firsts_and_returns_to_their_own_time(ledger: Ledger) -> None:
    #  10:00      10:01       10:02      10:05
    #  t1 ●2      t2 ●3       x ◆ 100    y ◆ 200, cost 7
    ledger.touch("t1", "2026-03-01 10:00:59.999", cost_minor=2)
    ledger.touch("t2", "2026-03-01 10:01:00.000", cost_minor=3)
    ledger.pay("x", "2026-03-01 10:02", 100)
    ledger.pay("y", "2026-03-01 10:05", 200)
    ledger.cost("k", "2026-03-01 10:05:30", 7)
    start = moment("2026-03-01 10:00") // MINUTE_MS
    names = (
        "touches",
        "new_reached",
        "cost_minor",
        "conversion_millionths",
        "new_converters",
        "return_minor",
        "aum_minor",
    )
    assert {row["minute"] - start: tuple(row[name] for name in names) for row in rows(ledger, "campaign_minutes")} == {
        0: (1, 1, 2, 0, 0, 0, 0),
        1: (1, 0, 3, 0, 0, 0, 0),
        2: (0, 0, 0, 1_000_000, 1, 10, 100),
        5: (0, 0, 7, 1_000_000, 0, 20, 200),
    }


def test_cohorts_date_returns_to_the_touch_with_the_lag(ledger: Ledger) -> None:
    #  day 1, 23:59:59.999 ●     | day 2                        | day 3
    #                            t to x: 24 h less 1 ms: lag 0; t to y: 24 h: lag 1
    ledger.touch("t", "2026-03-01 23:59:59.999", cost_minor=4)
    ledger.pay("x", "2026-03-02 23:59:59.998", 100)
    ledger.pay("y", "2026-03-02 23:59:59.999", 50)
    ledger.cost("k", "2026-03-02 00:00", 9)
    found = {
        (row["touch_day"], row["lag_day"]): (
            row["conversion_millionths"],
            row["return_minor"],
            row["cost_minor"],
            row["reached"],
        )
        for row in rows(ledger, "campaign_cohorts")
    }
    assert found == {
        ("2026-03-01", 0): (1_000_000, 10, 4, 1),
        ("2026-03-01", 1): (1_000_000, 5, 0, 0),
        ("2026-03-02", 0): (0, 0, 9, 0),
    }


def test_tiers_add_up_and_costs_stand_under_none(ledger: Ledger) -> None:
    ledger.customer("ann", "growth")
    ledger.customer("bob", None)
    ledger.touch("t1", "2026-03-01 10:00", cost_minor=1)
    ledger.touch("t2", "2026-03-01 10:00", cost_minor=2, customer_id="bob")
    ledger.touch("t3", "2026-03-01 10:00", cost_minor=4, customer_id="cat")
    ledger.cost("k", "2026-03-01 10:00", 8)
    found = {row["tier"]: (row["reached"], row["cost_minor"]) for row in rows(ledger, "campaign_tier_totals")}
    assert found == {"growth": (1, 1), "unknown": (2, 6), "": (0, 8)}


def test_variants_take_costs_of_their_own(ledger: Ledger) -> None:
    ledger.touch("t1", "2026-03-01 10:00", variant="A", cost_minor=1)
    ledger.touch("t2", "2026-03-01 11:00", cost_minor=2)
    ledger.cost("k", "2026-03-01 10:00", 8, variant="A")
    ledger.cost("m", "2026-03-01 10:00", 16)
    found = {
        row["variant"]: (row["touches"], row["reached"], row["cost_minor"])
        for row in rows(ledger, "campaign_variant_totals")
    }
    assert found == {"A": (1, 1, 9), "": (1, 1, 18)}


def test_retired_campaign_falls_back_to_the_defaults(ledger: Ledger) -> None:
    ledger.campaign(goal={"kinds": ["payment"]})
    ledger.send(topics.CAMPAIGNS, "spring", None)
    ledger.touch("t", "2026-03-01 10:00")
    ledger.pay("x", "2026-03-02 10:00")
    assert total(ledger)["converters"] == 1


def test_active_users_by_day(ledger: Ledger) -> None:
    #  ann (growth): engaged 1 Mar        engaged 2 Mar (23:59:59.999)
    #  bob:          automated 1 Mar                                      3 Mar 4.999 s: gross only
    ledger.customer("ann", "growth")
    ledger.login("2026-03-01 00:00", session_seconds=5)
    ledger.login("2026-03-01 09:00", customer_id="bob", automated=True)
    ledger.login("2026-03-02 23:59:59.999")
    ledger.login("2026-03-03 00:00", customer_id="bob", session_seconds=4.999)
    names = ("dau", "wau", "mau", "mau_gross", "stickiness")
    found = {(row["day"], row["tier"]): tuple(row[name] for name in names) for row in rows(ledger, "active_users")}
    assert found == {
        ("2026-03-01", ""): (1, 1, 1, 2, 1.0),
        ("2026-03-01", "growth"): (1, 1, 1, 1, 1.0),
        ("2026-03-01", "unknown"): (0, 0, 0, 1, None),
        ("2026-03-02", ""): (1, 1, 1, 2, 1.0),
        ("2026-03-02", "growth"): (1, 1, 1, 1, 1.0),
        ("2026-03-02", "unknown"): (0, 0, 0, 1, None),
        ("2026-03-03", ""): (0, 1, 1, 2, 0.0),
        ("2026-03-03", "growth"): (0, 1, 1, 1, 0.0),
        ("2026-03-03", "unknown"): (0, 0, 0, 1, None),
    }


@pytest.mark.parametrize(("again_after_days", "reactivated"), [(90, 0), (91, 1)])
def test_reactivation_needs_ninety_days_without(ledger: Ledger, again_after_days: int, reactivated: int) -> None:
    #  d ●            90 days before d', none engaged           d' ●      a login of a bot between does not count
    ledger.login("2026-01-01 12:00")
    ledger.login("2026-02-01 12:00", automated=True)
    again = moment("2026-01-01 12:00") + again_after_days * DAY_MS
    text = {90: "2026-04-01 12:00", 91: "2026-04-02 12:00"}[again_after_days]
    assert moment(text) == again
    ledger.login(text)
    found = {row["day"]: row for row in rows(ledger, "active_users") if row["tier"] == ""}
    assert found[text[:10]]["reactivated"] == reactivated
    assert found["2026-01-01"]["reactivated"] == 0
    assert len(found) == again_after_days + 1
    assert (found["2026-01-07"]["wau"], found["2026-01-08"]["wau"]) == (1, 0)
    assert (found["2026-01-30"]["mau"], found["2026-01-31"]["mau"]) == (1, 0)
