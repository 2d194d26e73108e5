"""Halted, grown, recreated topics on real brokers, with real workers and the commands that tell of them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewPartitions

from pipeline.settings import environment_of
from pipeline.transport.admin import TopicAdmin
from pipeline.transport.producer import EventProducer
from schemas.topics import LOGINS, TOUCHES, TRANSACTIONS
from tests.support.cluster import Cluster, running_cluster
from tests.support.endpoint import ROOT
from tests.support.kafka import running_kafka, running_tansu

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]

PARTITIONS = 8
GAUGE = "roi_topic_halted"


@pytest.fixture(params=["tansu", pytest.param("kafka", marks=pytest.mark.kafka)])
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    broker = running_tansu if request.param == "tansu" else running_kafka
    incarnation = "only-life" if request.param == "tansu" else ""
    with broker() as bootstrap, running_cluster(bootstrap, tmp_path, incarnation, PARTITIONS) as running:
        yield running


@pytest.fixture
def on_kafka(tmp_path: Path) -> Iterator[Cluster]:
    with running_kafka() as bootstrap, running_cluster(bootstrap, tmp_path, "", PARTITIONS) as running:
        yield running


class Answer(NamedTuple):
    code: int
    output: str
    error: str

    @property
    def json(self) -> Any:
        assert self.output, self.error
        return json.loads(self.output)


def roi(cluster: Cluster, *arguments: str) -> Answer:
    command = [sys.executable, "-m", "pipeline", *arguments]
    environment = environment_of(cluster.settings)
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=100)
    return Answer(done.returncode, done.stdout, done.stderr)


def login(number: int) -> tuple[bytes, bytes]:
    customer = f"c{number}"
    event = {"event_id": f"l{number}", "customer_id": customer, "occurred_at": "2026-03-01T08:00:00Z", "channel": "app"}
    return customer.encode(), json.dumps(event | {"session_seconds": 60}).encode()


def touch(number: int) -> tuple[bytes, bytes]:
    customer = f"c{number}"
    event = {"event_id": f"t{number}", "customer_id": customer, "occurred_at": "2026-03-01T08:00:00Z"}
    more = {"campaign_id": "spring", "variant": "a", "channel": "sms", "kind": "send"}
    return customer.encode(), json.dumps(event | more).encode()


def send(cluster: Cluster, topic: str, records: Iterable[tuple[bytes, bytes]]) -> None:
    producer = EventProducer(cluster.settings)
    for key, value in records:
        producer.send(topic, key, value)
    producer.flush()


def bad(numbers: Iterable[int]) -> list[tuple[bytes, bytes]]:
    return [(b"c%d" % number, b"{}") for number in numbers]


def halted_kinds(cluster: Cluster) -> dict[str, str]:
    return dict(cluster.rows("SELECT topic, kind FROM roi.halted_topics WHERE run = 'live'"))


def next_offsets(cluster: Cluster, topic: str) -> int:
    return int(
        cluster.rows(f"SELECT sum(next_offset) FROM roi.positions WHERE run = 'live' AND topic = '{topic}'")[0][0]
    )


def reasons(cluster: Cluster) -> dict[str, int]:
    return dict(cluster.rows("SELECT reason, count() FROM roi.dead_letters WHERE run = 'live' GROUP BY reason"))


def touches_counted(cluster: Cluster) -> int:
    found = cluster.rows("SELECT sum(touches) FROM roi.campaign_totals WHERE run = 'live'")
    return int(found[0][0] or 0)


def is_halted(cluster: Cluster, topic: str) -> bool:
    return topic in halted_kinds(cluster)


def test_a_halted_topic_is_told_everywhere_survives_restarts_and_is_resumed_exactly(cluster: Cluster) -> None:
    workers = [cluster.start_worker(), cluster.start_worker()]
    send(cluster, TOUCHES, [touch(number) for number in range(200)])
    cluster.wait_until(lambda: touches_counted(cluster) == 200, "200 touches")
    send(cluster, TOUCHES, bad(range(6000)))
    cluster.wait_until(lambda: is_halted(cluster, TOUCHES), "halting")
    send(cluster, TOUCHES, [touch(number) for number in range(200, 400)])

    drained = roi(cluster, "drain", "--timeout", "60", "--json")
    assert drained.code == 1
    assert f"{TOUCHES} is halted" in drained.error
    assert f"roi resume {TOUCHES} --skip-bad" in drained.error
    (told,) = roi(cluster, "status", "--json").json["halted"]
    assert (told["topic"], told["kind"]) == (TOUCHES, "bad_share")
    doctor = roi(cluster, "doctor", "--json")
    assert doctor.code == 1
    assert {"failed"} == {check["state"] for check in doctor.json["checks"] if check["check"] == TOUCHES}

    # once all workers have heeded it, nothing moves any more, also not after a restart
    for worker in workers:
        cluster.kill_worker(worker)
    stood_at = next_offsets(cluster, TOUCHES)
    assert stood_at < 6400
    cluster.start_worker()
    cluster.start_worker()
    send(cluster, LOGINS, [login(number) for number in range(50)])
    cluster.wait_until(lambda: next_offsets(cluster, LOGINS) == 50, "the other topics go on")
    assert next_offsets(cluster, TOUCHES) == stood_at

    resumed = roi(cluster, "resume", TOUCHES, "--skip-bad")
    assert (resumed.code, resumed.error) == (0, "")
    assert roi(cluster, "drain", "--timeout", "60").code == 0
    assert touches_counted(cluster) == 400
    assert reasons(cluster) == {"invalid_event": 6000}
    assert roi(cluster, "status", "--json").json["halted"] == []
    again = roi(cluster, "resume", TOUCHES)
    assert (again.code, "is not halted" in again.error) == (1, True)


def test_logins_spread_by_librdkafkas_default_halt_their_topic_and_come_back_by_retrying(cluster: Cluster) -> None:
    cluster.start_worker()
    misled = Producer({"bootstrap.servers": cluster.settings.kafka_bootstrap_servers})
    for number in range(40):
        key, value = login(number)
        misled.produce(LOGINS, value, key)
    misled.flush(10)
    cluster.wait_until(lambda: halted_kinds(cluster) == {LOGINS: "wrong_partitioner"}, "halting")
    drained = roi(cluster, "drain", "--timeout", "60")
    assert (drained.code, "does not spread keys by murmur2" in drained.error) == (1, True)
    assert "partitioner=murmur2_random" in roi(cluster, "status").output.replace("\n", " ")
    assert roi(cluster, "resume", TOUCHES).code == 1
    assert roi(cluster, "resume", LOGINS, "--skip-bad").code == 0
    assert roi(cluster, "drain", "--timeout", "60").code == 0
    assert 30 <= reasons(cluster)["misplaced_key"] < 40
    assert roi(cluster, "dlq", "retry", "--topic", LOGINS, "--reason", "misplaced_key").code == 0
    assert roi(cluster, "drain", "--timeout", "60").code == 0
    assert cluster.rows("SELECT max(dau) FROM roi.active_users WHERE run = 'live' AND tier = ''") == [(40,)]


@pytest.mark.kafka
def test_partitions_added_while_workers_run_halt_the_topic_and_blame_nobody(on_kafka: Cluster) -> None:
    on_kafka.start_worker()
    on_kafka.start_worker()
    send(on_kafka, TOUCHES, [touch(number) for number in range(400)])
    on_kafka.wait_until(lambda: touches_counted(on_kafka) == 400, "400 touches")
    admin = AdminClient({"bootstrap.servers": on_kafka.settings.kafka_bootstrap_servers})
    for future in admin.create_partitions([NewPartitions(TOUCHES, 16)]).values():
        future.result(30)
    send(on_kafka, TOUCHES, [touch(number) for number in range(400, 800)])
    on_kafka.wait_until(lambda: halted_kinds(on_kafka) == {TOUCHES: "partitions_changed"}, "halting")
    (told,) = roi(on_kafka, "status", "--json").json["halted"]
    assert "partitions were added (8 → 16)" in told["cause"]
    assert "docs/growing.md" in told["remedy"]
    send(on_kafka, LOGINS, [login(number) for number in range(50)])
    on_kafka.wait_until(lambda: next_offsets(on_kafka, LOGINS) == 50, "the other topics go on")
    on_kafka.kill_worker(on_kafka.workers[0])  # a rebalance over the new partitions
    send(on_kafka, LOGINS, [login(number) for number in range(50, 100)])
    on_kafka.wait_until(lambda: next_offsets(on_kafka, LOGINS) == 100, "the other topics go on with one worker")
    assert reasons(on_kafka) == {}
    new = on_kafka.rows(f"SELECT count() FROM roi.positions WHERE topic = '{TOUCHES}' AND partition >= 8")
    assert new == [(0,)]


@pytest.mark.kafka
def test_a_topic_made_anew_while_workers_run_is_read_from_its_beginning(on_kafka: Cluster) -> None:
    on_kafka.start_worker()
    on_kafka.start_worker()
    send(on_kafka, TOUCHES, [touch(number) for number in range(400)])
    send(on_kafka, TRANSACTIONS, bad(range(10)))
    on_kafka.wait_until(lambda: touches_counted(on_kafka) == 400, "400 touches")
    admin = AdminClient({"bootstrap.servers": on_kafka.settings.kafka_bootstrap_servers})
    admin.delete_topics([TOUCHES])[TOUCHES].result(30)
    on_kafka.wait_until(lambda: TOUCHES not in _topics(on_kafka), "the topic is gone")
    send(on_kafka, LOGINS, [login(number) for number in range(50)])
    on_kafka.wait_until(lambda: next_offsets(on_kafka, LOGINS) == 50, "the other topics go on without it")
    with TopicAdmin(on_kafka.settings) as topics:
        topics.create_missing()
    send(on_kafka, TOUCHES, [touch(number) for number in range(300, 700)])
    on_kafka.wait_until(lambda: touches_counted(on_kafka) == 700, "the new topic's touches")
    assert roi(on_kafka, "drain", "--timeout", "60").code == 0
    faults = {(fault["topic"], fault["fault"]) for fault in roi(on_kafka, "status", "--json").json["log_faults"]}
    assert faults == {(TOUCHES, "recreated")}


def _topics(cluster: Cluster) -> set[str]:
    with TopicAdmin(cluster.settings) as admin:
        return set(admin.topics())
