from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench import boards
from bench.figures import board_rows
from dashboards.registry import PANELS
from pipeline.clickhouse.connection import connect
from pipeline.ledger.ledger import ClickHouseLedger
from pipeline.ledger.loader import Loader
from pipeline.policies import policy_of
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.worker.shard import OwnedShard
from schemas.campaign import Campaign
from schemas.topics import CAMPAIGN_LANE, CUSTOMER_LANE
from tests.support.cluster import running_cluster
from tests.support.kafka import running_tansu

if TYPE_CHECKING:
    from pathlib import Path

SIZE = boards.Size(campaigns=10, days=2, customers=300)


@pytest.mark.process
@pytest.mark.slow
def test_a_filled_ledger_answers_every_panel_and_a_worker_can_take_it_over(tmp_path: Path) -> None:
    with running_tansu() as bootstrap, running_cluster(bootstrap, tmp_path, "only-life") as cluster:
        filled = boards.fill(cluster.settings, SIZE)
        client = connect(cluster.settings, "writer")
        sums = {
            client.query(f"SELECT sum(touches), sum(cost_minor), sum(return_minor) FROM roi.{view}").result_rows[0]
            for view in ("campaign_minutes", "campaign_hours", "campaign_days")
        }
        assert len(sums) == 1
        assert filled.rows > SIZE.campaigns * SIZE.days * 1440
        found = boards.report(boards.measure(cluster.settings, 1))
        assert {panel for board in found.values() for panel in board["panels"]} == {
            panel.id for panel in PANELS.values() if panel.source == "clickhouse"
        }
        definitions = client.query("SELECT definition FROM roi.campaign_log").result_rows
        assert len({Campaign.model_validate_json(text).campaign_id for (text,) in definitions}) == SIZE.campaigns
        policy = policy_of(cluster.settings)
        shards = [
            OwnedShard(lane, partition, policy, CampaignRegistry(policy))
            for lane in (CUSTOMER_LANE, CAMPAIGN_LANE)
            for partition in range(cluster.settings.kafka_partitions)
        ]
        ledger = ClickHouseLedger(client, "roi", "live", "next")
        Loader(ledger, policy, 0).load({shard.number: shard.core for shard in shards})
        assert sum(shard.core.customer_count for shard in shards) == SIZE.customers
        client.close()


def test_a_board_stands_beside_its_target() -> None:
    board = {"p50_ms": 40.2, "p95_ms": 180.6, "queries": 60, "panels": {"users-tiers": 190.0, "users-mau": 20.0}}
    found = {
        "campaigns": 200,
        "days": 90,
        "customers": 1_000_000,
        "rows": 47_000_000,
        "rollup_seconds": 31.7,
        "rate": 4_998.2,
        "boards": {"users": board | {"slowest": "users-tiers", "opened_p95_ms": {"24": 310.0, "168": 420.4}}},
    }
    row, ledger = board_rows(found)
    assert (row.measured, row.result) == ("board users: 2 panels' queries", "p50 40 ms, p95 181 ms (target 200)")
    assert row.beside == "slowest users-tiers: p95 190 ms; all at once: p95 420 ms"
    assert ledger.measured == "boards' ledger: 200 campaigns, 90 days, 1,000,000 customers"
    assert ledger.result == "4,998 events/s came in"
