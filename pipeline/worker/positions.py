"""Where reading starts after a take-over, and what is said when a log is not the one the ledger knows."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from pipeline.transport.ports import TP

if TYPE_CHECKING:
    from pipeline.ledger.loader import Loaded, StoredPosition
    from pipeline.worker.ports import LogExtent, LogInspector
    from pipeline.worker.shard import OwnedShard
    from pipeline.worker.telemetry import Telemetry

_log = logging.getLogger(__name__)


class StartingPoints:
    """Compares stored positions with the logs as they are.

    A topic that was recreated (another identity) is read from its beginning: the state goes on, and copies of known
    events are dropped as duplicates or too late. A log that ends before the stored position was cut short, one
    that begins behind it lost records unread: both are reported, and reading goes on where the log allows.
    """

    def __init__(self, inspector: LogInspector, telemetry: Telemetry) -> None:
        self._inspector = inspector
        self._telemetry = telemetry

    async def resolve(self, shards: list[OwnedShard], loaded: Loaded) -> None:
        """Set the shards' next offsets and topic identities."""
        topics = {TP(topic, shard.partition): shard for shard in shards for topic in shard.lane.topics}
        extents = await asyncio.to_thread(self._inspector.extents, frozenset(topics))
        for tp, shard in topics.items():
            extent = extents[tp]
            shard.topic_ids[tp.topic] = extent.topic_id
            stored = loaded.positions.get((shard.number, tp.topic))
            begin = extent.start
            if stored is not None:
                begin = self._start(tp, stored, extent)
                shard.next_offset[tp.topic] = shard.durable[tp.topic] = begin
            shard.found_log(tp.topic, is_read_to_end=begin >= extent.end, now=time.monotonic())

    def _start(self, tp: TP, stored: StoredPosition, extent: LogExtent) -> int:
        if stored.topic_id != extent.topic_id:
            self._telemetry.log_fault(tp.topic, "recreated")
            _log.warning("%s partition %d was recreated: reading it from its beginning", *tp)
            return extent.start
        if stored.next_offset > extent.end:
            self._telemetry.log_fault(tp.topic, "cut_short")
            _log.error(
                "%s partition %d ends at offset %d, but %d had been read: the broker has lost records; "
                "reading goes on at its end",
                *tp,
                extent.end,
                stored.next_offset,
            )
            return extent.end
        if stored.next_offset < extent.start:
            self._telemetry.log_fault(tp.topic, "records_lost")
            _log.error(
                "%s partition %d begins at offset %d, but only %d had been read: %d records were deleted unread; "
                "lengthen the topic's retention",
                *tp,
                extent.start,
                stored.next_offset,
                extent.start - stored.next_offset,
            )
            return extent.start
        return stored.next_offset
