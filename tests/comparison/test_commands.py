from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING

import pytest

from pipeline.clickhouse.connection import connect
from pipeline.clickhouse.reader import Reader
from pipeline.comparison.views import compared_views
from tests.oracle.generators import interleaved, random_log
from tests.oracle.story import Shape
from tests.replay.running import roi
from tests.support.cluster import Cluster, running_cluster
from tests.support.kafka import running_tansu
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]
SHAPE = Shape(customers=20, campaigns=6, partitions=2, huge_share=0.0)
LONG = "x" * 64
NAME = "\x1b[31m名" + "n" * 190


@pytest.fixture(scope="module")
@starts_process
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster whose worker counts on."""
    with (
        running_tansu() as bootstrap,
        running_cluster(bootstrap, tmp_path_factory.mktemp("verify"), "only-life", partitions=2) as running,
    ):
        running.start_worker()
        running.produce(interleaved(random_log(8, 2_000, shape=SHAPE), Random(8)))
        running.drain()
        yield running


def test_verify_compares_every_view_with_live_and_says_how_many_rows(cluster: Cluster) -> None:
    ended = roi(cluster, "replay", "--run", "check", "--verify")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    views = [view.name for view in compared_views(Reader(cluster.settings), "roi")]
    assert [
        line.split()[0] for line in ended.stdout.splitlines() if line.split()[:1] and line.split()[0] in views
    ] == views
    assert "run check equals live: " in ended.stdout
    assert "no difference" in ended.stdout


def test_a_row_that_was_changed_is_named_and_the_exit_code_is_1(cluster: Cluster) -> None:
    assert roi(cluster, "replay", "--run", "spoilt").returncode == 0
    client = connect(cluster.settings, "writer")
    client.command(
        "INSERT INTO roi.ledger SELECT * REPLACE (version + 1 AS version, "
        "arrayMap((m, i) -> m + (i = 5), measures, arrayEnumerate(measures)) AS measures) "
        "FROM roi.ledger FINAL WHERE run = 'spoilt' AND kind = 'minute' LIMIT 1"
    )
    client.close()
    ended = roi(cluster, "replay", "--run", "spoilt", "--resume", "--verify")
    assert ended.returncode == 1, ended.stdout
    assert "run spoilt differs from live in" in ended.stdout
    assert "campaign_minutes: 2 rows differ; the first:" in ended.stdout
    answer = json.loads(roi(cluster, "replay", "--run", "spoilt", "--resume", "--verify", "--json").stdout)["verify"]
    assert not answer["equal"]
    (minutes,) = (view for view in answer["views"] if view["view"] == "campaign_minutes")
    (first,) = minutes["first"]
    assert first["spoilt"]["cost_minor"] - first["live"]["cost_minor"] == 1
    assert answer["grounds"] == []


def test_a_what_if_says_first_that_it_counts_otherwise(cluster: Cluster) -> None:
    ended = roi(cluster, "replay", "--run", "what-if", "--set", "attribution.window_days=0.5", "--verify")
    assert ended.returncode == 1
    first, second = ended.stdout.splitlines()[1:3]
    assert "roi diff live what-if" in first
    assert second == "  attribution.window_days: 7.0 in live, 0.5 in what-if"
    again = ("--run", "what-if", "--set", "attribution.window_days=0.5", "--resume")
    against = roi(cluster, "replay", *again, "--verify", "--against", "what-if")
    assert (against.returncode, "run what-if equals what-if" in against.stdout) == (0, True), against.stderr


def test_a_run_to_compare_with_must_be_there_before_the_replay(cluster: Cluster) -> None:
    ended = roi(cluster, "replay", "--run", "never", "--verify", "--against", "nowhere")
    assert (ended.returncode, "there is no run 'nowhere'; name one of" in ended.stderr) == (1, True)
    assert not cluster.rows("SELECT 1 FROM roi.run_states WHERE run = 'never'")
    assert roi(cluster, "replay", "--run", "never", "--against", "live").returncode == 2


def test_the_diff_names_campaigns_measures_and_definitions(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("definitions") / "campaigns.ndjson"
    ids = [row[0] for row in cluster.rows("SELECT campaign_id FROM roi.campaign_totals WHERE run = 'live' ORDER BY 1")]
    texts = [
        {
            "campaign_id": name,
            "name": NAME,
            "starts_at": "2026-01-01T00:00:00Z",
            "goal": {"kinds": ["transfer"]},
            "attribution_window_days": 2,
        }
        for name in (ids[0], LONG)
    ]
    file.write_text("\n".join(map(json.dumps, texts)))
    assert roi(cluster, "replay", "--run", "goals", "--campaigns", str(file)).returncode == 0
    shown = roi(cluster, "diff", "live", "goals", COLUMNS="80")
    assert shown.returncode == 0, shown.stderr
    assert "campaigns differ between live and goals" in shown.stdout
    assert "\x1b" not in shown.stdout
    answer = json.loads(roi(cluster, "diff", "live", "goals", "--json").stdout)
    grounds = {ground["name"]: ground for ground in answer["grounds"]}
    assert grounds["campaigns"]["right"] == str(file)
    live = {
        row[0]: row[1:]
        for row in cluster.rows("SELECT campaign_id, return_minor, reached FROM roi.campaign_totals WHERE run = 'live'")
    }
    run = {
        row[0]: row[1:]
        for row in cluster.rows(
            "SELECT campaign_id, return_minor, reached FROM roi.campaign_totals WHERE run = 'goals'"
        )
    }
    assert {campaign["campaign_id"] for campaign in answer["campaigns"]} == live.keys() | run.keys()
    for campaign in answer["campaigns"]:
        measures, name = campaign["measures"], campaign["campaign_id"]
        assert measures["return_minor"]["difference"] == run[name][0] - live[name][0]
        assert (measures["reached"]["left"], measures["reached"]["right"]) == (live[name][1], run[name][1])
    named = {campaign["campaign_id"]: campaign["grounds"] for campaign in answer["campaigns"]}
    assert named[ids[0]]
    itself = roi(cluster, "diff", "goals", "goals")
    assert (itself.returncode, itself.stdout.splitlines()[0][:30]) == (0, "no difference between goals and"[:30])
