from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.metrics.definitions import BOARD_PREFIX, COUNTED_FOR_BOARDS
from pipeline.state.policy import Policy
from tests.figures import expected_bank, expected_budgets, expected_campaigns
from tests.figures.comparing import differences, read
from tests.oracle.building import Ledger
from tests.oracle.config import OracleConfig
from tests.oracle.facts import Facts
from tests.oracle.generators import random_log
from tests.oracle.story import Shape
from tests.oracle.verdicts import judge
from tests.support.core_player import CorePlayer
from tests.support.depth import depth

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.oracle.facts import Row
    from tests.oracle.log import Log

FIGURES: dict[str, Callable[[Facts], list[Row]]] = {
    "channel_mix": expected_bank.channel_mix,
    "transaction_figures": expected_bank.transaction_figures,
    "customer_figures": expected_bank.customer_figures,
    "campaign_new_customers": expected_campaigns.campaign_new_customers,
    "campaign_recommendations": expected_campaigns.campaign_recommendations,
    "campaign_automation": expected_campaigns.campaign_automation,
    "campaign_aum": expected_campaigns.campaign_aum,
    "campaign_aum_costs": expected_campaigns.campaign_aum_costs,
    "campaign_costs": expected_budgets.campaign_costs,
    "campaign_vouchers": expected_budgets.campaign_vouchers,
}
# whether a campaign's period without cost and without success is a row is left open
ZERO_ROWS_OPEN = {"campaign_new_customers", "campaign_aum_costs"}
SHAPE = Shape(customers=8, bad_share=0.03)
RETURNING = Shape(customers=3, campaigns=2, partitions=2, span_days=60, bad_share=0.02, returning_share=0.5)
ELSEWHERE = "America/New_York"


def policy(zone: str = "Asia/Shanghai") -> Policy:
    return Policy(future_ms=None, pseudonym_key=b"oracle", zone=zone)


def facts_of(log: Log, run: str, zone: str = "Asia/Shanghai") -> Facts:
    config = OracleConfig(run=run, zone=zone)
    return Facts(judge(log, config), config)


def play(client: Any, run: str, log: Log, seed: int, *, crashes: int = 4, zone: str = "Asia/Shanghai") -> CorePlayer:
    player = CorePlayer(client, "roi", run, policy(zone), log)
    player.play(Random(seed), crashes=crashes)
    return player


def all_differences(client: Any, run: str, facts: Facts) -> dict[str, list[str]]:
    found = {
        view: differences(expected(facts), read(client, view, run), zero_rows=view not in ZERO_ROWS_OPEN)
        for view, expected in FIGURES.items()
    }
    found |= {
        f"{BOARD_PREFIX}{view}": differences(read(client, view, run), read(client, f"{BOARD_PREFIX}{view}", run))
        for view in COUNTED_FOR_BOARDS
    }
    return {view: lines for view, lines in found.items() if lines}


@pytest.mark.parametrize("seed", range(depth(6)))
def test_figures_survive_crashes_and_lateness(clickhouse: Any, run_name: str, seed: int) -> None:
    log = random_log(500 + seed, 400, shape=SHAPE)
    play(clickhouse, run_name, log, seed)
    assert all_differences(clickhouse, run_name, facts_of(log, run_name)) == {}


@pytest.mark.parametrize("seed", range(depth(3)))
def test_figures_tell_two_events_of_one_id_apart(clickhouse: Any, run_name: str, seed: int) -> None:
    log = random_log(900 + seed, 300, shape=RETURNING)
    play(clickhouse, run_name, log, seed)
    assert all_differences(clickhouse, run_name, facts_of(log, run_name)) == {}


def test_periods_follow_the_zone_of_the_run(clickhouse: Any, run_name: str) -> None:
    log = random_log(600, 300, shape=SHAPE)
    clickhouse.command(
        "INSERT INTO roi.runs (run, fingerprint, settings, models, zone) VALUES",
        data=f"('{run_name}', '{policy(ELSEWHERE).fingerprint()}', 'test', ['last_touch'], '{ELSEWHERE}')",
    )
    play(clickhouse, run_name, log, 1, zone=ELSEWHERE)
    there, here = facts_of(log, run_name, ELSEWHERE), facts_of(log, run_name)
    assert all_differences(clickhouse, run_name, there) == {}
    assert expected_bank.channel_mix(there) != expected_bank.channel_mix(here), "the zones must tell the log apart"


def test_an_empty_log_has_no_figures(clickhouse: Any, run_name: str) -> None:
    play(clickhouse, run_name, {}, 1)
    assert all_differences(clickhouse, run_name, facts_of({}, run_name)) == {}


@pytest.mark.parametrize("seed", range(depth(4)))
def test_vouchers_close_the_oldest_first(clickhouse: Any, run_name: str, seed: int) -> None:
    random = Random(seed)
    ledger = Ledger()
    for number in range(150):
        ledger.touch(
            f"v{number}",
            f"2026-03-0{random.randint(1, 3)} 10:0{random.randint(0, 9)}",
            customer_id=random.choice(("ann", "bob", "cat")),
            campaign=random.choice(("spring", "summer")),
            kind=random.choice(("voucher_issue", "voucher_redeem", "send")),
            cost_minor=2 ** random.randint(0, 20),
            variant=random.choice((None, "control")),
        )
    play(clickhouse, run_name, ledger.log, seed)
    facts = facts_of(ledger.log, run_name)
    found = read(clickhouse, "campaign_vouchers", run_name)
    assert differences(expected_budgets.campaign_vouchers(facts), found) == []
    assert all(row["open"] and row["unmatched_redemptions"] for row in found), "both ends of the queue must be met"


def _plan(random: Random, as_of: datetime) -> Row:
    starts = as_of + timedelta(days=random.choice((-300, -30, -1, 0, 20)), seconds=0.125)
    length = random.choice((None, timedelta(), timedelta(days=5.5), timedelta(days=90)))
    return {
        "starts_at": starts.isoformat(),
        "ends_at": None if length is None else (starts + length).isoformat(),
        "budget_minor": random.choice((None, 0, 1, 25_000, 10**15)),
    }


@pytest.mark.parametrize("seed", range(depth(4)))
def test_budgets_and_their_pace(clickhouse: Any, run_name: str, seed: int) -> None:
    random = Random(seed)
    log = random_log(700 + seed, 200, shape=SHAPE)
    facts = facts_of(log, run_name)
    as_of = expected_budgets.largest_watermark(log, facts)
    assert as_of is not None
    touched = sorted({touch.campaign_id for touch in facts.touches})[1:]  # one campaign stays without a definition
    definitions = {name: _plan(random, as_of) for name in [*touched, f"quiet-{seed}"]}
    player = play(clickhouse, run_name, log, seed)
    clickhouse.command("TRUNCATE TABLE roi.campaign_log")
    for name, plan in definitions.items():
        player.ledger.execute("write_campaign", campaign_id=name, definition=json.dumps(plan), version=1)
    found = read(clickhouse, "campaign_budget", run_name)
    assert differences(expected_budgets.campaign_budget(facts, definitions, as_of), found) == []
    assert {datetime.fromisoformat(row["as_of"]).replace(tzinfo=UTC) for row in found} == {as_of}


def test_costs_add_up_to_the_campaign_totals(clickhouse: Any, run_name: str) -> None:
    play(clickhouse, run_name, random_log(800, 300, shape=SHAPE), 1)
    apart = clickhouse.query(f"""
        SELECT run, campaign_id FROM roi.campaign_totals
        FULL JOIN (
            SELECT run, campaign_id, sum(cost_minor) AS total FROM roi.campaign_costs GROUP BY run, campaign_id
        ) AS costs USING (run, campaign_id)
        WHERE run = '{run_name}' AND cost_minor != total""").result_rows
    assert list(apart) == []
