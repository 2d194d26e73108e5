"""Sums beyond 64 bits: whole in every view, whatever the blocks and crashes they came by."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.state.policy import Policy
from tests.figures.comparing import read
from tests.oracle.building import Ledger
from tests.support.core_player import CorePlayer

if TYPE_CHECKING:
    from tests.oracle.log import Log

LARGEST = 10**15
EVENTS = 9_300  # of the largest size are beyond 2^63
MARGIN_BPS = 100_000
DEPOSITS = 930  # of the largest size earn more than 2^63 at the widest margin


def _copies(ledger: Ledger, count: int) -> None:
    """Let the last record be the first of many that differ by the number behind their id alone."""
    first = ledger.records[-1]
    assert first.value is not None
    ledger.records += [
        first._replace(offset=first.offset + number, value=first.value.replace(b"-0", b"-%d" % number, 1))
        for number in range(1, count)
    ]


@pytest.fixture(scope="module")
def log() -> Log:
    ledger = Ledger()
    ledger.campaign("wide", margins_bps={"deposit": MARGIN_BPS})
    ledger.touch("t", "2026-03-01 09:00", campaign="wide")
    ledger.pay("r", "2026-03-01 11:00", LARGEST, reverses="x-0")
    ledger.pay("x-0", "2026-03-01 10:00", LARGEST)
    _copies(ledger, DEPOSITS)
    ledger.pay("p-0", "2026-03-01 14:00", LARGEST, kind="payment", customer_id="rich")
    _copies(ledger, EVENTS)
    ledger.cost("k-0", "2026-03-01 12:00", LARGEST, campaign="huge")
    _copies(ledger, EVENTS)
    ledger.cost("m-0", "2026-03-01 12:00", -LARGEST, campaign="less")
    _copies(ledger, EVENTS)
    ledger.touch("v-0", "2026-03-01 13:00", campaign="vouchers", kind="voucher_issue", cost_minor=LARGEST)
    _copies(ledger, EVENTS)
    return ledger.log


@pytest.mark.parametrize(("crashes", "most"), [(0, 100_000), (5, 3_000)], ids=["one block", "many blocks"])
def test_no_sum_wraps(clickhouse: Any, run_name: str, log: Log, crashes: int, most: int) -> None:
    policy = Policy(future_ms=None, pseudonym_key=b"oracle")
    player = CorePlayer(clickhouse, "roi", run_name, policy, log)
    player.play(Random(3), crashes=crashes, most=most)

    def by_campaign(view: str, measure: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for row in read(clickhouse, view, run_name):
            if row.get("period_kind", "year") == "year" and row[measure]:
                found[row["campaign_id"]] = found.get(row["campaign_id"], 0) + row[measure]
        return found

    spent = {"huge": EVENTS * LARGEST, "less": -EVENTS * LARGEST, "vouchers": EVENTS * LARGEST}
    for view in ("campaign_totals", "campaign_variant_totals", "campaign_tier_totals"):
        assert by_campaign(view, "cost_minor") == spent, view
    for view in ("campaign_minutes", "campaign_hours", "campaign_days"):
        assert by_campaign(view, "cost_minor") == spent, view
    for view in ("campaign_cohorts", "campaign_costs", "campaign_model_totals"):
        assert by_campaign(view, "cost_minor") == spent, view
    assert by_campaign("campaign_new_customers", "cost_minor") == spent | {"": EVENTS * LARGEST}
    assert by_campaign("campaign_budget", "spent_minor") == spent
    assert by_campaign("campaign_vouchers", "open_liability_minor") == {"vouchers": EVENTS * LARGEST}
    earned = {"wide": (DEPOSITS - 1) * LARGEST * MARGIN_BPS // 10_000}
    for view in ("campaign_totals", "campaign_minutes", "campaign_hours", "campaign_days", "campaign_cohorts"):
        assert by_campaign(view, "return_minor") == earned, view
    assert by_campaign("campaign_converters", "return_minor") == earned
    assert by_campaign("campaign_lag_curve", "return_at_lag_minor") in ({}, earned)
    paid = (EVENTS + DEPOSITS - 1) * LARGEST
    assert {row["amount_minor"] for row in read(clickhouse, "transaction_figures", run_name)} == {paid}
    assert sum(row["amount_minor"] for row in read(clickhouse, "channel_mix", run_name)) == 3 * paid
    totals = {row["campaign_id"]: row for row in read(clickhouse, "campaign_totals", run_name)}
    assert (totals["huge"]["net_roi"], totals["wide"]["net_roi"]) == (-1.0, None)
