"""`roi erase` against a real broker, endpoint and worker."""

from __future__ import annotations

import json
import subprocess
import sys
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.settings import environment_of
from schemas import topics
from tests.erasure.player import dead_letters_of, without
from tests.oracle.compare import differences
from tests.oracle.config import OracleConfig
from tests.oracle.evaluate import Views
from tests.oracle.generators import interleaved, random_log
from tests.oracle.log import Record, log_of
from tests.oracle.murmur2 import partition_of
from tests.oracle.story import Shape
from tests.support.cluster import Cluster, running_cluster
from tests.support.endpoint import ROOT
from tests.support.kafka import running_tansu
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.oracle.log import Log

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

ORIGINAL = "n17"
CUSTOMER = "seen-nowhere-5"  # of the same partition
SHAPE = Shape(customers=25, campaigns=6, partitions=3, huge_share=0.0)


@pytest.fixture
@starts_process
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with running_tansu() as bootstrap, running_cluster(bootstrap, tmp_path, "only-life") as running:
        yield running


def test_customer_is_gone_from_numbers_rows_and_logs(cluster: Cluster, tmp_path: Path) -> None:
    log = random_log(3, 1_500, shape=SHAPE)
    records = _renamed(interleaved(log, Random(3)))
    renamed = log_of(records)
    half = len(records) // 2
    cluster.start_worker()
    cluster.produce(records[:half])
    cluster.drain()
    answer = _erase(cluster)
    assert not answer["erased_before"]
    assert answer["removed"]["touches"] > 0
    assert answer["removed"]["transactions"] > 0
    cluster.kill_worker(cluster.workers[0])
    cluster.start_worker()
    cluster.produce(records[half:])
    cluster.drain()
    assert _erase(cluster)["erased_before"]
    _assert_gone(cluster, renamed)
    name = answer["customer_hash"]
    about = f"SELECT DISTINCT toString(kind) FROM roi.ledger WHERE toString(tuple(*)) LIKE '%{name}%'"
    assert cluster.rows(about) == [("erased",)]
    for worker_log in tmp_path.glob("worker-*.log"):
        assert CUSTOMER not in worker_log.read_text()


def test_new_profile_ends_the_erasure(cluster: Cluster) -> None:
    cluster.start_worker()
    cluster.produce([_touch("before", 0)])
    cluster.drain()
    assert _erase(cluster)["removed"]["touches"] == 1
    cluster.produce([_touch("meanwhile", 1)])
    cluster.drain()
    profile = json.dumps({"customer_id": CUSTOMER, "tier": "growth"}).encode()
    cluster.produce([_record(topics.CUSTOMERS, 1, profile)])
    cluster.produce([_touch("after", 2)])
    cluster.drain()
    assert cluster.rows("SELECT campaign_id, tier, touches, reached FROM roi.campaign_tier_totals") in (
        [("spring", "growth", 1, 1)],
        [("spring", "growth", 1, 1), ("spring", "unknown", 0, 0)],
        [("spring", "unknown", 0, 0), ("spring", "growth", 1, 1)],
    )


def test_customer_nobody_knows_is_said_to_be_unknown(cluster: Cluster) -> None:
    cluster.start_worker()
    done = _run(cluster, CUSTOMER)
    assert done.returncode == 0, done.stderr
    assert "nothing was known of this customer" in done.stdout
    assert CUSTOMER not in done.stdout + done.stderr


def test_without_a_worker_it_gives_up_and_names_the_remedy(cluster: Cluster) -> None:
    done = _run(cluster, CUSTOMER, "--timeout", "0.5")
    assert done.returncode == 1
    assert "not yet read by a worker" in done.stderr
    assert CUSTOMER not in done.stdout + done.stderr


def _erase(cluster: Cluster) -> dict[str, Any]:
    done = _run(cluster, "-", "--json", standard_input=f"{CUSTOMER}\n")
    assert done.returncode == 0, f"{done.stderr}\n{cluster.log_tails()}"
    assert CUSTOMER not in done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _run(cluster: Cluster, *arguments: str, standard_input: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline", "erase", *arguments],
        cwd=ROOT,
        env=environment_of(cluster.settings),
        input=standard_input,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def _assert_gone(cluster: Cluster, log: Log) -> None:
    own = dead_letters_of(log, CUSTOMER)
    expected, actual = without(log, OracleConfig(), CUSTOMER), cluster.views()
    rows = dict(expected.rows)
    for views in (rows, actual):
        views["dead_letters"] = [
            row for row in views["dead_letters"] if (row["topic"], int(row["partition"]), int(row["offset"])) not in own
        ]
    assert differences(Views(rows, expected.judged), actual) == []


def _renamed(records: list[Record]) -> list[Record]:
    def renamed(record: Record) -> Record:
        if record.key != ORIGINAL.encode():
            return record
        value = record.value
        if value is not None:
            value = value.replace(json.dumps(ORIGINAL).encode(), json.dumps(CUSTOMER).encode())
        return record._replace(key=CUSTOMER.encode(), value=value)

    return [renamed(record) for record in records]


def _touch(event_id: str, offset: int) -> Record:
    return _record(
        topics.TOUCHES,
        offset,
        json.dumps(
            {
                "event_id": event_id,
                "occurred_at": "2026-03-01T10:00:00Z",
                "customer_id": CUSTOMER,
                "campaign_id": "spring",
                "channel": "app",
                "kind": "send",
            }
        ).encode(),
    )


def _record(topic: str, offset: int, value: bytes) -> Record:
    key = CUSTOMER.encode()
    return Record(topic, partition_of(key, SHAPE.partitions), offset, key, value)
