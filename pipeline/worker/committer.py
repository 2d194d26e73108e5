"""The commit cycle: one block of all owned shards at a time, written until the ledger has it or refuses it."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError

from pipeline.errors import FencedError
from pipeline.ledger.ledger import Block, LedgerUnavailableError
from pipeline.ledger.rows import encode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from pipeline.ledger.ledger import LedgerPort
    from pipeline.ledger.rows import ShardBlock
    from pipeline.transport.dead_letters import DeadLetter
    from pipeline.worker.dimensions import DimensionTables
    from pipeline.worker.orphans import OrphanRecall
    from pipeline.worker.ports import DeadLetterSink
    from pipeline.worker.shard import OwnedShard
    from pipeline.worker.telemetry import Telemetry

_log = logging.getLogger(__name__)
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0


class Committer:
    """Writes blocks, in order and one at a time; a block's bytes never change between attempts."""

    def __init__(  # noqa: PLR0913 - what one cycle writes to, in the order it is written
        self,
        *,
        ledger: LedgerPort,
        dead_letters: DeadLetterSink,
        recall: OrphanRecall,
        dimensions: DimensionTables,
        labels: tuple[str, ...],
        telemetry: Telemetry,
        now_ms: Callable[[], int],
    ) -> None:
        self._ledger = ledger
        self._dead_letters = dead_letters
        self._recall = recall
        self._dimensions = dimensions
        self._labels = labels
        self._telemetry = telemetry
        self._now_ms = now_ms
        self._lock = asyncio.Lock()
        self._number = 0

    async def commit(self, shards: Iterable[OwnedShard]) -> int:
        """Make everything the shards have learnt durable; return the number of rows written.

        Raises:
            FencedError: a shard belongs to somebody else now; nothing of this block was written.
        """
        async with self._lock:
            taken: list[tuple[OwnedShard, ShardBlock]] = []
            dead: list[DeadLetter] = []
            for shard in shards:
                out = shard.seal_block()
                if out is not None:
                    taken.append((shard, out[0]))
                    dead.extend(out[1])
            if not taken:
                await self._repeated("campaign definitions", self._dimensions.save)
                return 0
            try:
                rows = await self._make_durable(self._encode(taken), dead)
            except BaseException:
                # what was taken from these shards is gone from memory: only the ledger knows their state now
                for shard, _ in taken:
                    shard.is_broken = True
                raise
            for shard, part in taken:
                shard.made_durable(part)
                self._telemetry.made_durable(shard.partition, part)
            return rows

    def paused(self) -> asyncio.Lock:
        """Return what keeps blocks from being written while it is held; entering waits for the one under way."""
        return self._lock

    async def _make_durable(self, block: Block, dead: list[DeadLetter]) -> int:
        await self._repeated("campaign definitions", self._dimensions.save)
        if dead:
            await self._repeated(f"{len(dead)} dead letters", partial(self._send, dead))
        await self._write(block)
        return block.rows

    async def _send(self, dead: list[DeadLetter]) -> None:
        await self._dead_letters.write(await self._recall.complete(dead))

    @staticmethod
    async def _repeated(what: str, attempt: Callable[[], Awaitable[None]]) -> None:
        """Repeat an idempotent step until it succeeds."""
        pause = _FIRST_PAUSE
        while True:
            try:
                await attempt()
            except (KafkaError, LedgerUnavailableError) as error:
                _log.warning("%s not taken (%s), trying again in %.1f s", what, type(error).__name__, pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                return

    def _encode(self, taken: list[tuple[OwnedShard, ShardBlock]]) -> Block:
        self._number += 1
        body, rows = encode((part for _, part in taken), self._labels, self._now_ms())
        return Block(self._number, {shard.number: shard.epoch for shard, _ in taken}, body, rows)

    async def _write(self, block: Block) -> None:
        pause = _FIRST_PAUSE
        while True:
            began = time.monotonic()
            try:
                await asyncio.to_thread(self._ledger.write, block)
            except LedgerUnavailableError as error:
                self._telemetry.block_retried(str(error))
                _log.warning("block %d not acknowledged (%s), trying again in %.1f s", block.number, error, pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            except FencedError:
                self._telemetry.block_fenced()
                raise
            else:
                self._telemetry.block_written(block.rows, len(block.body), time.monotonic() - began)
                return
