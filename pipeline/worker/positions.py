"""Where reading starts after a take-over, and what is said when a log is not the one the ledger knows."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.ledger.loader import StoredPosition
from pipeline.transport.ports import TP

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.ledger.ledger import LedgerPort
    from pipeline.ledger.loader import Loaded
    from pipeline.worker.ports import LogExtent, LogInspector
    from pipeline.worker.shard import OwnedShard
    from pipeline.worker.telemetry import Telemetry

_log = logging.getLogger(__name__)
RECREATED: Final = "recreated"
CUT_SHORT: Final = "cut_short"
RECORDS_LOST: Final = "records_lost"


class StartingPoints:
    """Compares stored positions with the logs as they are.

    A topic that was recreated (another identity) is read from its beginning: the state goes on, and copies of known
    events are dropped as duplicates or too late. A log that ends before the stored position was cut short, one
    that begins behind it lost records unread: both are reported, and reading goes on where the log allows.
    """

    def __init__(self, inspector: LogInspector, ledger: LedgerPort, telemetry: Telemetry) -> None:
        self._inspector = inspector
        self._ledger = ledger
        self._telemetry = telemetry

    async def resolve(self, shards: list[OwnedShard], loaded: Loaded) -> None:
        """Set the next offsets and topic identities of shards that were loaded from the ledger."""
        await self._settle(shards, lambda shard, topic: loaded.positions.get((shard.number, topic)))

    async def review(self, shards: list[OwnedShard]) -> None:
        """Do the same for shards that go on with the state they have: their logs may be others by now."""
        await self._settle(shards, _in_memory)

    async def _settle(
        self, shards: list[OwnedShard], known: Callable[[OwnedShard, str], StoredPosition | None]
    ) -> None:
        topics = {TP(topic, shard.partition): shard for shard in shards for topic in shard.lane.topics}
        if not topics:
            return
        extents = await asyncio.to_thread(self._inspector.extents, frozenset(topics))
        faults = [
            found
            for tp, shard in topics.items()
            if (position := known(shard, tp.topic)) and tp in extents and (found := _fault(tp, position, extents[tp]))
        ]
        if faults:
            await asyncio.to_thread(self._ledger.execute, "record_log_faults", **_columns(faults))
        # nothing can fail from here on: no fault is told twice
        for fault in faults:
            self._tell(fault)
        begins = {fault.tp: fault.begin for fault in faults}
        for tp, shard in topics.items():
            self._set(tp, shard, known(shard, tp.topic), extents.get(tp), begins.get(tp))

    @staticmethod
    def _set(
        tp: TP, shard: OwnedShard, position: StoredPosition | None, extent: LogExtent | None, moved_to: int | None
    ) -> None:
        begin = extent.start if extent else 0
        if position is not None:
            begin = position.next_offset if moved_to is None else moved_to
            shard.next_offset[tp.topic] = shard.durable[tp.topic] = begin
            shard.topic_ids[tp.topic] = position.topic_id
        if moved_to is not None:
            shard.has_moved()  # the next block says so, and nobody finds the same fault again
        if extent is not None:
            shard.topic_ids[tp.topic] = extent.topic_id
        # a topic that is not there (just now) cannot be said to have been read to its end
        is_read_to_end = extent is not None and begin >= extent.end
        shard.found_log(tp.topic, is_read_to_end=is_read_to_end, now=time.monotonic())

    def _tell(self, fault: _Fault) -> None:
        self._telemetry.log_fault(fault.tp.topic, fault.name)
        tp, extent = fault.tp, fault.extent
        if fault.name == RECREATED:
            _log.warning("%s partition %d was recreated: reading it from its beginning", *tp)
        elif fault.name == CUT_SHORT:
            _log.error(
                "%s partition %d ends at offset %d, but %d had been read: the broker has lost records; "
                "reading goes on at its end",
                *tp,
                extent.end,
                fault.next_offset,
            )
        else:
            _log.error(
                "%s partition %d begins at offset %d, but only %d had been read: %d records were deleted unread; "
                "lengthen the topic's retention",
                *tp,
                extent.start,
                fault.next_offset,
                extent.start - fault.next_offset,
            )


class _Fault(NamedTuple):
    tp: TP
    name: str
    next_offset: int
    extent: LogExtent

    @property
    def begin(self) -> int:
        """Where reading goes on."""
        return self.extent.end if self.name == CUT_SHORT else self.extent.start


def _columns(faults: list[_Fault]) -> dict[str, list[object]]:
    return {
        "topics": [fault.tp.topic for fault in faults],
        "partitions": [fault.tp.partition for fault in faults],
        "faults": [fault.name for fault in faults],
        "next_offsets": [fault.next_offset for fault in faults],
        "log_starts": [fault.extent.start for fault in faults],
        "log_ends": [fault.extent.end for fault in faults],
    }


def _in_memory(shard: OwnedShard, topic: str) -> StoredPosition | None:
    offset = shard.next_offset.get(topic)
    return None if offset is None else StoredPosition(offset, shard.topic_ids.get(topic, ""))


def _fault(tp: TP, position: StoredPosition, extent: LogExtent) -> _Fault | None:
    if position.topic_id != extent.topic_id:
        name = RECREATED
    elif position.next_offset > extent.end:
        name = CUT_SHORT
    elif position.next_offset < extent.start:
        name = RECORDS_LOST
    else:
        return None
    return _Fault(tp, name, position.next_offset, extent)
