"""Looks every few seconds whether topics are still what they were, and what was halted or resumed elsewhere."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from pipeline.error_words import describe
from pipeline.ledger.ledger import LedgerUnavailableError
from schemas.topics import CAMPAIGNS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.transport.handover import Handover
    from pipeline.worker.halts import TopicHalts
    from pipeline.worker.health import Health
    from pipeline.worker.partition_counts import PartitionCounts
    from pipeline.worker.ports import DimensionSource, LogInspector
    from pipeline.worker.processor import ShardProcessor

_log = logging.getLogger(__name__)
HALTS_SECONDS: Final = 2.0
LOOKS_PER_TOPIC_LOOK: Final = 2


class TopicWatch:
    """Carries what is found to the transport: which topics to read no further, on, or from their beginning."""

    def __init__(  # noqa: PLR0913 - what is looked at, and what is told
        self,
        *,
        halts: TopicHalts,
        partition_counts: PartitionCounts,
        inspector: LogInspector,
        processor: ShardProcessor,
        handover: Handover,
        source: DimensionSource,
    ) -> None:
        self._halts = halts
        self._partition_counts = partition_counts
        self._inspector = inspector
        self._processor = processor
        self._handover = handover
        self._source = source
        self._campaigns_id: str | None = None

    async def run(self, health: Health) -> None:
        """Look again and again; for ever. ``health`` is told whether ClickHouse answers."""
        looks = 0
        while True:
            await asyncio.sleep(HALTS_SECONDS)
            looks += 1
            try:
                await self.heed_halts()
                health.answered("clickhouse")
                if looks % LOOKS_PER_TOPIC_LOOK == 0:
                    await self.look_at_topics()
            except LedgerUnavailableError as error:
                health.failing("clickhouse", "its tables could not be read")
                _log.warning("halted topics not read (%s), trying again", error)
            except Exception as error:  # noqa: BLE001 - a watch that ended would leave halts unheeded
                _log.warning("topics not looked at (%s), trying again", describe(error))

    async def heed_halts(self) -> None:
        """Halt and resume what is recorded so."""
        changes = await self._halts.heed()
        for error in changes.halted:
            self._handover.halt(error)
        for topic in changes.resumed:
            self._handover.resume(topic)

    async def look_at_topics(self) -> None:
        """Halt topics with another number of partitions, and have recreated ones read from their beginning."""
        found = await asyncio.to_thread(self._inspector.topics)
        for error in self._partition_counts.changed(found):
            await self._halts.halt(error)
            self._handover.halt(error)
        recreated = {
            topic
            for shard in self._processor.shards
            for topic, topic_id in shard.topic_ids.items()
            if topic in found and found[topic].topic_id != topic_id
        }
        self._reopen(recreated)
        if CAMPAIGNS in found:
            await self._look_at_campaigns(found[CAMPAIGNS].topic_id)

    async def _look_at_campaigns(self, topic_id: str) -> None:
        """No shard has a position of the campaigns: every worker reads that table whole."""
        if self._campaigns_id not in {None, topic_id}:
            _log.warning("%s was recreated: reading it from its beginning", CAMPAIGNS)
            await self._source.restart_campaigns()
        self._campaigns_id = topic_id

    def _reopen(self, recreated: Iterable[str]) -> None:
        for topic in recreated:
            _log.warning("%s was recreated", topic)
            self._handover.reopen_topic(topic)
