from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.oracle.generators import interleaved, random_log
from tests.oracle.story import Shape
from tests.support.cluster import Cluster, running_cluster
from tests.support.kafka import running_tansu
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Iterator

LOG = random_log(4, 6_000, shape=Shape(customers=40, campaigns=8, partitions=2, huge_share=0.0))


@pytest.fixture(scope="session")
@starts_process
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster whose worker has counted everything and is gone."""
    with (
        running_tansu() as bootstrap,
        running_cluster(bootstrap, tmp_path_factory.mktemp("replay"), "only-life", partitions=2) as running,
    ):
        worker = running.start_worker()
        running.produce(interleaved(LOG, Random(4)))
        running.drain()
        running.kill_worker(worker)
        yield running
