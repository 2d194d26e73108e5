"""Reading a shard's topics in the order that keeps its memory flat."""

from __future__ import annotations

import asyncio
import logging
from itertools import count
from typing import TYPE_CHECKING, Final

from pipeline.backoff import Backoff
from pipeline.error_words import places
from pipeline.errors import FencedError, UserError
from pipeline.ledger.ledger import LedgerUnavailableError
from pipeline.replay.verdicts import cut
from pipeline.transport.ports import TP, RecordBatch
from schemas.topics import LANE_OF_TOPIC

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.replay.plan import LogPart
    from pipeline.replay.ports import ReplaySource
    from pipeline.worker.processor import ShardProcessor
    from pipeline.worker.shard import OwnedShard
    from pipeline.worker.verdicts import ClockVerdicts

_log = logging.getLogger(__name__)
# a record at fault is found within a few loads (pipeline/worker/isolation.py)
_FRUITLESS_LOADS: Final = 12


_RETRIES: Final = Backoff(first_seconds=0.1, longest_seconds=5.0)


async def take_over(processor: ShardProcessor, source: ReplaySource, partitions: frozenset[TP]) -> None:
    """Load the shards of some partitions, and have the source go on where the ledger stands."""
    positions = await processor.assigned(partitions)
    await source.seek({tp: position or 0 for tp, position in positions.items()})
    await processor.refresh()


class ShardReader:
    """Feeds one shard to the processor: always the topic whose watermark is lowest, until all have ended.

    What a topic ahead of the others would have the core remember is bounded so by what one batch spans.
    """

    def __init__(
        self,
        logs: Mapping[str, LogPart],
        source: ReplaySource,
        processor: ShardProcessor,
        verdicts: Mapping[TP, ClockVerdicts],
        is_fenced: Callable[[], bool],
    ) -> None:
        self._is_fenced = is_fenced
        self.partitions = frozenset(log.tp for log in logs.values())
        self._logs = logs
        self._source = source
        self._processor = processor
        self._verdicts = verdicts

    @property
    def shard(self) -> OwnedShard:
        """The shard, as it is loaded now."""
        lane, partition = next((LANE_OF_TOPIC[tp.topic], tp.partition) for tp in self.partitions)
        return next(one for one in self._processor.shards if one.lane is lane and one.partition == partition)

    async def run(self) -> None:
        """Read to the end until all of it is durable; a state that was dropped is loaded again.

        Raises:
            FencedError: somebody else replays this run.
            UserError: the records cannot be had.
        """
        fruitless, furthest = 0, -1
        while True:
            try:
                await self._read(self.shard)
                await self._processor.settle(self.shard)
            except (FencedError, UserError):
                raise
            except Exception as error:
                if self._is_fenced():  # to claim the shard again would leave a trace of a run that was dropped
                    raise FencedError("the run has a new owner, or was dropped") from error
                read = sum(self.shard.durable.values())
                fruitless, furthest = (0, read) if read > furthest else (fruitless + 1, furthest)
                if fruitless >= _FRUITLESS_LOADS:
                    raise
                _log.warning("shard %d is loaded again: %s", self.shard.number, places(error))
                await self._load_again()
            else:
                return

    async def _load_again(self) -> None:
        for failures in count(1):
            try:
                await take_over(self._processor, self._source, self.partitions)
            except LedgerUnavailableError as error:
                pause = _RETRIES.delay(failures)
                _log.warning("ClickHouse does not answer (%s), trying again in %.1f s", error, pause)
                await asyncio.sleep(pause)
            else:
                return

    async def _read(self, shard: OwnedShard) -> None:
        unread = dict(self._logs)
        while unread:
            topic = min(unread, key=lambda each: shard.core.intakes[each].watermark)
            batch = await self._source.next_batch(unread[topic].tp)
            if batch is None:
                await self._end(shard, unread.pop(topic))
                continue
            for piece in cut(batch, self._verdicts):
                await self._processor.process(piece)
            await asyncio.sleep(0)  # other shards, the fetches and the block under way have their turn

    async def _end(self, shard: OwnedShard, log: LogPart) -> None:
        """Have the shard know that a log has ended, also where gaps lie before its end."""
        end = max(log.end, shard.next_offset.get(log.topic, 0))
        await self._processor.process(RecordBatch(log.topic, log.partition, [], [], [], end, end_offset=end))
        shard.core.intakes[log.topic].is_over = True
