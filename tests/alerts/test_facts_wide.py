"""Costs of one hour that 64 bits do not hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.alerts.amounts import WIDE, amounts, amounts_of, summed, total
from pipeline.alerts.facts import LedgerFacts, segment_statistics, statistics
from pipeline.alerts.finished import read_finished
from pipeline.alerts.live import LiveFacts
from pipeline.alerts.segments import CampaignReading
from pipeline.alerts.statistics import HOUR_MS
from pipeline.backtest.ledger import past_of_run
from pipeline.backtest.past import Range
from schemas.common import MAX_MONEY_MINOR
from tests.alerts.facts_support import POLICY, plans_of
from tests.alerts.stepping import Stepper
from tests.oracle.building import Ledger, moment

MANY = 9_300
"""So many of the largest costs are more than a 64-bit number holds."""


def test_an_hour_that_costs_more_than_64_bits_hold_never_comes_out_below_nothing(
    clickhouse: Any, run_name: str
) -> None:
    ledger = Ledger()
    for number in range(MANY):
        clock = f"2026-03-05 10:{number % 60:02}"
        ledger.touch(f"t{number}", clock, customer_id=f"c{number % 50}", cost_minor=MAX_MONEY_MINOR, variant="A")
    ledger.touch("other", "2026-03-05 10:00", campaign="summer", cost_minor=7, variant="A")
    ledger.pay("last", "2026-03-25 12:00", customer_id="z")
    stepper = Stepper(clickhouse, run_name, ledger.log, 1, POLICY)
    port, plans = LedgerFacts(clickhouse, "roi", run_name), plans_of(ledger.log)
    live = LiveFacts(port, POLICY)
    while stepper.step(20):
        if live.refresh(budget_seconds=np.inf).as_of_ms is not None and "spring" in live.plans:
            assert live.statistics(["spring"]).cost_total[0] >= 0
    live.refresh(budget_seconds=np.inf)
    wanted = [float(MANY * MAX_MONEY_MINOR), 7.0]
    plans = {name: plans.get(name) or live.plans[name] for name in ("spring", "summer")}
    chosen, at = list(plans.values()), moment("2026-03-25 12:00")
    assert live.statistics(list(plans)).cost_total.tolist() == wanted
    assert statistics(port, chosen, at, POLICY).cost_total.tolist() == wanted
    for dimension in ("channel", "variant", "tier"):
        _, found = segment_statistics(CampaignReading(port, plans["spring"], at, POLICY), dimension)
        assert found.cost_total.tolist() == wanted[:1]
    assert [one.settled_ratio for one in read_finished(port, chosen, at, POLICY)] == [0.0, 0.0]
    past = past_of_run(port, POLICY, Range(None, None, HOUR_MS), "run live", chosen)
    for history, cost in zip(past.histories, wanted, strict=True):
        steps = np.array([0, 1, past.grid.steps - 1])
        assert history.statistics(steps).cost_total[-1] == pytest.approx(cost, rel=1e-15)
        assert (history.statistics(steps).cost_total >= 0).all()


NUMBERS = [0, 1, -1, 2**62, -(2**62), 2**63 - 1, -(2**63), 2**63, 10**18 * 93, -(10**25)]


def test_sums_of_128_bits_are_whole_as_far_as_64_hold_them() -> None:
    kind = np.dtype(WIDE)

    def read(numbers: list[int]) -> Any:
        return amounts_of(np.frombuffer(b"".join(each.to_bytes(16, "little", signed=True) for each in numbers), kind))

    assert read(NUMBERS[:7]).dtype == np.int64
    assert read(NUMBERS[:7]).tolist() == NUMBERS[:7]
    assert read(NUMBERS).tolist() == [float(each) for each in NUMBERS]


def test_what_fits_is_added_exactly_and_what_does_not_never_wraps() -> None:
    whole = summed(np.array([0, 1, 0]), amounts([2**60 + 1, 5, 2**60]), 2)
    assert whole.tolist() == [2**61 + 1, 5]
    most = 2**61
    wide = summed(np.zeros(9, np.int64), amounts([most] * 9), 1)
    assert wide.tolist() == [9.0 * most]
    assert total(amounts([most] * 9)) == 9 * most
    assert total(amounts([2**70, 1])) == 2.0**70
    assert summed(np.zeros(0, np.int64), amounts([]), 0).tolist() == []
