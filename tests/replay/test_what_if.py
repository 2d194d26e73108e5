from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from schemas import topics
from tests.oracle.compare import differences
from tests.oracle.config import DAY_MS, OracleConfig
from tests.oracle.evaluate import evaluate
from tests.oracle.experiments import METRICS, units
from tests.oracle.facts import Facts
from tests.oracle.log import Log, Record
from tests.oracle.verdicts import judge
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
    names = {touch.campaign_id for touch in judge(LOG, OracleConfig()).touches[:200]}
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
        if name.isascii()
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
    views = counted.views("model_credits", run="other-tiers")
    assert {row["model"] for row in views["model_credits"]} == {"linear", "last_touch"}
    assert differences(expected, views, run="other-tiers", views=CAMPAIGN_VIEWS) == []
    tiers = counted.rows("SELECT DISTINCT tier FROM roi.campaign_tier_totals WHERE run = 'other-tiers'")
    assert {tier for (tier,) in tiers} >= {"a", "b", "c", "unknown"}


def test_an_experiment_counts_as_its_run_was_asked_to(counted: Cluster, tmp_path: Path) -> None:
    defined = {
        name: {
            "campaign_id": name,
            "name": name,
            "starts_at": "2026-03-01T00:00:00Z",
            "goal": {"kinds": ["payment", "transfer", "deposit"]},
            "attribution_window_days": 2.5,
            "margins_bps": {"payment": 40, "deposit": 7},
            "control_variant": "holdout",
        }
        for name in ("n7", "wide")
    }
    file = tmp_path / "campaigns.json"
    file.write_text(json.dumps(list(defined.values())))
    options = ("--model", "linear", "--set", "attribution.window_days=3", "--campaigns", str(file))
    replay(counted, "other-experiment", *options)
    config = OracleConfig(run="other-experiment", model="linear", window_days=3.0)
    facts = Facts(judge(with_table(topics.CAMPAIGNS, defined), config), config)
    credited = evaluate(with_table(topics.CAMPAIGNS, defined), config).rows["campaign_variant_totals"]
    for name, window_ms in (("n7", 5 * DAY_MS // 2), ("wide", 5 * DAY_MS // 2), ("0", 3 * DAY_MS), ("n6", 3 * DAY_MS)):
        control = "holdout" if name in defined else "control"
        goal = facts.catalogue.of(next(touch for touch in facts.touches if touch.campaign_id == name))
        people = units(facts, name, goal, window_ms)
        told = roi(counted, "ab", name, "--run", "other-experiment", "--json")
        assert told.returncode == 0, told.stderr
        rows = {(row["metric"], row["variant"]): row for row in json.loads(told.stdout)}
        arms = {unit.variant for unit in people if not unit.in_two}
        assert {variant for _, variant in rows} == arms > {control}
        for (metric, variant), row in rows.items():
            of_arm = [unit for unit in people if unit.variant == variant and not unit.in_two]
            place = METRICS.index(metric)
            assert (row["n"], row["window_days"], row["control"]) == (len(of_arm), window_ms / DAY_MS, control)
            assert row["mean"] == pytest.approx(sum(unit.after[place] for unit in of_arm) / len(of_arm))
            assert row["customers_left_out"] == sum(unit.in_two for unit in people)
            if variant != control:
                of_variant = [one for one in credited if (one["campaign_id"], one["variant"]) == (name, variant)]
                assert row["attributed_return_minor"] == sum(one["return_minor"] for one in of_variant)
