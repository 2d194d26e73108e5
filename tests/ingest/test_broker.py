from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from pipeline.settings import Settings
from pipeline.simulation.bank import Bank, BankOptions
from pipeline.transport.admin import TopicAdmin
from schemas.topics import CUSTOMER_KEYED_TOPICS, CUSTOMERS, INPUT_TOPICS
from tests.ingest.command import run
from tests.support.kafka import running_tansu
from tests.support.processes import starts_process
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Log = dict[tuple[str, int], list[tuple[bytes, bytes | None]]]


@pytest.fixture(scope="module")
@starts_process
def broker() -> Iterator[str]:
    with running_tansu() as bootstrap:
        with TopicAdmin(Settings(kafka_bootstrap_servers=bootstrap)) as admin:
            admin.create_missing()
        yield bootstrap


def read_everything(bootstrap: str, expected: int) -> Log:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader", "enable.auto.commit": False})
    try:
        topics = consumer.list_topics(timeout=10).topics
        consumer.assign(
            [
                TopicPartition(topic, partition, OFFSET_BEGINNING)
                for topic in INPUT_TOPICS
                for partition in topics[topic].partitions
            ]
        )
        log: Log = defaultdict(list)

        def complete() -> bool:
            for message in consumer.consume(5_000, timeout=0.1):
                assert message.error() is None
                log[message.topic(), message.partition()].append((message.key(), message.value()))
            return sum(map(len, log.values())) >= expected

        wait_until(complete, 30, what=f"the arrival of {expected} records")
        return log
    finally:
        consumer.close()


@pytest.mark.e2e
def test_every_record_arrives_once_in_order_of_its_key(broker: str, tmp_path: Path) -> None:
    path, environment = tmp_path / "events.ndjson", {"ROI_KAFKA_BOOTSTRAP_SERVERS": broker}
    bank = Bank(BankOptions(customers=400, campaigns=10, backfill_days=3), 1_795_000_000_000)
    sent: list[tuple[str, bytes, bytes | None]] = [*bank.definitions()]
    sent += [(event.topic, event.key, event.value) for event in bank.events(live_seconds=0)]
    lines = [b'{"topic":"%s","value":%s}' % (topic.encode(), value or b"null") for topic, _, value in sent]
    gone = {"topic": CUSTOMERS, "key": "cust-0000001", "value": None}
    path.write_bytes(b"\n".join([*lines, b"nonsense", json.dumps(gone).encode()]))
    sent.append((CUSTOMERS, b"cust-0000001", None))

    result = run("ingest", str(path), "--no-sort", "--json", environment=environment)
    assert result.exit_code == 1  # one line is nonsense
    assert json.loads(result.stdout)["produced"] == len(sent)

    log = read_everything(broker, len(sent))
    arrived: dict[tuple[str, bytes], list[bytes | None]] = defaultdict(list)
    homes: dict[bytes, set[int]] = defaultdict(set)
    for (topic, partition), records in log.items():
        for key, value in records:
            arrived[topic, key].append(value)
            if topic in CUSTOMER_KEYED_TOPICS:
                homes[key].add(partition)
    expected: dict[tuple[str, bytes], list[bytes | None]] = defaultdict(list)
    for topic, key, value in sent:
        expected[topic, key].append(value)
    assert arrived == expected
    assert all(len(partitions) == 1 for partitions in homes.values())


@pytest.mark.e2e
def test_missing_topics_are_told_before_anything_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_text('{"customer_id":"a"}')
    with running_tansu() as bootstrap:
        result = run("ingest", str(path), environment={"ROI_KAFKA_BOOTSTRAP_SERVERS": bootstrap})
    assert result.exit_code == 1
    assert "topics missing" in result.stderr
    assert "roi migrate" in result.stderr
