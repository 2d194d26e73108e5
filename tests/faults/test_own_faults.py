"""A record that our own code fails on, through a real broker: a dead letter, and everything else is counted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipeline.transport.producer import EventProducer
from pipeline.transport.reading import read_topic
from schemas.topics import LOGINS, TOUCHES, dead_letter_topic
from tests.support.cluster import Cluster, running_cluster
from tests.support.faulty_worker import MARK, QUOTED
from tests.support.kafka import running_kafka, running_tansu

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

EVENTS = 2_000
AT_FAULT = (700, 1_300)
COUNTED = EVENTS - len(AT_FAULT)
REASON = "internal_error"


@pytest.fixture(params=["tansu", pytest.param("kafka", marks=[pytest.mark.kafka, pytest.mark.slow])])
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    broker = running_tansu if request.param == "tansu" else running_kafka
    incarnation = "only-life" if request.param == "tansu" else ""
    with broker() as bootstrap, running_cluster(bootstrap, tmp_path, incarnation) as running:
        yield running


def _send(cluster: Cluster, topic: str, names: Iterable[str], **fields: object) -> None:
    producer = EventProducer(cluster.settings)
    for number, name in enumerate(names):
        customer = f"c{number}"
        event = {"event_id": name, "customer_id": customer, "occurred_at": "2026-03-01T08:00:00Z", "channel": "app"}
        producer.send(topic, customer.encode(), json.dumps(event | fields).encode())
    producer.flush()


def _count(cluster: Cluster, column: str, topic: str) -> int:
    query = f"SELECT sum({column}) FROM roi.positions WHERE run = 'live' AND topic = '{topic}'"
    return int(cluster.rows(query)[0][0])


@pytest.mark.slow
def test_records_our_code_fails_on_are_dead_letters_and_all_others_are_counted(
    cluster: Cluster, tmp_path: Path
) -> None:
    names = [f"{MARK}-{number}" if number in AT_FAULT else f"t{number}" for number in range(EVENTS)]
    _send(cluster, TOUCHES, names, campaign_id="spring", variant="a", kind="send")
    worker = cluster.start_worker(["tests.support.faulty_worker"])
    cluster.drain()
    letters = list(read_topic(cluster.settings, dead_letter_topic(TOUCHES)))
    assert {json.loads(letter.value or b"")["event_id"] for letter in letters} == {names[number] for number in AT_FAULT}
    assert {letter.headers["dlq.reason"] for letter in letters} == {REASON}
    told = cluster.rows("SELECT topic, reason, count() FROM roi.dead_letters WHERE run = 'live' GROUP BY topic, reason")
    assert told == [(TOUCHES, REASON, len(AT_FAULT))]
    assert _count(cluster, "accepted", TOUCHES) == COUNTED
    assert cluster.rows("SELECT sum(touches) FROM roi.campaign_totals WHERE run = 'live'") == [(COUNTED,)]

    _send(cluster, LOGINS, [f"l{number}" for number in range(50)], session_seconds=60)
    cluster.drain()
    assert _count(cluster, "accepted", LOGINS) == 50
    assert worker.poll() is None  # one and the same process throughout
    log = (tmp_path / "worker-0.log").read_text()
    assert log.count("is the record at fault") == len(AT_FAULT)
    assert "PoisonError at" in log
    assert "tests/support/faulty_worker.py" in log
    assert QUOTED not in log
