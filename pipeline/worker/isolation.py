"""Finding the one record that makes our own code fail, so that it becomes a dead letter and the rest goes on.

An exception while records are applied, or while what they changed is encoded, drops the shard's state: it is taken over
anew from the ledger, whose positions lie before the failure. From there on the shard is read in ever smaller slices,
each made durable before the next, until the slice that fails is a single record. That record is condemned: it is left
out and dead-lettered as `internal_error`. Faults of Kafka and ClickHouse never come here.

A customer's profile is no part of a batch. While a shard is under suspicion each of its profiles is tried alone, all
the way to a block's bytes, before it is taken (`OwnedShard.try_profile`), and condemned by its own failure.

Sixteenths instead of halves: a reload costs more than a block, and five thousand records take four reloads.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pipeline.error_words import places
from pipeline.worker.shard import INTERNAL_ERROR

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.transport.ports import RecordBatch
    from pipeline.worker.shard import OwnedShard

_log = logging.getLogger(__name__)
_PARTS: Final = 16
_MANY: Final = 5_000  # records that may have led to a failure, where nobody knows which were applied


@dataclass(slots=True)
class _Case:
    """One shard under suspicion.

    Attributes:
        widest: records of a slice while nothing is known.
        slice_records: most records to apply before a block is made of them.
        until: position by topic behind which the culprit cannot be.
        condemned: offsets by topic of the records found.
    """

    widest: int
    slice_records: int
    until: dict[str, int]
    condemned: dict[str, set[int]] = field(default_factory=dict)


class Isolation:
    """The shards whose records are applied with care, because one of them has made the code fail."""

    def __init__(self) -> None:
        self._cases: dict[int, _Case] = {}

    def is_careful(self, shard: OwnedShard) -> bool:
        """Tell whether the shard's batches are to be applied in slices, each made durable at once."""
        return shard.number in self._cases

    def slices(self, shard: OwnedShard, batch: RecordBatch) -> Iterator[RecordBatch]:
        """Return the batch in slices to be applied one by one; together they cover the gaps between records too."""
        case = self._cases.get(shard.number)
        if case is None or len(batch) <= 1:
            yield batch
            return
        for start in range(0, len(batch), case.slice_records):
            yield batch.part(start, start + case.slice_records)

    def condemned(self, shard: OwnedShard, topic: str) -> frozenset[int]:
        """Return the offsets of the topic's records that must not be applied."""
        case = self._cases.get(shard.number)
        return frozenset() if case is None else frozenset(case.condemned.get(topic, ()))

    def failed(self, shard: OwnedShard, error: BaseException, records: RecordBatch | None = None) -> None:
        """Note that the shard's state was dropped; ``records`` are what was applied since the last block, if known."""
        _log.error(
            "shard %d: its state is loaded again, and its records are applied in slices to find the one at fault: %s",
            shard.number,
            places(error),
        )
        case = self._cases.get(shard.number)
        if case is None:
            widest = max(1, (_MANY if records is None else len(records)) // _PARTS)
            self._cases[shard.number] = _Case(widest, widest, dict(shard.next_offset))
            return
        _extend(case.until, shard.next_offset)
        if records is None or not len(records):
            return
        if len(records) > 1:
            case.slice_records = max(1, min(case.slice_records, len(records)) // _PARTS)
            return
        case.condemned.setdefault(records.topic, set()).add(records.offsets[0])
        case.slice_records = case.widest
        _log.error(
            "%s partition %d offset %d is the record at fault: it becomes a dead letter (%s)",
            records.topic,
            records.partition,
            records.offsets[0],
            INTERNAL_ERROR,
        )

    def passed(self, shard: OwnedShard) -> None:
        """Note that a slice is durable; once all that was under suspicion is, the shard is read as ever."""
        case = self._cases.get(shard.number)
        if case is not None and all(shard.durable.get(topic, 0) >= end for topic, end in case.until.items()):
            del self._cases[shard.number]


def _extend(until: dict[str, int], positions: Mapping[str, int]) -> None:
    for topic, position in positions.items():
        until[topic] = max(position, until.get(topic, 0))
