from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.oracle.generators import interleaved, random_log
from tests.oracle.story import Shape
from tests.replay.comparing import differences, sizes
from tests.replay.running import replay
from tests.support.cluster import Cluster, running_cluster
from tests.support.kafka import running_kafka, running_tansu
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]
SHAPE = Shape(customers=40, campaigns=8, partitions=3, huge_share=0.0)


@pytest.fixture(params=["tansu", pytest.param("kafka", marks=pytest.mark.kafka)])
@starts_process
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    broker = running_tansu if request.param == "tansu" else running_kafka
    incarnation = "only-life" if request.param == "tansu" else ""
    with broker() as bootstrap, running_cluster(bootstrap, tmp_path, incarnation) as running:
        yield running


def test_a_replay_equals_live_row_for_row(cluster: Cluster) -> None:
    random = Random(3)
    cluster.start_worker()
    cluster.produce(interleaved(random_log(3, 3_000, shape=SHAPE), random))
    cluster.drain()
    replay(cluster, "again")
    assert differences(cluster, "again") == {}
    assert all(sizes(cluster, "again").values()), "every view must have had something to compare"
    replay(cluster, "again-in-two", "--parallel", "2")
    assert differences(cluster, "again-in-two") == {}
