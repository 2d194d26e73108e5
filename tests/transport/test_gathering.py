"""How often a worker fetches, on brokers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from pipeline.transport import fetching
from pipeline.transport.admin import TopicAdmin
from pipeline.transport.fetching import BatchConsumerThread
from schemas.topics import EVENT_TOPICS, LOGINS
from tests.transport.recording import Recorder
from tests.transport.running import produce, running_worker, store_at_end, until

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.transport.ports import RecordBatch

pytestmark = [pytest.mark.contract, pytest.mark.e2e]


def values(count: int) -> list[bytes]:
    return [b"login-%d" % number for number in range(count)]


async def test_one_that_keeps_up_takes_what_has_gathered_instead_of_every_record(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "GATHER_SECONDS", 0.3)
    batches: list[RecordBatch] = []
    with TopicAdmin(settings) as admin:
        partitions = len(admin.end_offsets(EVENT_TOPICS))
    recorder = Recorder(store_at_end(settings, EVENT_TOPICS), batches.append)
    clock = asyncio.get_running_loop().time
    async with running_worker(settings, recorder):
        await until(lambda: len({batch.tp for batch in batches}) == partitions, "the first fetches")
        batches.clear()
        began = clock()
        for value in values(60):
            await asyncio.to_thread(produce, settings, LOGINS, [value])
        await until(lambda: len(recorder.store.values()) == 60, "all records")
        fetches = sum(len(batch) > 0 for batch in batches)  # of one partition, so one each
        assert fetches <= (clock() - began) / 0.3 + 1


async def test_a_backlog_is_read_without_a_pause(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "GATHER_SECONDS", 3600.0)
    settings = settings.model_copy(update={"worker": settings.worker.model_copy(update={"fetch_records": 20})})
    recorder = Recorder(store_at_end(settings, EVENT_TOPICS))
    produce(settings, LOGINS, values(1000), keys=1)
    # of other partitions nothing comes, and the end of this one is reached once
    async with running_worker(settings, recorder):
        await until(lambda: len(recorder.store.values()) == 1000, "the whole backlog")


async def test_partitions_whose_records_a_full_fetch_has_left_are_taken_without_a_pause(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "GATHER_SECONDS", 0.5)
    settings = settings.model_copy(update={"worker": settings.worker.model_copy(update={"fetch_records": 10})})
    pauses = 0
    gather = BatchConsumerThread._gather

    async def counted(thread: BatchConsumerThread) -> None:
        nonlocal pauses
        pauses += thread._gathered_at > asyncio.get_running_loop().time()
        await gather(thread)

    batches: list[RecordBatch] = []
    with TopicAdmin(settings) as admin:
        partitions = len(admin.end_offsets(EVENT_TOPICS))
    recorder = Recorder(store_at_end(settings, EVENT_TOPICS), batches.append)
    async with running_worker(settings, recorder):
        await until(lambda: len({batch.tp for batch in batches}) == partitions, "the first fetches")
        monkeypatch.setattr(BatchConsumerThread, "_gather", counted)
        for topic in EVENT_TOPICS:
            await asyncio.to_thread(produce, settings, topic, values(28), keys=28)
        await until(lambda: len(recorder.store.values()) == 28 * len(EVENT_TOPICS), "all partitions")
    # a fetch takes what two of the sixteen partitions have, and reaches their ends: eight pauses, if each makes one
    assert pauses <= 5
