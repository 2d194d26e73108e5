"""Workers, producers and shards for tests against brokers."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.errors import CorruptRecordException

from agents.app import build_app, run_app
from pipeline.replay.fixed_tables import FixedTables
from pipeline.replay.topics import TopicSource
from pipeline.transport import draining
from pipeline.transport.admin import TopicAdmin
from pipeline.transport.producer import EventProducer
from pipeline.transport.runs import runs
from pipeline.worker.cores import chosen_core
from schemas.topics import EVENT_TOPICS
from tests.transport.recording import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping

    from prometheus_client import CollectorRegistry

    from agents.app import BatchApp
    from pipeline.settings import Settings
    from pipeline.transport.ports import TP, RecordBatch
    from pipeline.transport.runs import Run
    from tests.transport.recording import Recorder

PATIENCE_SECONDS = 60.0


def produce(settings: Settings, topic: str, values: Iterable[bytes], keys: int = 50) -> None:
    """Write values under keys that repeat, as the command line does."""
    producer = EventProducer(settings)
    for number, value in enumerate(values):
        producer.send(topic, b"c%d" % (number % keys), value)
    producer.flush()


def store_at_end(settings: Settings, topics: Iterable[str]) -> Store:
    """Return a store whose positions skip what other tests left in the topics."""
    with TopicAdmin(settings) as admin:
        return Store(dict(admin.end_offsets(topics)))


def values(prefix: str, count: int) -> list[bytes]:
    return [f"{prefix}-{number}".encode() for number in range(count)]


def reached(recorder: Recorder, ends: Mapping[TP, int]) -> bool:
    return all(recorder.store.positions.get(tp, 0) >= end for tp, end in ends.items())


def ends_of(settings: Settings) -> dict[TP, int]:
    with TopicAdmin(settings) as admin:
        return admin.end_offsets(EVENT_TOPICS)


@asynccontextmanager
async def running_worker(
    settings: Settings, recorder: Recorder, registry: CollectorRegistry | None = None, installation: str = "1"
) -> AsyncIterator[BatchApp]:
    reads_packed = chosen_core(settings.worker.core) == "native"
    app = build_app(settings, recorder, reads_packed=reads_packed, installation=installation, registry=registry)
    stop = asyncio.Event()
    running = asyncio.create_task(run_app(app, stop))
    try:
        yield app
    finally:
        stop.set()
        await running
    assert recorder.breaches == []


async def first_replayed(settings: Settings, tp: TP, end: int) -> RecordBatch | None:
    """Return the first batch that a replay gets of a partition up to an offset, read from its beginning."""
    count = settings.kafka_partitions
    source = TopicSource(settings, {tp: end}, {tp.topic: count}, FixedTables(settings, {}, count, lambda _key: False))
    await source.start()
    try:
        await source.seek({tp: 0})
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await source.next_batch(tp)
    finally:
        await source.stop()


def break_partition(patch: pytest.MonkeyPatch, broken: TP) -> None:
    """Have whatever is fetched of a partition break when it is read, by aiokafka and by the compiled core."""

    unpack_records, compiled = PartitionRecords._unpack_records, runs

    def check(source: Any) -> None:
        if source._tp == broken:
            raise CorruptRecordException(f"Invalid CRC - {source._tp}")

    # two functions, for iterators are told apart by their code
    def by_aiokafka(source: Any) -> Iterator[Any]:
        check(source)
        yield from unpack_records(source)

    def by_core(source: Any, most: int) -> Iterator[Run]:
        check(source)
        yield from compiled(source, most)

    patch.setattr(PartitionRecords, "_unpack_records", by_aiokafka)
    patch.setattr(draining, "runs", by_core)


async def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {PATIENCE_SECONDS:.0f} s: {what}")
        await asyncio.sleep(0.02)


class FailingBehind:
    """Has fetches fail three times behind the point where aiokafka has moved positions on, having taken something.

    So does a broken batch of a later partition.
    """

    def __init__(self, error: Exception) -> None:
        self.failures = 0
        self._error = error

    def __call__(self, fetch: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def fetched(*arguments: Any, **named: Any) -> Any:
            found = await fetch(*arguments, **named)
            if found and self.failures < 3:
                self.failures += 1
                raise self._error
            return found

        return fetched
