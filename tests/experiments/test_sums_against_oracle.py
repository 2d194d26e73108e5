"""An experiment's sums in ClickHouse against a batch over the raw events, after disorder, reversals and crashes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import UserError
from pipeline.experiments.facts import METRICS, ArmDay
from pipeline.experiments.moments import NOTHING, Moments
from pipeline.experiments.reading import Question, read_experiment
from pipeline.ledger.ledger import ClickHouseLedger
from pipeline.state.campaign_registry import CampaignRules
from pipeline.state.policy import Policy
from tests.experiments.samples import moments_of
from tests.oracle.building import Ledger
from tests.oracle.config import OracleConfig
from tests.oracle.events import Campaign
from tests.oracle.experiments import Unit, units
from tests.oracle.facts import Facts
from tests.oracle.generators import random_log
from tests.oracle.story import Shape
from tests.oracle.verdicts import judge
from tests.support.core_player import CorePlayer
from tests.support.depth import depth

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.oracle.log import Log

SHAPE = Shape(customers=9, campaigns=2, bad_share=0.02)
DAY_MS = 86_400_000
EPOCH = date(1970, 1, 1).toordinal()
Key = tuple[str, str, int, int, bool]


def facts_of(log: Log, run: str) -> Facts:
    config = OracleConfig(run=run)
    return Facts(judge(log, config), config)


def play(client: Any, run: str, log: Log, seed: int) -> ClickHouseLedger:
    CorePlayer(client, "roi", run, Policy(future_ms=None, pseudonym_key=b"oracle"), log).play(Random(seed), crashes=3)
    return ClickHouseLedger(client, "roi", run, "")


def rules_for(campaign: Campaign) -> CampaignRules:
    return CampaignRules(
        campaign.window_ms,
        campaign.kinds,
        campaign.products,
        campaign.min_amount_minor,
        campaign.margins_bps,
        campaign.control_variant,
    )


def expected(facts: Facts, found: Iterable[Unit], window_ms: int, as_of: int) -> dict[Key, dict[str, Moments]]:
    groups: dict[Key, list[Unit]] = {}
    for unit in found:
        end = unit.assigned_at + window_ms
        days = facts.business_day(unit.assigned_at) - EPOCH, facts.business_day(end) - EPOCH
        groups.setdefault((unit.variant, unit.tier, *days, end < as_of), []).append(unit)
    return {
        key: {
            metric: moments_of([one.after[at] for one in group], [one.before[at] for one in group])
            for at, metric in enumerate(METRICS)
        }
        | {"spending": moments_of([one.after[1] for one in group], [one.cost_minor for one in group])}
        for key, group in groups.items()
    }


def actual(days: Iterable[ArmDay]) -> dict[Key, dict[str, Moments]]:
    return {
        (day.variant, day.tier, day.assigned_day, day.end_day, day.is_over): {**day.outcomes, "spending": day.spending}
        for day in days
    }


@pytest.mark.parametrize("seed", range(depth(15)))
def test_sums_are_those_of_a_batch_over_the_raw_events(clickhouse: Any, run_name: str, seed: int) -> None:
    random = Random(seed)
    log = random_log(1200 + seed, 500, shape=replace(SHAPE, partitions=random.choice((1, 3))))
    facts = facts_of(log, run_name)
    port = play(clickhouse, run_name, log, seed)
    as_of = port.fetch("experiment_clock")[0][0]
    compared = 0
    for campaign_id in sorted({touch.campaign_id for touch in facts.touches}):
        for window_ms in (7 * DAY_MS, random.choice((1, DAY_MS // 3, 40 * DAY_MS))):
            campaign = some_goal(random)
            wanted = units(facts, campaign_id, campaign, window_ms)
            found = read_experiment(port, run_name, Question(campaign_id, rules_for(campaign), window_ms))
            assert found.left_out == sum(unit.in_two for unit in wanted)
            kept = [unit for unit in wanted if not unit.in_two]
            assert actual(found.days) == expected(facts, kept, window_ms, as_of)
            assert found.event_costs == costs_of(facts, campaign_id)
            compared += len(kept)
    assert compared


def some_goal(random: Random) -> Campaign:
    kinds = random.choice((None, frozenset({"deposit", "withdrawal"}), frozenset({"payment", "deposit", "transfer"})))
    margins = {"deposit": random.choice((0, 137, -250)), "payment": 33, "transfer": -7}
    least = random.choice((0, 0, 500))
    return Campaign(kinds, None, least, 7 * DAY_MS, "control", margins)


def costs_of(facts: Facts, campaign_id: str) -> dict[str, int]:
    sums: dict[str, int] = {}
    for cost in facts.costs:
        if cost.campaign_id == campaign_id:
            sums[cost.variant] = sums.get(cost.variant, 0) + cost.amount_minor
    return sums


GOAL = Campaign(frozenset({"deposit"}), None, 100, 7 * DAY_MS, "control", {"deposit": 100})


def read_by_hand(client: Any, run: str, ledger: Ledger, window_ms: int = 7 * DAY_MS) -> Any:
    port = play(client, run, ledger.log, 1)
    return read_experiment(port, run, Question("spring", rules_for(GOAL), window_ms))


def test_the_contract_worked_by_hand(clickhouse: Any, run_name: str) -> None:
    ledger = Ledger()
    assign: dict[str, Any] = {"kind": "assign", "cost_minor": 3}
    ledger.touch("a1", "2026-03-05 12:00", customer_id="ann", variant="A", **assign)
    ledger.touch("a2", "2026-03-05 12:00", customer_id="bob", variant="control", **assign)
    ledger.touch("a3", "2026-03-06 12:00", customer_id="cat", variant="A", **assign)
    ledger.touch("a4", "2026-03-07 12:00", customer_id="cat", variant="control", **assign)
    ledger.touch("a5", "2026-03-08 12:00", customer_id="ann", variant="A", kind="send", cost_minor=40)
    ledger.pay("t0", "2026-03-05 11:59", 7_000)  # before: only what was behaviour then
    ledger.pay("t1", "2026-03-05 12:00", 10_000)  # both ends belong to the window
    ledger.pay("t5", "2026-03-06 12:00", 99)  # below the goal's amount
    ledger.pay("t6", "2026-03-06 12:00", 30_000, customer_id="bob")
    ledger.pay("t7", "2026-03-06 13:00", 10_000, customer_id="bob", reverses="t6")
    ledger.pay("t2", "2026-03-12 12:00", 20_000)
    ledger.pay("t3", "2026-03-12 12:00:30", 50_000, reverses="t2")
    ledger.pay("t4", "2026-03-12 12:01", 90_000)
    ledger.login("2026-03-04 23:00")
    ledger.login("2026-03-05 08:00")
    ledger.login("2026-03-05 23:00")
    ledger.login("2026-03-12 23:00")
    ledger.login("2026-03-13 01:00")
    found = read_by_hand(clickhouse, run_name, ledger)
    assert found.left_out == 1
    arms = {day.variant: day for day in found.days}
    assert arms["A"].outcomes["converted"] == Moments(1, 1, 1, 1, 1, 1, 1)
    assert arms["A"].outcomes["return"] == Moments(1, 1, 100, 10_000, 70, 4_900, 7_000)
    assert arms["A"].outcomes["aum"] == Moments(1, 1, 10_000, 10**8, 7_000, 49 * 10**6, 7 * 10**7)
    assert arms["A"].outcomes["logins"] == Moments(1, 1, 2, 4, 1, 1, 2)
    assert arms["A"].spending == Moments(1, 1, 100, 10_000, 43, 43 * 43, 4_300)
    assert arms["control"].outcomes["return"] == Moments(1, 1, 200, 40_000)
    assert arms["A"].is_over


def test_without_assignments_the_first_creditable_touch_decides(clickhouse: Any, run_name: str) -> None:
    ledger = Ledger()
    ledger.touch("s1", "2026-03-05 12:00", customer_id="ann", variant="B")
    ledger.touch("s2", "2026-03-06 12:00", customer_id="bob", variant="A")
    ledger.touch("s3", "2026-03-05 12:00", customer_id="bob", variant="control")
    ledger.touch("s4", "2026-03-05 12:00", customer_id="cat", variant="control")
    found = read_by_hand(clickhouse, run_name, ledger)
    assert not found.by_assignment
    assert found.customers() == {"A": 1, "B": 1}
    assert not any(day.is_over for day in found.days)


def test_a_window_is_over_once_the_clock_has_passed_its_end(clickhouse: Any, run_name: str) -> None:
    ledger = Ledger()
    ledger.touch("a1", "2026-03-05 12:00", variant="A", kind="assign")
    ledger.touch("a2", "2026-03-05 12:00:01", customer_id="bob", variant="A", kind="assign")
    ledger.pay("t1", "2026-03-06 12:00:01")
    found = read_by_hand(clickhouse, run_name, ledger, DAY_MS)
    assert [(day.spending.customers, day.is_over) for day in found.days] == [(1, False), (1, True)]


@pytest.mark.parametrize(("run", "campaign", "word"), [("nowhere", "spring", "no run"), (None, "autumn", "no touch")])
def test_what_is_not_there_is_an_error(
    clickhouse: Any, run_name: str, run: str | None, campaign: str, word: str
) -> None:
    ledger = Ledger()
    ledger.touch("a1", "2026-03-05 12:00", variant="A", kind="assign")
    play(clickhouse, run_name, ledger.log, 1)
    port = ClickHouseLedger(clickhouse, "roi", run or run_name, "")
    with pytest.raises(UserError, match=word):
        read_experiment(port, run or run_name, Question(campaign, rules_for(GOAL), DAY_MS))


def test_nothing_is_the_sum_of_nobody() -> None:
    assert moments_of([]) == NOTHING
