"""The commit cycle: one block of all owned shards at a time, written until the ledger has it or refuses it."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple

from aiokafka.errors import KafkaError

from pipeline.backoff import Backoff
from pipeline.errors import FencedError
from pipeline.ledger.body import body_of, encode
from pipeline.ledger.ledger import Block, LedgerUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

    from pipeline.clickhouse.native import Sheet
    from pipeline.ledger.ledger import LedgerPort
    from pipeline.ledger.rows import ShardBlock
    from pipeline.transport.dead_letters import DeadLetter
    from pipeline.worker.dimensions import DimensionTables
    from pipeline.worker.ports import DeadLetterSink, LetterRecall
    from pipeline.worker.shard import OwnedShard
    from pipeline.worker.telemetry import Telemetry

_log = logging.getLogger(__name__)
_RETRIES: Final = Backoff(first_seconds=0.1, longest_seconds=5.0)


BLOCK_BYTES: Final = 64 * 1024 * 1024
"""How large a block is to be: more than one shard's changes beyond it go in blocks of their own."""
_FEW_EVENTS: Final = 1_000
_FEWEST_EVENTS: Final = 20_000
_LIKELY_BYTES: Final = 1_000.0
_PIECE_LETTERS: Final = 500
_PIECE_BYTES: Final = 4 * 1024 * 1024


def _piece(letters: list[DeadLetter]) -> int:
    """Return how many letters may go at once, at least one: more would not be through before requests time out."""
    size = 0
    for number, letter in enumerate(letters[:_PIECE_LETTERS]):
        size += len(letter.value or b"") + len(letter.key or b"")
        if size > _PIECE_BYTES and number:
            return number
    return min(len(letters), _PIECE_LETTERS)


class _Sealed(NamedTuple):
    """One shard's part of a block, its encoding, and how many bytes this has."""

    shard: OwnedShard
    part: ShardBlock
    dead: list[DeadLetter]
    sheets: list[Sheet]
    size: int


def _blocks(taken: Sequence[_Sealed], most: int) -> Iterator[list[_Sealed]]:
    """Yield what goes into one block after another: whole shards, as many as ``most`` bytes hold, at least one."""
    block: list[_Sealed] = []
    size = 0
    for each in taken:
        if block and size + each.size > most:
            yield block
            block, size = [], 0
        block.append(each)
        size += each.size
    if block:
        yield block


class Committer:
    """Writes blocks, in order and one at a time; a block's bytes never change between attempts.

    Attributes:
        sealed: set when shards have given what the next blocks will hold: they have room again while these are written.
    """

    def __init__(  # noqa: PLR0913 - what one cycle writes to, in the order it is written
        self,
        *,
        ledger: LedgerPort,
        dead_letters: DeadLetterSink,
        recall: LetterRecall,
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
        self.sealed = asyncio.Event()
        self._number = 0
        self._bytes_per_event = _LIKELY_BYTES

    async def commit(self, shards: Iterable[OwnedShard]) -> int:
        """Make everything the shards have learnt durable; return the number of rows written.

        Raises:
            FencedError: a shard belongs to somebody else now; nothing of its block was written, nor of those after it.
        """
        async with self._lock:
            taken: list[_Sealed] = []
            try:
                events = 0
                for shard in shards:
                    pending = shard.pending
                    sealed = None if shard.is_broken else await self._seal(shard)
                    if sealed is not None:
                        taken.append(sealed)
                        events += pending
                self.sealed.set()
                if not taken:
                    await self._repeated("campaign definitions", self._dimensions.save)
                    return 0
                self._weigh(taken, events)
                rows = 0
                for block in list(_blocks(taken, BLOCK_BYTES)):
                    rows += await self._make_durable(self._block(block), [dead for each in block for dead in each.dead])
                    for each in block:
                        each.shard.made_durable(each.part)
                        self._telemetry.made_durable(each.shard.partition, each.part)
                        taken.remove(each)
            except BaseException:
                # what was taken from these shards is gone from memory: only the ledger knows their state now
                for each in taken:
                    each.shard.is_broken = True
                raise
            return rows

    @property
    def events_in_a_block(self) -> int:
        """How many events a block holds, going by the last ones: each adds kilobytes where models share credit."""
        return max(_FEWEST_EVENTS, int(BLOCK_BYTES / self._bytes_per_event))

    def _weigh(self, taken: Sequence[_Sealed], events: int) -> None:
        if events >= _FEW_EVENTS:  # of few, most rows are of what all of them share
            self._bytes_per_event = sum(each.size for each in taken) / events

    async def _seal(self, shard: OwnedShard) -> _Sealed | None:
        """Return the encoded part of a shard; one that cannot be encoded drops its own state and nobody else's."""
        try:
            out = shard.seal_block()
            if out is None:
                return None
            part, dead = out
            if part.changes.orphans:
                dead = await self._recalled(shard, dead)
                part = part._replace(dead_letters=shard.rows_of(dead))
            sheets = encode(part, self._labels, self._now_ms())
            return _Sealed(shard, part, dead, sheets, sum(sheet.size for sheet in sheets))
        except Exception as error:  # noqa: BLE001 - whatever it is, a record has led to it: it is found from here on
            shard.is_broken, shard.fault = True, error
            return None

    def paused(self) -> asyncio.Lock:
        """Return what keeps blocks from being written while it is held; entering waits for the one under way."""
        return self._lock

    async def _make_durable(self, block: Block, dead: list[DeadLetter]) -> int:
        await self._repeated("campaign definitions", self._dimensions.save)
        if dead:
            topics = ", ".join(sorted({letter.topic for letter in dead}))
            await self._repeated(f"dead letters of {topics}", partial(self._send, dead))
        await self._write(block)
        return block.rows

    async def _recalled(self, shard: OwnedShard, dead: list[DeadLetter]) -> list[DeadLetter]:
        """Return dead letters with the records of orphans, or the word that these have left the log."""
        found: list[DeadLetter] = []

        async def attempt() -> None:
            found[:] = await self._recall.complete(dead)

        try:
            await self._repeated("orphaned reversals", attempt)
        except BaseException:
            shard.is_broken = True  # what was sealed is gone from memory
            raise
        return found

    async def _send(self, waiting: list[DeadLetter]) -> None:
        """Write dead letters piece by piece: a repeated attempt goes on behind those that the broker has."""
        while waiting:
            size = _piece(waiting)
            await self._dead_letters.write(waiting[:size])
            del waiting[:size]

    async def _repeated(self, what: str, attempt: Callable[[], Awaitable[None]]) -> None:
        """Repeat an idempotent step until it succeeds; no block is written meanwhile, and health says why."""
        try:
            for failures in count(1):
                try:
                    await attempt()
                except (KafkaError, LedgerUnavailableError) as error:
                    pause = _RETRIES.delay(failures)
                    self._telemetry.health.failing(what, f"not taken ({type(error).__name__})")
                    _log.warning("%s not taken (%s), trying again in %.1f s", what, type(error).__name__, pause)
                    await asyncio.sleep(pause)
                else:
                    return
        finally:
            self._telemetry.health.working(what)  # who is told to stop waits for it no more

    def _block(self, taken: list[_Sealed]) -> Block:
        self._number += 1
        epochs = {each.shard.number: each.shard.epoch for each in taken}
        return Block(self._number, epochs, *body_of([sheet for each in taken for sheet in each.sheets]))

    async def _write(self, block: Block) -> None:
        for failures in count(1):
            began = time.monotonic()
            try:
                await asyncio.to_thread(self._ledger.write, block)
            except LedgerUnavailableError as error:
                self._telemetry.block_retried(str(error))
                pause = _RETRIES.delay(failures)
                _log.warning("block %d not acknowledged (%s), trying again in %.1f s", block.number, error, pause)
                await asyncio.sleep(pause)
            except FencedError:
                self._telemetry.block_fenced()
                raise
            else:
                self._telemetry.block_written(block.rows, len(block.body), time.monotonic() - began)
                return
