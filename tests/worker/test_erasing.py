"""Erasures of a worker with several shards: what fails in one is that one's own."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import pytest

from pipeline.ledger.ledger import LedgerUnavailableError
from pipeline.state.rows import Stage
from pipeline.transport.ports import TP
from pipeline.worker import erasure
from pipeline.worker.erasure import Eraser
from schemas.topics import CUSTOMER_LANE
from tests.worker.running import POLICY, Worker

if TYPE_CHECKING:
    from pipeline.worker.shard import OwnedShard

_ANN: Final = b"pseudonym of ann"
Dropped = list[tuple[frozenset[TP], Exception]]


@pytest.fixture
async def shards(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> list[OwnedShard]:
    """Three shards of a worker, each of which has somebody to erase."""
    await worker.take(frozenset(TP(topic, number) for topic in CUSTOMER_LANE.events for number in range(3)))
    found = list(worker.processor.shards)
    for shard in found:
        core = SimpleNamespace(erasures_at=lambda stage: {_ANN: 1} if stage is Stage.BEGUN else {})
        monkeypatch.setattr(shard, "core", core)
        monkeypatch.setattr(shard, "revert_erased", lambda _: None)
    return found


def reading(failing: dict[int, Exception], read: list[int]) -> Any:
    """Return what stands in for reading a shard's histories."""

    def read_histories(_ledger: object, shard: int, *_: object) -> dict[bytes, object]:
        read.append(shard)
        if shard in failing:
            raise failing[shard]
        return {}

    return read_histories


async def erased(worker: Worker) -> Dropped:
    """Take all erasures a stage further, and return what is to be taken over again."""
    dropped: Dropped = []
    eraser = Eraser(worker.ledger, asyncio.Lock, POLICY.labels)
    with pytest.raises((KeyError, LedgerUnavailableError)):
        await worker.processor.erase(eraser, lambda partitions, error: dropped.append((partitions, error)))
    return dropped


async def test_an_erasure_that_fails_keeps_none_of_other_shards_back(
    worker: Worker, shards: list[OwnedShard], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    read: list[int] = []
    failing: dict[int, Exception] = {shards[0].number: KeyError("ann"), shards[1].number: KeyError("bob")}
    monkeypatch.setattr(erasure, "read_histories", reading(failing, read))
    assert await erased(worker) == []  # their states are sound
    assert read == [shard.number for shard in shards]
    assert f"the erasures of shard {shards[1].number} failed, too: KeyError" in caplog.text
    assert "bob" not in caplog.text


async def test_a_shard_that_an_erasure_has_broken_is_taken_over_again(
    worker: Worker, shards: list[OwnedShard], monkeypatch: pytest.MonkeyPatch
) -> None:
    error = KeyError("ann")
    read: list[int] = []

    def fails(_: object) -> None:
        raise error

    monkeypatch.setattr(erasure, "read_histories", reading({}, read))
    monkeypatch.setattr(shards[0], "revert_erased", fails)
    partitions = frozenset(TP(topic, shards[0].partition) for topic in CUSTOMER_LANE.events)
    assert await erased(worker) == [(partitions, error)]
    assert read == [shard.number for shard in shards]
    assert [shard.is_broken for shard in shards] == [True, False, False]


async def test_erasures_wait_for_clickhouse_at_the_first_shard_that_it_does_not_answer_for(
    worker: Worker, shards: list[OwnedShard], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    failing: dict[int, Exception] = {shards[0].number: LedgerUnavailableError("away")}
    monkeypatch.setattr(erasure, "read_histories", reading(failing, read))
    assert await erased(worker) == []
    assert read == [shards[0].number]
