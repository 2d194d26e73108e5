from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from confluent_kafka import Producer

from pipeline.errors import UserError
from pipeline.settings import Settings
from pipeline.transport.admin import DEAD_LETTER_TOPICS, TopicAdmin, TopicInfo, check_co_partitioned
from pipeline.transport.bounds import log_bounds
from pipeline.transport.ports import TP
from schemas.topics import ALL_TOPICS, CUSTOMER_KEYED_TOPICS, LOGINS, TOUCHES
from tests.support.kafka import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def admin(settings: Settings) -> Iterator[TopicAdmin]:
    with TopicAdmin(settings) as admin:
        yield admin


def new_topic(admin: TopicAdmin, partitions: int = 3) -> str:
    name = f"test.{uuid4().hex}"
    admin._create({name: {"num_partitions": partitions, "replication_factor": 1}})
    return name


def produce_batches(bootstrap: str, tp: TP, batches: int, size: int) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 200})
    for _ in range(batches):
        for number in range(size):
            producer.produce(tp.topic, b"%d" % number, partition=tp.partition)
        producer.flush(10)


def test_all_topics_of_the_contract_exist_with_their_partitions(admin: TopicAdmin) -> None:
    topics = admin.topics()
    assert topics.keys() >= {*ALL_TOPICS, *DEAD_LETTER_TOPICS}
    assert {topics[name].partitions for name in CUSTOMER_KEYED_TOPICS} == {4}


def test_creating_again_changes_nothing(admin: TopicAdmin) -> None:
    before = admin.topics()
    assert admin.create_missing() == []
    assert admin.topics() == before


def test_topic_identity_is_a_uuid_that_survives(admin: TopicAdmin) -> None:
    identity = admin.topics()[LOGINS].topic_id
    assert UUID(identity).int != 0
    assert admin.topics()[LOGINS].topic_id == identity


def test_recreated_topic_has_another_identity(admin: TopicAdmin) -> None:
    name = new_topic(admin)
    first = admin.topics()[name].topic_id
    admin._client.delete_topics([name])
    admin._create({name: {"num_partitions": 3, "replication_factor": 1}})
    assert admin.topics()[name].topic_id not in {first, ""}


def test_end_offset_is_behind_the_last_record_of_the_last_batch(admin: TopicAdmin, broker: str) -> None:
    name = new_topic(admin)
    produce_batches(broker, TP(name, 1), batches=2, size=100)
    assert admin.end_offsets([name]) == {TP(name, 0): 0, TP(name, 1): 200, TP(name, 2): 0}


def test_log_bounds_of_a_missing_topic_are_left_out(admin: TopicAdmin) -> None:
    assert admin.log_bounds(["test.absent"]) == {}


def test_partition_that_does_not_exist_is_the_users_to_mend(settings: Settings) -> None:
    with pytest.raises(UserError, match="roi migrate"):
        log_bounds(settings, [TP("test.absent", 0)])


def test_customer_keyed_topics_with_unequal_partitions_are_refused() -> None:
    existing = {LOGINS: TopicInfo(LOGINS, "", 8), TOUCHES: TopicInfo(TOUCHES, "", 4)}
    with pytest.raises(UserError, match=r"logins.v1 8, .*touches.v1 4") as refused:
        check_co_partitioned(existing)
    assert "recreate those with fewer with 8" in refused.value.remedy


def test_missing_customer_keyed_topic_follows_its_kin() -> None:
    assert check_co_partitioned({LOGINS: TopicInfo(LOGINS, "", 16)}) == 16
    assert check_co_partitioned({}) is None


def test_silent_broker_is_the_users_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.transport.admin.BOOTSTRAP_MS", 300)
    with pytest.raises(UserError, match="no Kafka broker answers"):
        TopicAdmin(Settings(kafka_bootstrap_servers=f"127.0.0.1:{free_port()}"))
