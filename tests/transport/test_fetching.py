from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer.fetcher import FetchError
from aiokafka.errors import CorruptRecordException

from pipeline.transport.fetching import BatchConsumerThread, _Cursor
from pipeline.transport.ports import TP
from pipeline.transport.unreadable import UnreadableError, unreadable

ONE, OTHER = TP("bank.touches.v1", 0), TP("bank.touches.v1", 1)


class Consumer:
    """As much of aiokafka's as a fetch asks: positions and what has arrived; nothing arrives by itself."""

    def __init__(self, positions: dict[TP, int]) -> None:
        self.positions = positions
        self._fetcher = self
        self._subscriptions = SimpleNamespace(fetch_context=nullcontext)
        assignment = SimpleNamespace(state_value=self.state)
        self._subscription = SimpleNamespace(subscription=SimpleNamespace(assignment=assignment))
        self._records: dict[TP, Any] = {}

    def state(self, tp: TP) -> SimpleNamespace:
        return SimpleNamespace(position=self.positions[tp], has_valid_position=True, highwater=100)

    def partitions_for_topic(self, _topic: str) -> set[int]:
        return {0, 1}

    async def fetched_records(self, *_: Any, **__: Any) -> dict[TP, list[Any]]:
        return {}


@pytest.fixture
def thread(monkeypatch: pytest.MonkeyPatch) -> BatchConsumerThread:
    consumer = Consumer({ONE: 5, OTHER: 5})
    found: BatchConsumerThread = object.__new__(BatchConsumerThread)
    found._cursors = {tp: _Cursor(1, 5) for tp in (ONE, OTHER)}
    found._unreported = {ONE, OTHER}
    found._gathered_at = 0.0
    found.app = SimpleNamespace(reads_packed=False, conf=SimpleNamespace(broker_max_poll_records=10))
    found.consumer = SimpleNamespace(flow_active=True)
    monkeypatch.setattr(found, "_ensure_consumer", lambda: consumer)
    return found


def moves(thread: BatchConsumerThread) -> dict[TP, int]:
    return thread._ensure_consumer().positions  # type: ignore[no-any-return] # the double above


async def fetched(thread: BatchConsumerThread) -> dict[TP, tuple[int, int]]:
    deliveries = await thread._fetch(frozenset({ONE, OTHER}))
    return {each.batch.tp: (each.start, each.batch.next_offset) for each in deliveries}


async def test_the_first_fetch_is_reported_without_records_and_then_what_moves_on(thread: BatchConsumerThread) -> None:
    assert await fetched(thread) == {ONE: (5, 5), OTHER: (5, 5)}
    assert await fetched(thread) == {}
    moves(thread)[ONE] = 8  # over markers and gaps alone
    assert await fetched(thread) == {ONE: (5, 8)}


async def test_a_failed_fetch_moves_nothing_over_a_record_that_nobody_has_seen(thread: BatchConsumerThread) -> None:
    moves(thread)[ONE] = 6
    thread._ensure_consumer()._records[ONE] = FetchError(error=ValueError("a record too large"), backoff=0)
    assert await fetched(thread) == {OTHER: (5, 5)}


async def test_what_only_a_codec_can_say_is_a_broken_batch_to_the_caller(
    thread: BatchConsumerThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def undecodable(*_: Any, **__: Any) -> dict[TP, list[Any]]:
        raise EOFError("compressed file ended early")

    sought: list[frozenset[TP]] = []
    monkeypatch.setattr(thread._ensure_consumer(), "fetched_records", undecodable)
    monkeypatch.setattr(thread, "_read_again", lambda _, partitions: sought.append(partitions))
    with pytest.raises(UnreadableError, match="EOFError"):
        await thread._fetch(frozenset({ONE, OTHER}))
    assert sought == [frozenset({ONE, OTHER})]


async def test_a_partition_that_fails_by_itself_has_no_other_read_again(
    thread: BatchConsumerThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any, **__: Any) -> dict[TP, list[Any]]:
        raise unreadable([OTHER], CorruptRecordException())

    sought: list[frozenset[TP]] = []
    monkeypatch.setattr(thread, "_runs", broken)
    monkeypatch.setattr(thread, "_read_again", lambda _, partitions: sought.append(partitions))
    with pytest.raises(UnreadableError):
        await thread._fetch(frozenset({ONE, OTHER}))
    assert sought == [frozenset({OTHER})]
