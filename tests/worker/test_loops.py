"""What a worker does again and again beside counting."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, cast

import pytest
from aiokafka.errors import CorruptRecordException, KafkaConnectionError

from pipeline.errors import ForbiddenError
from pipeline.ledger.ledger import LedgerUnavailableError
from pipeline.transport.ports import TP
from pipeline.transport.unreadable import unreadable
from pipeline.worker import erasure, lag, main
from pipeline.worker.health import Health
from pipeline.worker.lag import LagMeter
from pipeline.worker.main import _until_done
from tests.worker.running import EVERYTHING, Worker, profile, some_events

if TYPE_CHECKING:
    from pipeline.worker.processor import ShardProcessor
    from tests.support.fakes_transport import FakeKafka


async def forever() -> None:
    await asyncio.Event().wait()


async def test_whatever_ends_beside_the_app_takes_the_worker_with_it() -> None:
    async def fails() -> None:
        raise RuntimeError("no more tidying")

    for place in range(3):
        beside = [asyncio.create_task(fails() if number == place else forever()) for number in range(3)]
        with pytest.raises(RuntimeError, match="no more tidying"):
            await asyncio.wait_for(_until_done(forever(), beside), 10)
        for task in beside:
            task.cancel()


async def test_a_part_that_fails_is_told_before_the_app_has_ended_and_none_waits_long_for_that(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(main, "_ORDER_SECONDS", 0.01)
    told: list[bool] = []
    is_over = asyncio.Event()

    async def ends_slowly() -> None:
        try:
            await forever()
        finally:
            told.append("KeyError at fails" in caplog.text)
            await forever()  # for a last block that nobody takes

    async def never_ends() -> None:
        while not is_over.is_set():
            with suppress(asyncio.CancelledError):
                await is_over.wait()

    async def fails() -> None:
        raise KeyError("ann")

    for app in (ends_slowly, never_ends):
        with pytest.raises(KeyError):
            await asyncio.wait_for(_until_done(app(), [asyncio.create_task(fails())]), 10)
    is_over.set()
    assert told == [True]
    assert "'ann'" not in caplog.text


async def test_a_gauge_that_fails_ends_nothing(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lag, "LAG_SECONDS", 0.0)
    meter = LagMeter(worker.kafka, worker.processor, worker.telemetry)
    measure = meter.measure
    told: list[list[str]] = []
    is_done = asyncio.Event()

    async def failing() -> None:
        told.append(worker.telemetry.health.reasons())
        if len(told) < 3:
            raise KeyError("ann")
        await measure()
        if len(told) > 3:
            is_done.set()

    monkeypatch.setattr(meter, "measure", failing)
    measuring = asyncio.create_task(meter.run())
    await asyncio.wait_for(is_done.wait(), 10)
    measuring.cancel()
    assert [len(reasons) for reasons in told[:4]] == [0, 1, 1, 0]
    assert told[1][0].startswith("kafka: how far it is could not be told: KeyError at failing")
    records = [record.message for record in caplog.records if record.message.startswith("lag not measured: KeyError")]
    assert [message.count("File ") > 0 for message in records] == [True, False]  # its traceback, once
    assert "'ann'" not in caplog.text


async def test_why_the_lag_cannot_be_told_is_a_reason(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lag, "LAG_SECONDS", 0.0)
    meter = LagMeter(worker.kafka, worker.processor, worker.telemetry)
    told: list[list[str]] = []
    is_done = asyncio.Event()

    async def denied() -> None:
        told.append(worker.telemetry.health.reasons())
        if len(told) == 2:
            is_done.set()
        raise ForbiddenError("Kafka denies this user reading bank.touches.v1", "give it READ")

    monkeypatch.setattr(meter, "measure", denied)
    measuring = asyncio.create_task(meter.run())
    await asyncio.wait_for(is_done.wait(), 10)
    measuring.cancel()
    assert told[:2] == [[], ["kafka: its offsets could not be read (Kafka denies this user reading bank.touches.v1)"]]


async def test_a_worker_that_is_told_to_end_does_so_while_all_else_goes_on() -> None:
    beside = [asyncio.create_task(forever())]
    await asyncio.wait_for(_until_done(asyncio.sleep(0), beside), 10)
    assert not beside[0].done()
    beside[0].cancel()


async def test_an_erasure_that_fails_is_tried_again_and_its_error_quotes_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(erasure, "AFTER_FAILURE_SECONDS", 0.0)
    failures = [LedgerUnavailableError("away"), KeyError("ann")]
    is_done = asyncio.Event()

    async def erase() -> None:
        if failures:
            raise failures.pop(0)
        is_done.set()

    erasing = asyncio.create_task(erasure.erase_for_ever(erase, 0.0))
    await asyncio.wait_for(is_done.wait(), 10)
    assert not erasing.done()
    erasing.cancel()
    assert "an erasure failed: KeyError" in caplog.text
    assert "ann" not in caplog.text.replace("channel", "")


async def test_a_shard_whose_state_may_be_half_applied_is_not_tidied(
    worker: Worker, kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_events(kafka)
    await worker.take()
    await worker.read()
    broken, *sound = worker.processor.shards
    broken.is_broken = True
    tidied: list[int] = []
    for shard in (broken, *sound):
        monkeypatch.setattr(shard, "tidy", lambda _, number=shard.number: tidied.append(number))
    worker.processor.tidy()
    assert sorted(tidied) == sorted(shard.number for shard in sound)


async def test_what_was_read_of_a_log_is_forgotten_with_the_profiles_that_waited(
    worker: Worker, kafka: FakeKafka
) -> None:
    kafka.send("bank.customers.v1", profile("ann", "growth"), profile("bob", "growth"))
    await worker.take()
    await worker.processor.refresh()
    shard = next(shard for shard in worker.processor.shards if shard.profiles.read_to == 2)
    await worker.processor.revoked(EVERYTHING)
    await worker.take()
    shard.next_offset["bank.customers.v1"] = 0  # the topic has been made anew meanwhile
    shard.finish_erasure([], [])
    assert shard.next_offset["bank.customers.v1"] == 0


async def test_dimension_topics_that_cannot_be_read_are_told_until_they_can_and_end_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(main, "_REFRESH_SECONDS", 0.0)
    cause = "bank.campaigns.v1 partition 2 holds a record batch that cannot be read (CorruptRecordException)"
    failures = [
        unreadable([TP("bank.campaigns.v1", 2)], CorruptRecordException()),
        KafkaConnectionError("away"),
        KeyError("ann"),
    ]
    told: list[list[str]] = []
    is_done = asyncio.Event()
    health = Health()

    class Processor:
        async def refresh(self) -> None:
            told.append(health.reasons())
            if len(told) > 4:
                is_done.set()
            if failures:
                raise failures.pop(0)

    refreshing = asyncio.create_task(main._refresh(cast("ShardProcessor", Processor()), health))
    await asyncio.wait_for(is_done.wait(), 10)
    refreshing.cancel()
    assert told[:3] == [[], [f"definitions and profiles: {cause}"], [f"definitions and profiles: {cause}"]]
    assert [reason.partition(":")[2].startswith(" KeyError at refresh:") for reason in told[3]] == [True]
    assert told[4] == []
    assert cause in caplog.text
    assert "'ann'" not in caplog.text
