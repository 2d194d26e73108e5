"""A replay against live and against the batch: after kills of both, copies, late events, reversals and an erasure."""

from __future__ import annotations

import json
import signal
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from schemas.topics import CUSTOMERS, TRANSACTIONS
from tests.erasure.player import dead_letters_of, without
from tests.oracle.compare import differences
from tests.oracle.config import OracleConfig
from tests.oracle.generators import interleaved, random_log
from tests.oracle.story import Shape
from tests.replay.running import frozen_in_the_middle, replaying, roi
from tests.support.cluster import Cluster, running_cluster
from tests.support.kafka import running_kafka, running_tansu
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.oracle.log import Log

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]
SHAPE = Shape(customers=40, campaigns=8, partitions=3, huge_share=0.0)
RUN = "again"


@pytest.fixture(params=["tansu", pytest.param("kafka", marks=pytest.mark.kafka)])
@starts_process
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    broker = running_tansu if request.param == "tansu" else running_kafka
    incarnation = "only-life" if request.param == "tansu" else ""
    with broker() as bootstrap, running_cluster(bootstrap, tmp_path, incarnation) as running:
        yield running


def busiest(log: Log) -> str:
    """Return the customer who has the most transactions."""
    keys = [record.key for place, records in log.items() if place[0] == TRANSACTIONS for record in records]
    names = [key.decode() for key in keys if key]
    return max(sorted(set(names)), key=names.count)


def durable(cluster: Cluster) -> int:
    found = cluster.rows(f"SELECT sum(next_offset) FROM roi.positions WHERE run = '{RUN}' AND topic != '{CUSTOMERS}'")
    return int(found[0][0])


def test_after_kills_and_an_erasure_a_replay_equals_live_and_the_batch(cluster: Cluster) -> None:
    log = random_log(41, 6_000, shape=SHAPE)
    customer = busiest(log)
    records = interleaved(log, Random(41))
    worker = cluster.start_worker()
    for start in range(0, len(records), 2_000):
        cluster.produce(records[start : start + 2_000])
        cluster.wait_until(lambda: cluster.read_so_far() > 0, "the first block")
        cluster.kill_worker(worker)
        worker = cluster.start_worker()
    cluster.drain()
    erased = roi(cluster, "erase", customer)
    assert erased.returncode == 0, erased.stderr

    with replaying(cluster, RUN, ROI_WORKER__FETCH_RECORDS="1") as process:
        frozen_in_the_middle(cluster, RUN, process, lambda: durable(cluster))
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    state = f"SELECT state FROM roi.run_states WHERE run = '{RUN}'"
    cluster.wait_until(lambda: cluster.rows(state) == [("interrupted",)], "the silence of a killed replay")
    assert 0 < durable(cluster) < cluster.read_so_far(), "it must have been killed in the middle"

    ended = roi(cluster, "replay", "--run", RUN, "--resume", "--parallel", "2", "--verify", "--json")
    answer = json.loads(ended.stdout)["verify"]
    assert ended.returncode == 0, [view for view in answer["views"] if view["differing"]]
    assert answer["equal"]
    assert min(view[RUN] for view in answer["views"]) >= 0
    assert answer["rows"] > 1_000

    own = dead_letters_of(log, customer)

    def others(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row for row in rows if (row["topic"], int(row["partition"]), int(row["offset"])) not in own]

    expected, actual = without(log, OracleConfig(), customer), cluster.views(run=RUN)
    rows = dict(expected.rows)
    rows["dead_letters"] = others(rows["dead_letters"])
    assert len(others(actual["dead_letters"])) == len(actual["dead_letters"]), "a replay has no letter of the erased"
    assert differences(type(expected)(rows, expected.judged), actual, run=RUN) == []
