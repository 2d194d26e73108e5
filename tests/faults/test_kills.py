from __future__ import annotations

import os
from functools import partial
from random import Random
from typing import TYPE_CHECKING

import pytest

from schemas.topics import EVENT_TOPICS
from tests.oracle.compare import differences
from tests.oracle.config import OracleConfig
from tests.oracle.evaluate import evaluate
from tests.oracle.generators import interleaved, random_log
from tests.oracle.story import Shape
from tests.support.cluster import Cluster, running_cluster
from tests.support.depth import depth
from tests.support.kafka import running_kafka, running_tansu
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.oracle.log import Log, Record

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(1800)]

KILLS = int(os.environ.get("ROI_FAULT_KILLS", "5"))
ZOMBIES = int(os.environ.get("ROI_FAULT_ZOMBIES", "1"))
SIZE = int(os.environ.get("ROI_FAULT_EVENTS", depth(12_000)))
SHAPE = Shape(customers=400, campaigns=12, partitions=3, huge_share=0.0)


@pytest.fixture(params=["tansu", pytest.param("kafka", marks=pytest.mark.kafka)])
@starts_process
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    broker = running_tansu if request.param == "tansu" else running_kafka
    incarnation = "only-life" if request.param == "tansu" else ""
    with broker() as bootstrap, running_cluster(bootstrap, tmp_path, incarnation) as running:
        yield running


def _assert_exact(cluster: Cluster, log: Log) -> None:
    cluster.drain()
    assert differences(evaluate(log, OracleConfig()), cluster.views()) == []


def _slices(records: list[Record], count: int) -> list[list[Record]]:
    length = -(-len(records) // count)
    return [records[start : start + length] for start in range(0, len(records), length)]


def test_kills_of_workers_and_endpoint_change_no_number(cluster: Cluster) -> None:
    random = Random(20)
    log = random_log(20, SIZE, shape=SHAPE)
    cluster.start_worker()
    cluster.start_worker()
    for number, part in enumerate(_slices(interleaved(log, random), KILLS)):
        before = cluster.read_so_far() if number else 0
        cluster.produce(part)
        events = sum(record.topic in EVENT_TOPICS for record in part)  # the first part may hold definitions only
        cluster.wait_until(partial(_has_read, cluster, before + random.randint(0, events // 2)), "reading on")
        if number % 4 == 3:
            cluster.kill_endpoint()
        else:
            cluster.kill_worker(random.choice(cluster.workers))
            cluster.start_worker()
    _assert_exact(cluster, log)


def test_a_zombie_that_wakes_up_changes_no_number(cluster: Cluster) -> None:
    random = Random(21)
    log = random_log(21, SIZE, shape=SHAPE)
    pair = (cluster.start_worker(), cluster.start_worker())
    parts = _slices(interleaved(log, random), ZOMBIES + 2)
    cluster.produce(parts[0])
    cluster.drain()
    for number, part in enumerate(parts[1:-1]):
        zombie = pair[number % 2]
        cluster.wait_until(partial(_both_own_shards, cluster), "both workers owning shards")
        cluster.produce(part)
        cluster.freeze(zombie)
        cluster.drain()  # the other worker has taken over everything by then
        cluster.thaw(zombie)
    cluster.produce(parts[-1])
    _assert_exact(cluster, log)


def _has_read(cluster: Cluster, moment: int) -> bool:
    return cluster.read_so_far() >= moment


def _both_own_shards(cluster: Cluster) -> bool:
    newest = "SELECT argMax(owner, epoch) AS owner FROM roi.claims WHERE run = 'live' GROUP BY shard"
    return len({owner for (owner,) in cluster.rows(newest)}) == 2
