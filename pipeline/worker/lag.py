"""How far what is durable is behind the topics, looked up now and then: a topic that nobody reads falls behind, too."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING, Final

from pipeline.error_words import Telling, describe
from pipeline.errors import PipelineError, UserError
from pipeline.transport.ports import TP

if TYPE_CHECKING:
    from pipeline.worker.ports import LogInspector
    from pipeline.worker.processor import ShardProcessor
    from pipeline.worker.telemetry import Telemetry

LAG_SECONDS: Final = 10.0
_log = logging.getLogger(__name__)


class LagMeter:
    """Measures the lag of the owned partitions; over all workers they add up to that of the topics."""

    def __init__(self, inspector: LogInspector, processor: ShardProcessor, telemetry: Telemetry) -> None:
        self._inspector = inspector
        self._processor = processor
        self._telemetry = telemetry
        self._telling = Telling()

    async def run(self) -> None:
        """Measure again and again; for ever, whatever it meets."""
        while True:
            try:
                await self.measure()
            except PipelineError as error:
                _log.warning("lag not measured (%s), trying again", error)
                why = error.cause if isinstance(error, UserError) else describe(error)
                self._telemetry.health.failing("kafka", f"its offsets could not be read ({why})")
            except Exception as error:  # noqa: BLE001 - a gauge must not end the counting
                _log.error("lag not measured: %s; trying again", self._telling.words(error))
                self._telemetry.health.failing("kafka", f"how far it is could not be told: {describe(error)}")
            await asyncio.sleep(LAG_SECONDS)

    async def measure(self) -> None:
        """Look once.

        Raises:
            PipelineError: Kafka does not answer; the last figures stand.
        """
        owned = [
            (TP(topic, shard.partition), shard.durable.get(topic, shard.next_offset.get(topic)))
            for shard in self._processor.shards
            for topic in shard.lane.topics
        ]
        # a worker without partitions asks as well, so that it is known whether Kafka answers it
        extents = await asyncio.to_thread(self._inspector.extents, frozenset(tp for tp, _ in owned))
        lag: Counter[str] = Counter()
        for tp, position in owned:
            if tp in extents:
                start, end = extents[tp].start, extents[tp].end
                lag[tp.topic] += max(0, end - max(start, position or 0))
        self._telemetry.lag(lag)
        self._telemetry.health.answered("kafka")
