"""The batch consumer inside Faust, on brokers."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError
from confluent_kafka import Producer
from prometheus_client import CollectorRegistry

from pipeline.settings import Settings
from pipeline.transport.admin import TopicAdmin
from pipeline.transport.partitioner import partition_of
from pipeline.transport.ports import TP, HaltKind, RecordBatch, TopicHaltedError
from schemas.topics import COSTS, CUSTOMER_LANE, EVENT_TOPICS, LOGINS, TOUCHES, TRANSACTIONS
from tests.support.kafka import free_port, running_kafka, running_tansu
from tests.transport.conftest import settings_for
from tests.transport.recording import Recorder
from tests.transport.running import ends_of, produce, reached, running_worker, store_at_end, until, values

if TYPE_CHECKING:
    from collections.abc import Mapping


pytestmark = [pytest.mark.contract, pytest.mark.e2e]


async def test_everything_is_read_from_the_processors_positions(settings: Settings) -> None:
    produce(settings, LOGINS, values("before", 100))
    recorder = Recorder(store_at_end(settings, EVENT_TOPICS))
    expected = []
    for topic in EVENT_TOPICS:
        expected += values(topic, 300)
        produce(settings, topic, values(topic, 300))
    async with running_worker(settings, recorder):
        await until(lambda: reached(recorder, ends_of(settings)), "all partitions read to their ends")
    assert recorder.store.sorted_values() == sorted(expected)


async def test_agent_that_raises_at_random_loses_nothing(settings: Settings) -> None:
    chance = random.Random(7)
    failures = 0

    def obstacle(_: RecordBatch) -> None:
        nonlocal failures
        if chance.random() < 0.3:
            failures += 1
            raise RuntimeError

    recorder = Recorder(store_at_end(settings, EVENT_TOPICS), obstacle)
    registry = CollectorRegistry()
    expected = []
    async with running_worker(settings, recorder, registry):
        for part in range(5):
            for topic in (LOGINS, TOUCHES, COSTS):
                produced = values(f"{topic}-{part}", 100)
                expected += produced
                await asyncio.to_thread(produce, settings, topic, produced)
        await until(lambda: reached(recorder, ends_of(settings)), "all partitions read to their ends")
    assert failures > 0
    assert recorder.store.sorted_values() == sorted(expected)
    retries = [registry.get_sample_value("roi_shard_retries_total", {"topic": topic}) or 0 for topic in EVENT_TOPICS]
    assert sum(retries) >= failures


async def test_bytes_that_are_no_text_pass_among_others(settings: Settings) -> None:
    recorder = Recorder(store_at_end(settings, EVENT_TOPICS))
    producer = Producer({"bootstrap.servers": settings.kafka_bootstrap_servers, "partitioner": "murmur2_random"})
    for value in (b"good", b"\xff\xfe\x00", None, b"good again"):
        producer.produce(COSTS, value, b"\xff\xfe")
    producer.flush(10)
    async with running_worker(settings, recorder):
        await until(lambda: reached(recorder, ends_of(settings)), "all partitions read to their ends")
    assert recorder.store.values() == [b"good", b"\xff\xfe\x00", None, b"good again"]


async def test_halted_topic_halts_alone_and_goes_on_when_it_is_resumed(settings: Settings) -> None:
    is_bad = True

    def obstacle(batch: RecordBatch) -> None:
        if is_bad and batch.topic == LOGINS and batch.offsets:
            raise TopicHaltedError(LOGINS, HaltKind.BAD_SHARE, "too many bad events", "correct the producer")

    recorder = Recorder(store_at_end(settings, EVENT_TOPICS), obstacle)
    produce(settings, LOGINS, values("login", 100))
    async with running_worker(settings, recorder) as app:
        await until(lambda: LOGINS in app.handover.halted, "the topic is halted")
        await asyncio.to_thread(produce, settings, TOUCHES, values("touch", 100))
        await until(lambda: len(recorder.store.values()) == 100, "the other topic goes on")
        assert recorder.store.sorted_values() == sorted(values("touch", 100))
        is_bad = False
        app.handover.resume(LOGINS)
        await until(lambda: reached(recorder, ends_of(settings)), "what was held back is read")
    assert recorder.store.sorted_values() == sorted(values("touch", 100) + values("login", 100))


async def test_batches_tell_the_number_of_partitions(settings: Settings) -> None:
    counts: set[int] = set()
    recorder = Recorder(store_at_end(settings, EVENT_TOPICS), lambda batch: counts.add(batch.partition_count))
    produce(settings, TRANSACTIONS, values("payment", 20))
    async with running_worker(settings, recorder):
        await until(lambda: len(recorder.store.values()) == 20, "the topic is read")
    assert counts == {settings.kafka_partitions}


async def test_durable_positions_are_committed_for_the_lag_display(settings: Settings) -> None:
    recorder = Recorder(store_at_end(settings, EVENT_TOPICS))
    produce(settings, LOGINS, values("login", 200))
    async with running_worker(settings, recorder):
        await until(lambda: reached(recorder, ends_of(settings)), "all partitions read to their ends")
    client = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers, group_id=settings.kafka_group, enable_auto_commit=False
    )
    await client.start()
    try:
        committed = {tp: await client.committed(TopicPartition(*tp)) for tp in recorder.store.positions}
    finally:
        await client.stop()
    assert committed == recorder.store.positions


async def test_failed_commits_are_counted_and_repeated(tansu: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_for(tansu)
    commit = AIOKafkaConsumer.commit
    attempts = 0

    async def failing_at_first(consumer: AIOKafkaConsumer, offsets: Mapping[TopicPartition, Any]) -> None:
        nonlocal attempts
        attempts += 1
        if attempts <= 2:
            raise CommitFailedError
        await commit(consumer, offsets)

    monkeypatch.setattr(AIOKafkaConsumer, "commit", failing_at_first)
    produce(settings, COSTS, values("cost", 10))
    registry = CollectorRegistry()
    async with running_worker(settings, Recorder(store_at_end(settings, EVENT_TOPICS)), registry):
        await until(lambda: attempts > 2, "the commit is repeated")
        await asyncio.to_thread(produce, settings, COSTS, values("later", 10))
    assert registry.get_sample_value("roi_commit_failures_total") == 2


@pytest.mark.slow
async def test_co_partitioned_topics_stay_together_while_workers_come_and_go(settings: Settings) -> None:
    store = store_at_end(settings, EVENT_TOPICS)
    workers = [Recorder(store) for _ in range(3)]
    total = 0

    async def settled(*present: Recorder) -> None:
        nonlocal total
        everything = {TP(topic, partition) for topic in EVENT_TOPICS for partition in range(4)}
        await until(
            lambda: (
                sum(len(worker.owned) for worker in present) == 16
                and set().union(*(worker.owned for worker in present)) == everything
                and all(worker.owned for worker in present)
            ),
            f"{len(present)} workers share all partitions",
        )
        for worker in present:
            assert_co_located(worker.owned)
        for topic in EVENT_TOPICS:
            total += 50
            await asyncio.to_thread(produce, settings, topic, values(f"{topic}-{total}", 50))
        await until(lambda: len(store.values()) == total, "every record is taken")

    async with AsyncExitStack() as last, AsyncExitStack() as second, running_worker(settings, workers[0]):
        await settled(workers[0])
        await second.enter_async_context(running_worker(settings, workers[1]))
        await settled(*workers[:2])
        await last.enter_async_context(running_worker(settings, workers[2]))
        await settled(*workers)
        await second.aclose()
        await settled(workers[0], workers[2])
    assert len(store.values()) == len(set(store.values())) == total


def assert_co_located(owned: set[TP]) -> None:
    numbers = [{tp.partition for tp in owned if tp.topic == topic} for topic in CUSTOMER_LANE.events]
    assert numbers[0] == numbers[1] == numbers[2]


@pytest.mark.process
async def test_worker_carries_on_with_a_broker_that_came_back_empty() -> None:
    port = free_port()

    class Forgiving(Recorder):
        """Notices what a real processor sees by the topics' identities: positions of a log that is gone."""

        async def assigned(self, partitions: frozenset[TP]) -> Mapping[TP, int | None]:
            if self.ever_owned:
                self.store.positions.clear()
            return await super().assigned(partitions)

    recorder = Forgiving()
    with running_tansu(port) as bootstrap:
        settings = settings_for(bootstrap)
        worker = AsyncExitStack()
        await worker.enter_async_context(running_worker(settings, recorder))
        await asyncio.to_thread(produce, settings, LOGINS, values("before", 100))
        await until(lambda: len(recorder.store.values()) == 100, "everything is read")
    with running_tansu(port):
        await asyncio.to_thread(settings_for, bootstrap)
        await asyncio.to_thread(produce, settings, LOGINS, values("after", 100))
        await until(lambda: len(recorder.store.values()) == 200, "everything is read from the new broker")
        await worker.aclose()


@pytest.mark.kafka
async def test_unreachable_offset_is_reported_and_asked_for_again(kafka: str) -> None:
    """Tansu answers nothing to such a fetch: there it is the processor's to notice."""
    settings = settings_for(kafka)
    store = store_at_end(settings, EVENT_TOPICS)
    wrong = TP(COSTS, partition_of(b"c0", 4))
    right = store.positions[wrong]
    store.positions[wrong] = right + 1000

    class Mending(Recorder):
        async def assigned(self, partitions: frozenset[TP]) -> Mapping[TP, int | None]:
            if len(self.ever_owned) == 1:
                self.store.positions[wrong] = right
            return await super().assigned(partitions)

    recorder = Mending(store)
    produce(settings, COSTS, [b"cost"], keys=1)
    async with running_worker(settings, recorder):
        await until(lambda: store.values() == [b"cost"], "the record is read after all")


@pytest.mark.kafka
async def test_positions_pass_over_transaction_markers_and_aborted_records(kafka: str) -> None:
    settings = settings_for(kafka)
    recorder = Recorder(store_at_end(settings, EVENT_TOPICS))
    producer = Producer(
        {"bootstrap.servers": kafka, "transactional.id": settings.kafka_group, "partitioner": "murmur2_random"}
    )
    producer.init_transactions(30)
    for number, commits in enumerate((True, False, True, False)):
        producer.begin_transaction()
        for value in values(f"{number}-{commits}", 20):
            producer.produce(COSTS, value, b"campaign")
        assert producer.flush(30) == 0  # an abort throws away what is not sent, and is refused if nothing was
        (producer.commit_transaction if commits else producer.abort_transaction)(30)
    async with running_worker(settings, recorder):
        await until(lambda: reached(recorder, ends_of(settings)), "positions reach the end behind the markers")
    assert recorder.store.values() == values("0-True", 20) + values("2-True", 20)


@pytest.mark.kafka
@pytest.mark.slow
async def test_positions_pass_over_the_gaps_of_compaction() -> None:
    with running_kafka({"log.cleaner.backoff.ms": "100", "log.initial.task.delay.ms": "100"}) as bootstrap:
        settings = Settings(kafka_bootstrap_servers=bootstrap, kafka_partitions=1)
        with TopicAdmin(settings) as admin:
            admin._create(
                {
                    COSTS: {
                        "num_partitions": 1,
                        "replication_factor": 1,
                        "configs": {
                            "cleanup.policy": "compact",
                            "segment.ms": "200",
                            "min.cleanable.dirty.ratio": "0.001",
                            "min.compaction.lag.ms": "0",
                            "max.compaction.lag.ms": "200",
                        },
                    }
                }
            )
            admin.create_missing()
        written = 0

        async def compacted() -> bool:
            nonlocal written
            await asyncio.to_thread(produce, settings, COSTS, values(f"part-{written}", 20), 3)  # rolls the segment
            written += 20
            recorder = Recorder()
            async with running_worker(settings, recorder):
                await until(lambda: reached(recorder, ends_of(settings)), "positions reach the end behind the gaps")
            return len(recorder.store.values()) < written

        for _ in range(20):
            if await compacted():
                return
        pytest.fail("the broker never compacted the topic")
