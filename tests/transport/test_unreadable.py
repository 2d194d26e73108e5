"""What cannot be read inside Faust, on brokers: it waits, and neither loses nor holds up anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.errors import CorruptRecordException

from pipeline.errors import UserError
from pipeline.native.library import is_built
from pipeline.transport import consumer, draining, fetching
from pipeline.transport.ports import TP
from schemas.topics import EVENT_TOPICS, LOGINS
from tests.transport.recording import Recorder
from tests.transport.running import (
    FailingBehind,
    break_partition,
    ends_of,
    first_replayed,
    produce,
    reached,
    running_worker,
    store_at_end,
    until,
    values,
)

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.state.policy import CoreName

pytestmark = [pytest.mark.contract, pytest.mark.e2e]
CORES = ["plain", pytest.param("native", marks=pytest.mark.skipif(not is_built(), reason="is not built here"))]


def with_core(settings: Settings, core: CoreName) -> Settings:
    return settings.model_copy(update={"worker": settings.worker.model_copy(update={"core": core})})


@pytest.mark.parametrize("core", CORES)
async def test_fetch_that_fails_half_way_loses_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, core: CoreName
) -> None:
    failing = FailingBehind(CorruptRecordException())
    monkeypatch.setattr(consumer, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(Fetcher, "fetched_records", failing(Fetcher.fetched_records))
    monkeypatch.setattr(fetching, "fetched_runs", failing(draining.fetched_runs))
    recorder = Recorder(store_at_end(settings, EVENT_TOPICS))
    produce(settings, LOGINS, values("login", 100))
    async with running_worker(with_core(settings, core), recorder):
        await until(lambda: reached(recorder, ends_of(settings)), "all partitions read to their ends")
    assert failing.failures == 3
    assert recorder.store.sorted_values() == sorted(values("login", 100))


@pytest.mark.parametrize("core", CORES)
async def test_partition_that_cannot_be_read_waits_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, core: CoreName
) -> None:
    monkeypatch.setattr(consumer, "RETRY_SECONDS", 3600.0)
    broken = TP(LOGINS, 1)
    break_partition(monkeypatch, broken)
    recorder = Recorder(store_at_end(settings, EVENT_TOPICS))
    async with running_worker(with_core(settings, core), recorder) as app:
        for turn in range(3):
            produce(settings, LOGINS, values(f"login {turn}", 100))
            ends = {tp: end for tp, end in ends_of(settings).items() if tp != broken}
            await until(lambda ends=ends: reached(recorder, ends), "all other partitions read to their ends")  # type: ignore[misc] # mypy takes the default for an argument
            await until(lambda: bool(app.handover.retries), "the broken one told")
        assert app.handover.retries.keys() == {broken}
    assert not recorder.store.records[broken]


@pytest.mark.parametrize("core", CORES)
async def test_partition_that_cannot_be_read_is_told_until_it_can(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, core: CoreName, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(consumer, "RETRY_SECONDS", 0.01)
    recorder = Recorder(store_at_end(settings, EVENT_TOPICS))
    cause = "bank.logins.v1 partition 1 holds a record batch that cannot be read (CorruptRecordException: Invalid CRC"
    async with running_worker(with_core(settings, core), recorder) as app:
        with monkeypatch.context() as patch:
            break_partition(patch, TP(LOGINS, 1))
            produce(settings, LOGINS, values("login", 100))
            await until(lambda: caplog.text.count(cause) > 2, "it is tried again")
            (told,) = app.handover.stuck(0.0)
            assert told.startswith(cause)
        await until(lambda: reached(recorder, ends_of(settings)), "all partitions read to their ends")
        assert not app.handover.stuck(0.0)
    assert recorder.store.sorted_values() == sorted(values("login", 100))


@pytest.mark.parametrize("core", CORES)
async def test_a_replay_tells_a_partition_that_cannot_be_read_and_what_helps(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, core: CoreName
) -> None:
    produce(settings, LOGINS, values("login", 100))
    broken = TP(LOGINS, 1)
    break_partition(monkeypatch, broken)
    with pytest.raises(UserError, match=r"Invalid CRC.*; restore the partition, or replay what was archived"):
        await first_replayed(with_core(settings, core), broken, ends_of(settings)[broken])
