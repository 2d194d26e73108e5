"""The bank's figures worked out by hand. All days are Shanghai's, amounts are minor units."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.state.policy import Policy
from tests.figures.comparing import read
from tests.oracle.building import Ledger
from tests.support.core_player import CorePlayer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.oracle.facts import Row

    ReadView = Callable[..., list[Row]]


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def figures(clickhouse: Any, run_name: str, ledger: Ledger) -> ReadView:
    """Play what the test has written and read a view's rows, those with the given values only."""
    players: list[CorePlayer] = []

    def read_view(view: str, **wanted: Any) -> list[Row]:
        if not players:
            policy = Policy(future_ms=None, pseudonym_key=b"oracle")
            player = CorePlayer(clickhouse, "roi", run_name, policy, ledger.log)
            player.play(Random(1))
            players.append(player)
        return [row for row in read(clickhouse, view, run_name) if all(row[name] == wanted[name] for name in wanted)]

    return read_view


def test_shares_by_month_quarter_and_year(ledger: Ledger, figures: ReadView) -> None:
    #  31 Mar 23:59      1 Apr 00:00     2 Apr          3 Apr
    #  x1 app 300        x2 atm 100      x3 web 500     r3 takes back 200 of x3
    #                                    x4 web 50      r4 takes back all of x4: it is no transaction any more
    ledger.pay("x1", "2026-03-31 23:59:59.999", 300, kind="payment", scenario="campus")
    ledger.pay("x2", "2026-04-01 00:00", 100, kind="transfer", channel="atm", cross_bank=True)
    ledger.pay("x3", "2026-04-02 10:00", 500, kind="wealth_purchase", channel="web")
    ledger.pay("x4", "2026-04-02 11:00", 50, kind="wealth_purchase", channel="counter")
    ledger.pay("r3", "2026-04-03 10:00", 200, kind="wealth_purchase", channel="web", reverses="x3")
    ledger.pay("r4", "2026-04-03 10:00", 50, kind="wealth_purchase", channel="counter", reverses="x4")
    mix = {
        (row["period_kind"], row["period_start"], row["channel"]): (row["transaction_share"], row["amount_share"])
        for row in figures("channel_mix")
    }
    assert mix == {
        ("month", "2026-03-01", "app"): (1.0, 1.0),
        ("quarter", "2026-01-01", "app"): (1.0, 1.0),
        ("month", "2026-04-01", "atm"): (0.5, 0.25),
        ("month", "2026-04-01", "web"): (0.5, 0.75),
        ("quarter", "2026-04-01", "atm"): (0.5, 0.25),
        ("quarter", "2026-04-01", "web"): (0.5, 0.75),
        ("year", "2026-01-01", "app"): (1 / 3, 3 / 7),
        ("year", "2026-01-01", "atm"): (1 / 3, 1 / 7),
        ("year", "2026-01-01", "web"): (1 / 3, 3 / 7),
    }
    year = figures("transaction_figures", period_kind="year")[0]
    assert (year["transactions"], year["amount_minor"]) == (3, 700)
    assert (year["online_transactions"], year["online_amount_minor"]) == (2, 600)
    assert (year["cross_bank_share"], year["cross_bank_amount_share"]) == (0.5, 0.25)
    assert (year["wealth_online_share"], year["wealth_online_amount_share"]) == (1.0, 1.0)
    assert year["scenario_share"] == 1 / 3
    march = figures("transaction_figures", period_start="2026-03-01")[0]
    assert march["wealth_online_share"] is None


def test_long_tail_wakes_up_once(ledger: Ledger, figures: ReadView) -> None:
    #          Jan            Feb … Apr        1 May … 31 May
    #  ann     10 ● engaged   -                2 ● engaged   111 days later: activated
    #  bob     31 ● engaged   -                2 ● engaged   31 Jan is 90 days before 1 May: not in the tail
    #  cat     10 ○ robot     -                -             in the tail, stays there
    #  dan     -              -                2 ● engaged   not known before May
    ledger.login("2026-01-10 10:00")
    ledger.login("2026-01-10 11:00", customer_id="cat", automated=True)
    ledger.login("2026-01-31 10:00", customer_id="bob")
    for hour, name in enumerate(("ann", "bob", "dan"), start=10):
        ledger.login(f"2026-05-02 {hour}:00", customer_id=name)
    tails = {
        row["period_start"]: (row["long_tail_activated"], row["long_tail_customers"], row["long_tail_activation_rate"])
        for row in figures("customer_figures", period_kind="month")
    }
    assert tails == {
        "2026-01-01": (0, 0, None),
        "2026-02-01": (0, 1, 0.0),
        "2026-03-01": (0, 1, 0.0),
        "2026-04-01": (0, 1, 0.0),
        "2026-05-01": (1, 2, 0.5),
    }


@pytest.mark.parametrize(("day", "waiting"), [("2026-01-31", 0), ("2026-01-30", 1)])
def test_ninety_days_before_a_period_include_the_first(
    ledger: Ledger, figures: ReadView, day: str, waiting: int
) -> None:
    ledger.login(f"{day} 10:00")
    ledger.login("2026-05-31 10:00")
    assert figures("customer_figures", period_start="2026-05-01")[0]["long_tail_customers"] == waiting


def test_high_value_customers_online(ledger: Ledger, figures: ReadView) -> None:
    for name, tier in (("ann", "growth"), ("bob", "a"), ("cat", "growth"), ("eve", "growth"), ("dan", "general")):
        ledger.customer(name, tier)
    ledger.login("2026-03-01 10:00")
    ledger.pay("x1", "2026-03-01 10:00", customer_id="bob")
    ledger.pay("x2", "2026-03-01 10:00", customer_id="cat", channel="counter")
    ledger.login("2026-03-01 11:00", customer_id="cat", session_seconds=4)
    ledger.login("2026-03-01 12:00", customer_id="dan")
    row = figures("customer_figures", period_kind="month")[0]
    assert (row["high_value_covered"], row["high_value_customers"], row["high_value_coverage"]) == (2, 4, 0.5)


def test_new_customers_and_what_they_cost(ledger: Ledger, figures: ReadView) -> None:
    #  Mar 1            Mar 2                     Apr 2
    #  ann, bob sent    ann opens an account      ann opens another (no new customer), cost 60
    #  5 each           bob pays in: no opening
    ledger.touch("t1", "2026-03-01 10:00", cost_minor=5)
    ledger.touch("t2", "2026-03-01 10:00", cost_minor=5, customer_id="bob")
    ledger.pay("x1", "2026-03-02 10:00", 0, kind="account_open")
    ledger.pay("x2", "2026-03-02 10:00", customer_id="bob")
    ledger.touch("t3", "2026-04-01 10:00", campaign="summer")
    ledger.pay("x3", "2026-04-02 10:00", 0, kind="account_open")
    ledger.cost("k1", "2026-04-02 10:00", 60)
    found = {
        (row["campaign_id"], row["period_start"]): (row["new_customers"], row["cost_minor"], row["cac_minor"])
        for row in figures("campaign_new_customers", period_kind="month")
    }
    assert found == {
        ("spring", "2026-03-01"): (1, 10, 10.0),
        ("spring", "2026-04-01"): (0, 60, None),
        ("summer", "2026-04-01"): (1, 0, 0.0),
        ("", "2026-03-01"): (1, 10, 10.0),
        ("", "2026-04-01"): (0, 60, None),
    }


def test_recommended_touches_against_the_others(ledger: Ledger, figures: ReadView) -> None:
    for name in ("ann", "bob"):
        ledger.touch(f"{name}-s", "2026-03-01 10:00", customer_id=name, recommended=True)
        ledger.touch(f"{name}-p", "2026-03-01 10:00", customer_id=name)
    for number in range(2):
        ledger.touch(f"ann-c{number}", f"2026-03-01 1{number}:01", kind="click", recommended=True)
    ledger.touch("cat-c", "2026-03-01 10:01", kind="click", customer_id="cat")  # never sent anything
    ledger.touch("dan-s", "2026-03-01 10:01", customer_id="dan", variant="control")
    found = {
        row["recommended"]: (row["click_through_rate"], row["customer_click_through_rate"])
        for row in figures("campaign_recommendations", period_kind="year", campaign_id="spring")
    }
    assert found == {1: (1.0, 0.5), 0: (0.5, 0.0)}


def test_reach_without_hands(ledger: Ledger, figures: ReadView) -> None:
    ledger.touch("t1", "2026-03-01 10:00", automated=True)
    ledger.touch("t2", "2026-03-01 10:00", automated=True, customer_id="bob")
    ledger.touch("t3", "2026-03-02 10:00", customer_id="bob", kind="call", campaign="summer")
    ledger.touch("t4", "2026-03-02 10:00", customer_id="ann", kind="assign")
    rows = figures("campaign_automation", period_kind="year")
    found = {row["campaign_id"]: row["automated_reach_share"] for row in rows}
    assert found == {"spring": 1.0, "summer": 0.0, "": 0.5}


def test_money_under_management_by_tier_and_channel(ledger: Ledger, figures: ReadView) -> None:
    ledger.customer("ann", "growth")
    ledger.touch("t1", "2026-03-01 10:00", cost_minor=30)
    ledger.touch("t2", "2026-03-01 10:00", cost_minor=400, customer_id="bob", channel="branch")
    ledger.cost("k1", "2026-03-01 10:00", 70)
    ledger.pay("x1", "2026-03-02 10:00", 10_000)
    ledger.pay("x2", "2026-03-02 10:00", 40_000, customer_id="bob")
    ledger.pay("x3", "2026-03-02 11:00", 15_000, customer_id="bob", kind="withdrawal")
    tiers = {row["tier"]: row["aum_minor"] for row in figures("campaign_aum", period_kind="year", campaign_id="spring")}
    assert tiers == {"growth": 10_000, "unknown": 25_000}
    costs = {
        row["channel_class"]: row["cost_per_10k_aum_minor"]
        for row in figures("campaign_aum_costs", period_kind="quarter", campaign_id="spring")
    }
    assert costs == {"online": 3_000.0, "counter": 16_000.0, "all": pytest.approx(500 / 35_000 * 1_000_000)}


def test_outflow_has_no_price(ledger: Ledger, figures: ReadView) -> None:
    ledger.touch("t1", "2026-03-01 10:00", cost_minor=30)
    ledger.pay("x1", "2026-03-02 10:00", 10_000, kind="withdrawal")
    assert {row["cost_per_10k_aum_minor"] for row in figures("campaign_aum_costs")} == {None}


def test_a_bank_says_what_is_online_and_who_matters(clickhouse: Any, ledger: Ledger, figures: ReadView) -> None:
    ledger.customer("ann", "private")
    ledger.pay("x1", "2026-03-02 10:00", channel="kiosk")
    ledger.pay("x2", "2026-03-02 10:00", channel="atm")
    clickhouse.command("INSERT INTO roi.channel_classes VALUES", data="('kiosk', 'counter'), ('atm', 'online')")
    clickhouse.command("INSERT INTO roi.value_tiers VALUES", data="('private', true)")
    try:
        classes = {row["channel"]: row["channel_class"] for row in figures("channel_mix")}
        assert classes == {"kiosk": "counter", "atm": "online"}
        assert figures("customer_figures")[0]["high_value_coverage"] == 1.0
    finally:
        clickhouse.command("INSERT INTO roi.channel_classes VALUES", data="('kiosk', 'online'), ('atm', 'counter')")
        clickhouse.command("INSERT INTO roi.value_tiers VALUES", data="('private', false)")


def test_open_vouchers_are_a_liability(ledger: Ledger, figures: ReadView) -> None:
    #  ann   r0   i1 100   i2 250   r1        r0 finds nothing open, r1 closes i1: i2 stays open
    #  bob        i3 400                      another customer's voucher stays open too
    ledger.touch("r0", "2026-03-01 09:00", kind="voucher_redeem", cost_minor=7)
    ledger.touch("i1", "2026-03-01 10:00", kind="voucher_issue", cost_minor=100)
    ledger.touch("i2", "2026-03-01 11:00", kind="voucher_issue", cost_minor=250)
    ledger.touch("r1", "2026-03-01 12:00", kind="voucher_redeem", cost_minor=3)
    ledger.touch("i3", "2026-03-01 10:00", kind="voucher_issue", cost_minor=400, customer_id="bob")
    assert figures("campaign_vouchers") == [
        {
            "campaign_id": "spring",
            "issued": 3,
            "issued_minor": 750,
            "redeemed": 2,
            "redeemed_minor": 10,
            "open": 2,
            "open_liability_minor": 650,
            "unmatched_redemptions": 1,
            "redemption_rate": pytest.approx(1 / 3),
        }
    ]
    costs = {row["category"]: (row["entries"], row["cost_minor"]) for row in figures("campaign_costs")}
    assert costs == {"touch_voucher_issue": (3, 750), "touch_voucher_redeem": (2, 10)}


def test_budget_runs_out_before_the_campaign(clickhouse: Any, ledger: Ledger, figures: ReadView) -> None:
    #  1 Mar ──────── 9 Mar (a fifth) ─────────────────────────── 10 Apr       spent 400 of 1,000: twice the pace
    ledger.cost("k1", "2026-03-05 00:00", 400, campaign="paced")
    ledger.cost("k2", "2026-03-09 00:00", 0, campaign="paced")
    definition = {
        "starts_at": "2026-03-01T00:00:00+08:00",
        "ends_at": "2026-04-09t16:00:00.000z",
        "budget_minor": 1_000,
    }
    clickhouse.command(
        "INSERT INTO roi.campaign_log (campaign_id, definition, version) VALUES",
        data=f"('paced', '{json.dumps(definition)}', 1)",
    )
    row = figures("campaign_budget", campaign_id="paced")[0]
    assert (row["budget_minor"], row["spent_minor"], row["remaining_minor"]) == (1_000, 400, 600)
    assert (row["spent_share"], row["elapsed_share"]) == (0.4, 0.2)
    assert (row["pace"], row["projected_minor"]) == (pytest.approx(2.0), pytest.approx(2_000.0))
