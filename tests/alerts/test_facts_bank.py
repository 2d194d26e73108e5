"""The bank's level of a goal."""

from __future__ import annotations

import math
from random import Random
from statistics import fmean, pstdev
from typing import Any

import pytest

from pipeline.alerts.bank import bank_levels, goal_of, level_of
from pipeline.alerts.facts import LedgerFacts
from schemas.common import MAX_MONEY_MINOR
from tests.alerts.facts_support import POLICY, plans_of
from tests.oracle.building import Ledger, moment
from tests.support.core_player import CorePlayer


def test_a_goals_level_is_that_of_the_transactions_it_matches(clickhouse: Any, run_name: str) -> None:
    ledger = Ledger()
    goal = {"kinds": ["deposit"], "min_amount_minor": 1_000}
    ledger.campaign("spring", goal=goal, margins_bps={"deposit": 200})
    ledger.campaign("rare", goal={"kinds": ["transfer"]})
    amounts = [1_000 + 317 * number for number in range(40)]
    for number, amount in enumerate(amounts):
        ledger.pay(f"x{number}", f"2026-03-05 10:{number:02}", amount)
    ledger.pay("small", "2026-03-05 11:00", 999)
    ledger.pay("given", "2026-03-05 11:01", 5_000, revenue_minor=12)
    ledger.pay("nothing", "2026-03-05 11:02", 5_000, revenue_minor=0)
    ledger.pay("other", "2026-03-05 11:03", 5_000, kind="transfer", revenue_minor=7)
    ledger.pay("later", "2026-03-06 11:01", 5_000)
    CorePlayer(clickhouse, "roi", run_name, POLICY, ledger.log).play(Random(1), tidy=False)
    port, plans = LedgerFacts(clickhouse, "roi", run_name), plans_of(ledger.log)
    levels = bank_levels(port, [plans["spring"], plans["rare"]], moment("2026-03-06 00:00"))
    logs = [math.log(amount * 200 // 10_000) for amount in amounts] + [math.log(12)]
    assert levels[1] is None
    assert levels[0] is not None
    assert levels[0].mean_log == pytest.approx(fmean(logs))
    assert levels[0].sd_log == pytest.approx(pstdev(logs))


def test_a_block_that_was_sent_twice_counts_once(clickhouse: Any, run_name: str) -> None:
    ledger = Ledger()
    ledger.campaign("spring", margins_bps={"deposit": 200})
    for number in range(40):
        ledger.pay(f"x{number}", f"2026-03-05 10:{number:02}", 1_000 + 317 * number)
    CorePlayer(clickhouse, "roi", run_name, POLICY, ledger.log).play(Random(1), tidy=False)
    port, plan = LedgerFacts(clickhouse, "roi", run_name), plans_of(ledger.log)["spring"]
    _, asked = goal_of(plan)

    def levels() -> tuple[Any, Any]:
        overall = bank_levels(port, [plan], moment("2026-03-06 00:00"))
        return overall, port.fetch("backtest_bank_levels", every=6 * 3_600_000, **asked)

    before = levels()
    rows = f"SELECT * FROM roi.ledger FINAL WHERE run = '{run_name}' AND kind = 'transaction' LIMIT 20"
    clickhouse.command(f"INSERT INTO roi.ledger {rows}")
    assert levels() == before


def test_the_banks_level_is_that_of_amounts_times_margins_beyond_64_bits(clickhouse: Any, run_name: str) -> None:
    ledger = Ledger()
    ledger.campaign("spring", margins_bps={"deposit": 100_000})
    for number in range(40):
        ledger.pay(f"x{number}", f"2026-03-05 10:{number:02}", MAX_MONEY_MINOR)
    CorePlayer(clickhouse, "roi", run_name, POLICY, ledger.log).play(Random(1), tidy=False)
    port, plan = LedgerFacts(clickhouse, "roi", run_name), plans_of(ledger.log)["spring"]
    (level,) = bank_levels(port, [plan], moment("2026-03-06 00:00"))
    assert level is not None
    assert level.mean_log == pytest.approx(math.log(10 * MAX_MONEY_MINOR))
    assert level.sd_log == 0
    ((_, *sums),) = port.fetch("backtest_bank_levels", every=6 * 3_600_000, **goal_of(plan)[1])
    assert level_of(*map(int, sums)) == level
