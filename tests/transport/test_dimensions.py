from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.errors import CorruptRecordException
from confluent_kafka import Producer

from pipeline.error_words import describe
from pipeline.errors import UserError
from pipeline.settings import Settings
from pipeline.transport.admin import TopicAdmin
from pipeline.transport.dimensions import DimensionReader, DimensionUpdates
from pipeline.transport.partitioner import partition_of
from pipeline.transport.ports import TP
from pipeline.transport.unreadable import UnreadableError
from schemas.topics import CAMPAIGNS, CUSTOMERS
from tests.support.kafka import running_tansu
from tests.transport.conftest import settings_for
from tests.transport.running import FailingBehind, break_partition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable


@asynccontextmanager
async def running_reader(settings: Settings) -> AsyncIterator[DimensionReader]:
    reader = DimensionReader(settings)
    await reader.start()
    try:
        yield reader
    finally:
        await reader.stop()


def produce(settings: Settings, topic: str, pairs: Iterable[tuple[bytes, bytes | None]]) -> None:
    producer = Producer(
        {"bootstrap.servers": settings.kafka_bootstrap_servers, "partitioner": "murmur2_random", "linger.ms": 50}
    )
    for key, value in pairs:
        producer.produce(topic, value, key)
    producer.flush(10)


def customer_ends(settings: Settings) -> dict[int, int | None]:
    with TopicAdmin(settings) as admin:
        return {tp.partition: end for tp, end in admin.end_offsets([CUSTOMERS]).items()}


async def test_first_catch_up_reads_all_campaigns_in_log_order(settings: Settings) -> None:
    pairs = [(b"k1", b"old"), (b"k2", b"x"), (b"k1", b"new"), (b"k2", None)]
    produce(settings, CAMPAIGNS, pairs)
    async with running_reader(settings) as reader:
        updates = await reader.catch_up()
    latest = {record.key: record.value for record in updates.campaigns}
    assert (latest[b"k1"], latest[b"k2"]) == (b"new", None)
    assert all(record.offset >= 0 for record in updates.campaigns)


async def test_catch_up_returns_everything_written_before_it_was_called(settings: Settings) -> None:
    async with running_reader(settings) as reader:
        await reader.catch_up()
        for turn in range(20):
            pairs: list[tuple[bytes, bytes | None]] = [(b"k%d" % number, b"%d" % turn) for number in range(30)]
            produce(settings, CAMPAIGNS, pairs)
            updates = await reader.catch_up()
            assert sorted((r.key, r.value) for r in updates.campaigns if r.key and r.value) == sorted(pairs)


async def test_nothing_new_gives_nothing(settings: Settings) -> None:
    async with running_reader(settings) as reader:
        first = await reader.catch_up()
        again = await reader.catch_up()
        assert first.next_offsets
        assert not again
        assert again.next_offsets == {}
        await reader.own({})  # whoever is given partitions anew is told of all again
        assert (await reader.catch_up()).next_offsets == first.next_offsets


async def test_customers_come_from_owned_partitions_and_given_offsets(settings: Settings) -> None:
    ends = customer_ends(settings)
    pairs: list[tuple[bytes, bytes | None]] = [(b"c%d" % number, b"tier") for number in range(40)]
    produce(settings, CUSTOMERS, pairs)
    async with running_reader(settings) as reader:
        await reader.own({partition: ends[partition] for partition in (0, 2)})
        updates = await reader.catch_up()
    expected = {partition: [pair for pair in pairs if partition_of(pair[0], 4) == partition] for partition in (0, 2)}
    assert _pairs(updates) == expected
    assert updates.next_offsets[TP(CUSTOMERS, 0)] == (ends[0] or 0) + len(expected[0])


async def test_change_of_ownership_keeps_the_position_in_campaigns(settings: Settings) -> None:
    async with running_reader(settings) as reader:
        await reader.catch_up()
        await reader.own(customer_ends(settings))
        assert not await reader.catch_up()
        await reader.own({})
        assert not await reader.catch_up()


async def test_owned_partition_without_offset_is_read_from_its_beginning(settings: Settings) -> None:
    produce(settings, CUSTOMERS, [(b"c%d" % number, b"tier") for number in range(40)])
    async with running_reader(settings) as reader:
        await reader.own({1: None})
        updates = await reader.catch_up()
    assert {partition_of(record.key, 4) for record in updates.customers[1] if record.key} == {1}


@pytest.mark.parametrize("error", [CorruptRecordException(), KeyError("of a codec")])
async def test_a_broken_partition_takes_nothing_of_the_others_along(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    ends, failing = customer_ends(settings), FailingBehind(error)
    campaigns: list[tuple[bytes, bytes | None]] = [(b"k%d" % number, b"anew") for number in range(30)]
    pairs: list[tuple[bytes, bytes | None]] = [(b"c%d" % number, b"tier") for number in range(40)]
    async with running_reader(settings) as reader:
        await reader.catch_up()
        await reader.own(ends)
        produce(settings, CAMPAIGNS, campaigns)
        produce(settings, CUSTOMERS, pairs)
        monkeypatch.setattr(Fetcher, "fetched_records", failing(Fetcher.fetched_records))
        for _ in range(3):
            with pytest.raises(UnreadableError, match=r"^one of bank\.campaigns\.v1 partition 0, .*, … holds a record"):
                await reader.catch_up()
        updates = await reader.catch_up()
    assert failing.failures == 3
    assert sorted((r.key, r.value) for r in updates.campaigns if r.key) == sorted(campaigns)
    expected = {number: [pair for pair in pairs if partition_of(pair[0], 4) == number] for number in ends}
    assert _pairs(updates) == expected


async def test_a_broken_partition_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = TP(CAMPAIGNS, partition_of(b"k7", 4))
    async with running_reader(settings) as reader:
        await reader.catch_up()
        break_partition(monkeypatch, broken)
        produce(settings, CAMPAIGNS, [(b"k%d" % number, b"spring") for number in range(30)])
        for _ in range(2):
            with pytest.raises(UnreadableError) as raised:
                await reader.catch_up()
            assert raised.value.partitions == {broken}
            # what the log and /healthz tell of a batch that waits for it
            assert f": bank.campaigns.v1 partition {broken.partition} holds a record" in describe(raised.value)


@pytest.mark.process
async def test_missing_campaigns_topic_is_the_users_to_mend() -> None:
    with running_tansu() as bootstrap:
        reader = DimensionReader(Settings(kafka_bootstrap_servers=bootstrap))
        try:
            with pytest.raises(UserError, match="roi migrate"):
                await reader.start()
        finally:
            await reader.stop()


@pytest.mark.kafka
async def test_position_passes_over_transaction_markers_at_the_end(kafka: str) -> None:
    settings = settings_for(kafka)
    ends = customer_ends(settings)
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": settings.kafka_group})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(CUSTOMERS, b"tier", b"c1", partition=partition_of(b"c1", 4))
    producer.commit_transaction(30)
    async with running_reader(settings) as reader:
        await reader.own(ends)
        updates = await reader.catch_up()
        while not updates.customers:  # the broker writes the marker a moment after it acknowledged the commit
            updates = await reader.catch_up()
    assert _pairs(updates) == {partition_of(b"c1", 4): [(b"c1", b"tier")]}
    assert updates.next_offsets[TP(CUSTOMERS, partition_of(b"c1", 4))] == (ends[partition_of(b"c1", 4)] or 0) + 2


def _pairs(updates: DimensionUpdates) -> dict[int, list[tuple[bytes | None, bytes | None]]]:
    return {partition: [(r.key, r.value) for r in records] for partition, records in updates.customers.items()}
