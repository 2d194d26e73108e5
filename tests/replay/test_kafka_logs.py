"""What only a real Kafka does to a log: transactions, deletion, recreation, more partitions."""

from __future__ import annotations

import signal
from random import Random
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions

from pipeline.transport.admin import TopicAdmin
from schemas.topics import COSTS, TOUCHES
from tests.oracle.building import Ledger
from tests.oracle.generators import interleaved, random_log
from tests.oracle.story import Shape
from tests.replay.running import frozen_in_the_middle, replay, replaying, roi, signal_all
from tests.support.cluster import Cluster, running_cluster
from tests.support.kafka import running_kafka
from tests.support.processes import starts_process
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from subprocess import Popen

    from tests.oracle.log import Record

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.kafka, pytest.mark.timeout(600)]


@pytest.fixture
@starts_process
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with running_kafka() as bootstrap, running_cluster(bootstrap, tmp_path, "", partitions=2) as running:
        yield running


def admin_of(cluster: Cluster) -> AdminClient:
    """Return a client, which must live until what it was asked is answered."""
    return AdminClient({"bootstrap.servers": cluster.settings.kafka_bootstrap_servers})


def delete_before(cluster: Cluster, topic: str, offset: int) -> None:
    """Have the first partition of a topic begin at an offset, as retention does."""
    admin = admin_of(cluster)
    for future in admin.delete_records([TopicPartition(topic, 0, offset)]).values():
        future.result(60)


def send_in_transactions(cluster: Cluster, records: Sequence[Record], size: int) -> int:
    """Send records in transactions, each after one of the same records that is aborted; return how many were."""
    producer = Producer(
        {"bootstrap.servers": cluster.settings.kafka_bootstrap_servers, "transactional.id": "proof", "linger.ms": 5}
    )
    producer.init_transactions(30)
    for start in range(0, len(records), size):
        for commits in (False, True):
            producer.begin_transaction()
            for record in records[start : start + size]:
                producer.produce(record.topic, key=record.key, value=record.value, partition=record.partition)
            assert producer.flush(30) == 0  # an abort throws away what is not sent, and is refused if nothing was
            (producer.commit_transaction if commits else producer.abort_transaction)(30)
    return -(-len(records) // size)


def test_gaps_of_markers_and_aborted_records_are_read_over(cluster: Cluster) -> None:
    log = random_log(51, 600, shape=Shape(customers=10, campaigns=4, partitions=2, huge_share=0.0))
    cluster.start_worker()
    assert send_in_transactions(cluster, interleaved(log, Random(51)), 60) > 5
    cluster.drain()
    ended = roi(cluster, "replay", "--run", "again", "--verify")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "no difference" in ended.stdout


def days_of(count: int, touches: int = 10) -> list[Record]:
    """Return so many touches, and transactions, of each day from ten o'clock on."""
    records: list[Record] = []
    ledger = Ledger()
    for day in range(1, count + 1):
        for place in range(touches):
            at = f"2026-03-{day:02} {10 + place // 60}:{place % 60:02}"
            ledger.touch(f"t{day}-{place}", at, cost_minor=5)
            ledger.pay(f"p{day}-{place}", at)
        records += ledger.records
        ledger.records.clear()
    return records


def counted(cluster: Cluster, records: Sequence[Record]) -> None:
    worker = cluster.start_worker()
    cluster.produce(records)
    cluster.drain()
    cluster.kill_worker(worker)


def end_in_the_middle(cluster: Cluster, process: Popen[str]) -> None:
    """End the replay of `slow` when some of its records are durable, and some of each topic are not read yet."""
    durable = "SELECT sum(next_offset) FROM roi.positions WHERE run = 'slow'"
    frozen_in_the_middle(cluster, "slow", process, lambda: cluster.rows(durable)[0][0])
    assert cluster.rows(durable)[0][0] < 5_000
    signal_all(process, signal.SIGCONT)
    process.terminate()
    assert process.wait(30) == 1


def test_what_retention_has_taken_is_said_and_the_rest_can_be_replayed(cluster: Cluster) -> None:
    counted(cluster, days_of(10))
    delete_before(cluster, TOUCHES, 30)  # the first three days
    refused = roi(cluster, "replay", "--run", "cut")
    assert refused.returncode == 1
    assert f"{TOUCHES} partition 0 begins at offset 30" in refused.stderr
    whole_from = "2026-03-07T02:00:00.001Z"  # the first record that is left, and the lateness
    assert f"whole from {whole_from} on" in refused.stderr
    assert f"--from {whole_from}" in refused.stderr
    assert cluster.rows("SELECT count() FROM roi.replays WHERE run = 'cut'") == [(0,)]
    replay(cluster, "rest", "--from", whole_from)
    found = "SELECT sum(touches) FROM roi.campaign_minutes WHERE run = '{run}' AND minute >= '2026-03-07 02:01:00'"
    assert cluster.rows(found.format(run="rest")) == cluster.rows(found.format(run="live")) != [(0,)]


def test_a_replay_that_is_overtaken_by_retention_says_so_and_is_resumed_by_nobody(cluster: Cluster) -> None:
    counted(cluster, days_of(20, touches=150))
    with replaying(cluster, "slow", ROI_WORKER__FETCH_RECORDS="1") as process:
        end_in_the_middle(cluster, process)
    delete_before(cluster, TOUCHES, 2_900)
    resumed = roi(cluster, "replay", "--run", "slow", "--resume")
    assert resumed.returncode == 1
    assert "has deleted records that this replay had not read yet (retention)" in resumed.stderr
    assert resumed.stderr.count("error") <= 1


def test_a_run_is_not_resumed_over_a_topic_that_was_made_anew(cluster: Cluster) -> None:
    counted(cluster, days_of(20, touches=150))
    with replaying(cluster, "slow", ROI_WORKER__FETCH_RECORDS="1") as process:
        end_in_the_middle(cluster, process)
    client = admin_of(cluster)
    client.delete_topics([COSTS])[COSTS].result(60)
    gone = roi(cluster, "replay", "--run", "slow", "--resume")
    assert (gone.returncode, f"{COSTS} was deleted since run slow began" in gone.stderr) == (1, True), gone.stderr
    with TopicAdmin(cluster.settings) as admin:
        wait_until(lambda: COSTS not in admin.topics(), 30, what="the end of the topic")
        admin.create_missing()
    anew = roi(cluster, "replay", "--run", "slow", "--resume")
    assert (anew.returncode, f"{COSTS} was recreated since run slow began" in anew.stderr) == (1, True), anew.stderr
    assert "roi runs drop slow" in anew.stderr


def test_more_partitions_than_live_counts_with_are_refused_by_name(cluster: Cluster) -> None:
    counted(cluster, days_of(2))
    client = admin_of(cluster)
    client.create_partitions([NewPartitions(TOUCHES, 4)])[TOUCHES].result(60)
    refused = roi(cluster, "replay", "--run", "grown")
    assert refused.returncode == 1
    assert f"{TOUCHES} has 4 partitions, and live counts with 2" in refused.stderr
    assert "docs/growing.md" in refused.stderr
