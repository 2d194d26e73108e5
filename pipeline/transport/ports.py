"""What the transport hands over and what it asks of whoever processes it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Mapping


class TP(NamedTuple):
    """A partition of a topic; equal to (and hashing like) the tuple types of Faust and aiokafka."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Consecutive records of one partition, oldest first; the lists have equal lengths.

    Attributes:
        offsets: strictly increasing, but not contiguous: compaction and transaction markers leave gaps.
        next_offset: position after this fetch. It covers the gaps behind the last record, and a batch without
            records reports nothing but such a position.
        timestamps: the records' Kafka timestamps in epoch milliseconds (-1 where the producer gave none).
        end_offset: the log's end (high watermark) at the fetch; -1 while unknown. ``end_offset - next_offset`` is
            the lag, and 0 says that the partition has been read to its end.
        fetched_at: monotonic seconds when the records had arrived; infinity while unknown, which is after everything.
        partition_count: number of the topic's partitions at the fetch, 0 while unknown.
        refusals: reason and detail, by offset, of records that were refused where they come from, an archive, and whose
            bytes are gone.
    """

    topic: str
    partition: int
    offsets: list[int]
    keys: list[bytes | None]
    values: list[bytes | None]
    next_offset: int
    timestamps: list[int] = field(default_factory=list)
    end_offset: int = -1
    fetched_at: float = math.inf
    partition_count: int = 0
    refusals: Mapping[int, tuple[str, str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.offsets)

    @property
    def tp(self) -> TP:
        """The partition that the records come from."""
        return TP(self.topic, self.partition)

    @property
    def stamped(self) -> tuple[int, int] | None:
        """Kafka timestamps of the first and the last record; None where there are none."""
        return (self.timestamps[0], self.timestamps[-1]) if self.timestamps else None

    def part(self, start: int, end: int) -> RecordBatch:
        """Return the records in [start, end); parts in a row cover the gaps between records too."""
        return replace(
            self,
            offsets=self.offsets[start:end],
            keys=self.keys[start:end],
            values=self.values[start:end],
            timestamps=self.timestamps[start:end],
            next_offset=self.next_offset if end >= len(self) else self.offsets[end],
        )


class HaltKind(StrEnum):
    """Why a topic is halted, for machines."""

    BAD_SHARE = "bad_share"
    WRONG_PARTITIONER = "wrong_partitioner"
    PARTITIONS_CHANGED = "partitions_changed"


class TopicHaltedError(PipelineError):
    """A topic is read no further while the rest goes on: draining it would do harm.

    A processor raises it from `BatchProcessor.process`, before or after it took the batch in. The topic stays halted
    until `Handover.resume` is told.
    """

    def __init__(self, topic: str, kind: HaltKind, cause: str, remedy: str) -> None:
        super().__init__(f"{topic} is halted: {cause}; {remedy}")
        self.topic = topic
        self.kind = kind
        self.cause = cause
        self.remedy = remedy


class BatchProcessor(Protocol):
    """The owner of state and durable positions, driven by the transport from one event loop.

    Calls for one partition never overlap, and come in the order assigned, process…, revoked. A partition may be
    assigned again without having been revoked: after a failure, and then together with every other partition of
    its shard. The processor's position, not the transport's, says where reading goes on.
    """

    async def assigned(self, partitions: frozenset[TP]) -> Mapping[TP, int | None]:
        """Take the partitions over and return the offset each is to be read from; None is the log's beginning.

        Raising means that none of them was taken over: the call is repeated after a back-off. A rebalance cancels
        a call that is still running; `revoked` follows for the same partitions. An offset outside of the log is
        reported and answered by another call, so a log cut short or recreated is for the processor to notice.
        """

    async def revoked(self, partitions: frozenset[TP]) -> None:
        """Let go of the partitions; nothing of them may be written afterwards."""

    async def process(self, batch: RecordBatch) -> None:
        """Take one batch in; awaiting holds the partition's flow back.

        Raising means that the batch is not done: after a back-off the transport calls `assigned` for the whole
        shard and reads on from what that returns, so nothing is lost. A rebalance cancels a call that does not
        return within a grace period.
        """

    def durable_position(self, tp: TP) -> int | None:
        """Return the next offset after everything durable, for the group's committed offsets; None while unknown.

        Asked once more after `revoked`.
        """


@dataclass(frozen=True, slots=True)
class Delivery:
    """A batch on its way through Faust's queues, with what is needed to recognise it as stale or out of order.

    Attributes:
        opening: the partition's opening when the records were fetched; a take-over begins a new one.
        start: the position the fetch began at.
    """

    batch: RecordBatch
    opening: int
    start: int
