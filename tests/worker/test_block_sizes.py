"""Blocks stay of a size that ClickHouse takes, whatever events add to them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import FencedError
from pipeline.worker import committer, processor
from schemas import topics
from tests.support.fakes import LedgerStore
from tests.worker.running import Worker, cost, login, touch

if TYPE_CHECKING:
    from pipeline.ledger.ledger import Block
    from tests.support.fakes_transport import FakeKafka


def _send(kafka: FakeKafka) -> None:
    kafka.send(topics.TOUCHES, touch("t", "2026-03-01 10:00"))
    kafka.send(topics.COSTS, cost("c", "2026-03-01 10:00", 5))


def _watched(worker: Worker, monkeypatch: pytest.MonkeyPatch, fails_at: int | None = None) -> list[Block]:
    """Note the blocks that are written; another worker has taken over what the one of a number is of."""
    written: list[Block] = []
    write = worker.ledger.write

    def noted(block: Block) -> None:
        if len(written) == fails_at:
            raise FencedError("a shard has a new owner")
        write(block)
        written.append(block)

    monkeypatch.setattr(worker.ledger, "write", noted)
    return written


async def test_shards_that_one_block_would_not_hold_go_in_several(
    worker: Worker, kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    _send(kafka)
    await worker.take()
    await worker.read()
    other = Worker(kafka, LedgerStore(), "two")
    await other.take()
    await other.read()
    blocks = _watched(worker, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(committer, "BLOCK_BYTES", 1)
        rows = await worker.commit()
    assert len(blocks) == len(list(worker.processor.shards)) > 1
    assert [len(block.epochs) for block in blocks] == [1] * len(blocks)
    assert rows == sum(block.rows for block in blocks) == await other.commit()
    assert worker.views() == other.views()
    assert all(shard.durable == shard.next_offset for shard in worker.processor.shards)


async def test_what_was_written_before_a_fence_stays_and_the_rest_is_dropped(
    worker: Worker, kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    _send(kafka)
    await worker.take()
    await worker.read()
    blocks = _watched(worker, monkeypatch, fails_at=1)
    monkeypatch.setattr(committer, "BLOCK_BYTES", 1)
    with pytest.raises(FencedError):
        await worker.commit()
    (written,) = blocks
    for shard in worker.processor.shards:
        is_written = shard.number in written.epochs
        assert shard.is_broken is not is_written
        assert (shard.durable == shard.next_offset) is is_written


async def test_blocks_of_a_backlog_have_longer_to_fill_until_it_is_nearly_read(
    worker: Worker, kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor, "PENDING_LIMIT", 4)
    kafka.send(topics.LOGINS, *[login(f"2026-03-{day:02} 08:00") for day in range(1, 11)])
    await worker.take()
    paces = []
    for start in range(0, 10, 2):  # 8, 6, 4, 2, 0 of them unread
        await worker.processor.process(kafka.batch(topics.LOGINS, start, most=2))
        paces.append(worker.processor._pace_seconds)
        await worker.commit()
    live = worker.processor._settings.commit_interval_seconds
    assert paces == [1.0, 1.0, live, live, live]


async def test_fewer_events_wait_where_each_adds_much_to_a_block(
    worker: Worker, kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committer, "_FEW_EVENTS", 3)
    monkeypatch.setattr(committer, "_FEWEST_EVENTS", 2)
    kafka.send(topics.LOGINS, *[login(f"2026-03-{day:02} 08:00") for day in range(1, 11)])
    await worker.take()
    assert worker.committer.events_in_a_block > processor.PENDING_LIMIT / 10
    await worker.processor.process(kafka.batch(topics.LOGINS, 0, most=3))
    monkeypatch.setattr(committer, "BLOCK_BYTES", 100)
    await worker.commit()
    assert worker.committer.events_in_a_block == 2
    reading = asyncio.create_task(worker.processor.process(kafka.batch(topics.LOGINS, 3, most=3)))
    commits = asyncio.create_task(worker.processor.run_commits(lambda *_: None))
    await asyncio.wait_for(reading, 10)
    commits.cancel()
    assert worker.processor.pending == 0
