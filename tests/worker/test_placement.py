"""Keys on partitions where they do not belong, and numbers of partitions that change."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from pipeline.transport.partitioner import partition_of
from pipeline.transport.ports import TP, HaltKind, TopicHaltedError
from schemas import topics
from tests.worker.running import CUSTOMER_TOPICS, Worker, bad, login, pay, profile

if TYPE_CHECKING:
    from tests.support.fakes import LedgerStore
    from tests.support.fakes_transport import FakeKafka


def customers(count: int, *, on: int | None, of: int) -> list[str]:
    """Return customers whose events belong on a partition, or do not belong on partition 0."""
    names = (f"c{number}" for number in range(100_000))
    fitting = (name for name in names if (partition_of(name.encode(), of) == on if on is not None else True))
    chosen = (name for name in fitting if on is not None or partition_of(name.encode(), of) != 0)
    return [next(chosen) for _ in range(count)]


async def halted(worker: Worker, topic: str) -> TopicHaltedError:
    with pytest.raises(TopicHaltedError) as told:
        await worker.read(topic)
    return told.value


async def test_one_misplaced_key_is_one_dead_letter(kafka: FakeKafka, store: LedgerStore) -> None:
    kafka.partitions = {topics.TRANSACTIONS: 8}
    worker = Worker(kafka, store)
    good = customers(50, on=0, of=8)
    (stray,) = customers(1, on=None, of=8)
    events = [pay(f"x{n}", "2026-03-01 10:00", customer_id=good[n % 50]) for n in range(1357)]
    kafka.send(topics.TRANSACTIONS, *events)
    await worker.take()
    await worker.read()
    kafka.send(topics.TRANSACTIONS, pay("astray", "2026-03-01 10:00", customer_id=stray), events[0], bad(stray))
    await worker.read()
    kafka.send(topics.TRANSACTIONS, pay("after", "2026-03-01 10:00", customer_id=good[0]))
    await worker.read()
    await worker.commit()
    assert worker.halts.topics == frozenset()
    letters = {letter.offset: letter for letter in kafka.dead_letters}
    assert {offset: letter.reason for offset, letter in letters.items()} == {
        1357: "misplaced_key",
        1359: "invalid_event",
    }
    assert letters[1357].detail == f"key: partition {partition_of(stray.encode(), 8)} of 8 expected"
    (position,) = [row for row in worker.ledger.fetch("load_positions", shards=[0]) if row[1] == topics.TRANSACTIONS]
    assert position[4:7] == [1358, 1, 2]  # accepted, duplicates, refused


async def test_a_misplaced_profile_is_a_dead_letter(kafka: FakeKafka, store: LedgerStore) -> None:
    kafka.partitions = dict.fromkeys(topics.CUSTOMER_LANE.topics, 8)
    worker = Worker(kafka, store)
    await worker.partition_counts.restore()
    (good,), (stray,) = customers(1, on=0, of=8), customers(1, on=None, of=8)
    kafka.send(topics.CUSTOMERS, profile(stray, "growth"), profile(good, "growth"))
    await worker.take()
    await worker.processor.refresh()
    await worker.commit()
    assert [(letter.offset, letter.reason) for letter in kafka.dead_letters] == [(0, "misplaced_key")]
    assert len(worker.ledger.fetch("load_profiles", shards=[0])) == 1


async def test_keys_spread_by_another_hash_halt_the_topic(kafka: FakeKafka, store: LedgerStore) -> None:
    kafka.partitions = {topics.LOGINS: 8}
    worker = Worker(kafka, store)
    strays = customers(20, on=None, of=8)
    kafka.send(topics.LOGINS, *[login("2026-03-01 10:00", customer_id=name) for name in strays])
    await worker.take()
    error = await halted(worker, topics.LOGINS)
    assert error.kind is HaltKind.WRONG_PARTITIONER
    assert error.cause.startswith("20 of its last 20 keys")
    assert "partitioner=murmur2_random" in error.remedy
    assert f"roi dlq retry --topic {topics.LOGINS} --reason misplaced_key" in error.remedy
    await worker.commit()
    assert {letter.reason for letter in kafka.dead_letters} == {"misplaced_key"}
    assert len(kafka.dead_letters) == 20


async def test_added_partitions_halt_the_topic_before_they_are_read(kafka: FakeKafka, store: LedgerStore) -> None:
    kafka.partitions = dict.fromkeys(topics.CUSTOMER_LANE.topics, 8)
    worker = Worker(kafka, store)
    await worker.partition_counts.restore()
    kafka.partitions[topics.LOGINS] = 16
    kafka.send(topics.LOGINS, login("2026-03-01 10:00"), partition=9)
    new = TP(topics.LOGINS, 9)
    answer = await worker.take(CUSTOMER_TOPICS | {new})
    assert answer[new] is None
    error = await halted(worker, topics.LOGINS)
    assert error.kind is HaltKind.PARTITIONS_CHANGED
    assert "partitions were added (8 → 16)" in error.cause
    assert "give it 8 partitions again" in error.remedy
    assert f"roi resume {topics.LOGINS}" in error.remedy
    assert "docs/growing.md tells both ways" in error.remedy
    kafka.send(topics.TRANSACTIONS, pay("x", "2026-03-01 10:00", customer_id=customers(1, on=0, of=8)[0]))
    await worker.read(topics.TRANSACTIONS)  # the rest goes on
    await worker.commit()
    assert worker.processor.durable_position(TP(topics.TRANSACTIONS, 0)) == 1


async def test_keys_that_follow_added_partitions_do_not_blame_the_producer(
    kafka: FakeKafka, store: LedgerStore
) -> None:
    kafka.partitions = {topics.LOGINS: 8}
    worker = Worker(kafka, store)
    await worker.partition_counts.restore()
    await worker.take()
    names = customers(200, on=0, of=12)
    kafka.send(topics.LOGINS, *[login("2026-03-01 10:00", customer_id=name) for name in names])
    batch = kafka.batch(topics.LOGINS, 0)  # the worker's own client has not heard of the new partitions
    kafka.partitions[topics.LOGINS] = 12
    with pytest.raises(TopicHaltedError) as told:
        await worker.processor.process(batch)
    assert told.value.kind is HaltKind.PARTITIONS_CHANGED


async def test_the_first_worker_of_a_ledger_settles_the_number_of_partitions(
    kafka: FakeKafka, store: LedgerStore
) -> None:
    kafka.partitions = {topics.LOGINS: 8}
    await Worker(kafka, store).partition_counts.restore()
    kafka.partitions = {topics.LOGINS: 16, topics.COSTS: 4}
    heir = Worker(kafka, store, "two")
    await heir.partition_counts.restore()
    (error,) = heir.partition_counts.changed(kafka.topics())
    assert (error.topic, error.kind) == (topics.LOGINS, HaltKind.PARTITIONS_CHANGED)


async def test_no_batch_of_a_topic_passes_while_its_halt_is_being_recorded(
    kafka: FakeKafka, store: LedgerStore
) -> None:
    kafka.partitions = {topics.LOGINS: 8}
    worker = Worker(kafka, store)
    everything = CUSTOMER_TOPICS | {TP(topics.LOGINS, 1)}
    for partition in (0, 1):
        names = customers(20, on=2, of=8)
        kafka.send(topics.LOGINS, *[login("2026-03-01 10:00", customer_id=n) for n in names], partition=partition)
    await worker.take(everything)
    batches = [kafka.batch(topics.LOGINS, 0, partition=partition) for partition in (0, 1)]
    outcomes = await asyncio.gather(*map(worker.processor.process, batches), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [TopicHaltedError] * 2
    await worker.commit()
    assert len(kafka.dead_letters) == 20
