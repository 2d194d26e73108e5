from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from schemas import topics
from tests.oracle.compare import differences
from tests.oracle.config import OracleConfig
from tests.oracle.evaluate import evaluate
from tests.oracle.log import Log, Record
from tests.replay.conftest import LOG
from tests.replay.running import replay, roi
from tests.state.rules import CAMPAIGN_VIEWS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cluster import Cluster

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]


def with_table(topic: str, bodies: dict[str, dict[str, Any]]) -> Log:
    """Return the log with other records in one dimension topic."""
    records = [
        Record(topic, 0, offset, key.encode(), json.dumps(body).encode())
        for offset, (key, body) in enumerate(bodies.items())
    ]
    return {place: each for place, each in LOG.items() if place[0] != topic} | {(topic, 0): records}


def keys_of(topic: str) -> list[str]:
    found = {record.key.decode() for place, each in LOG.items() if place[0] == topic for record in each if record.key}
    return sorted(found)


def test_definitions_of_a_file_take_the_place_of_the_topics(counted: Cluster, tmp_path: Path) -> None:
    names = {json.loads(record.value or b"{}").get("campaign_id") for record in LOG[topics.TOUCHES, 0][:200]} - {None}
    bodies = {
        name: {
            "campaign_id": name,
            "name": f"What if {name}",
            "starts_at": "2026-03-01T00:00:00Z",
            "goal": {"kinds": ["payment", "transfer"]},
            "attribution_window_days": 2.5,
            "margins_bps": {"payment": 40},
        }
        for name in sorted(names)
        if isinstance(name, str) and name.isascii()
    }
    file = tmp_path / "campaigns.json"
    file.write_text(json.dumps(list(bodies.values())))
    replay(counted, "other-goals", "--campaigns", str(file))
    expected = evaluate(with_table(topics.CAMPAIGNS, bodies), OracleConfig(run="other-goals"))
    assert differences(expected, counted.views(run="other-goals"), run="other-goals", views=CAMPAIGN_VIEWS) == []
    stored = counted.rows("SELECT campaign_id, attribution_window_days FROM roi.run_plans WHERE run = 'other-goals'")
    assert dict(stored) == dict.fromkeys(bodies, 2.5)
    of_live = counted.rows("SELECT count() FROM roi.run_plans WHERE run = 'live' AND startsWith(name, 'What if')")
    assert of_live == [(0,)]
    forecasts = roi(counted, "forecast", "--run", "other-goals", "--json")
    windows = {row["campaign_id"]: row["window_days"] for row in json.loads(forecasts.stdout)}
    assert {windows[name] for name in bodies if name in windows} == {2.5}


def test_profiles_of_a_file_take_the_place_of_the_topics(counted: Cluster, tmp_path: Path) -> None:
    customers = keys_of(topics.LOGINS)
    bodies = {
        name: {"customer_id": name, "tier": "abc"[place % 3]} for place, name in enumerate(customers) if place % 4
    }
    file = tmp_path / "customers.ndjson.gz"
    file.write_bytes(gzip.compress("\n".join(json.dumps(body) for body in bodies.values()).encode()))
    replay(counted, "other-tiers", "--customers", str(file), "--models", "linear,last_touch", "--parallel", "2")
    expected = evaluate(with_table(topics.CUSTOMERS, bodies), OracleConfig(model="linear", run="other-tiers"))
    views = counted.views(run="other-tiers")
    views["credits"] = [row for row in views["credits"] if row.get("model", "linear") == "linear"]
    assert differences(expected, views, run="other-tiers", views=CAMPAIGN_VIEWS) == []
    tiers = counted.rows("SELECT DISTINCT tier FROM roi.campaign_tier_totals WHERE run = 'other-tiers'")
    assert {tier for (tier,) in tiers} >= {"a", "b", "c", "unknown"}
