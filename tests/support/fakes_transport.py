"""The worker's ports over Kafka, in memory: logs that a test writes, cuts and recreates."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.transport.dimensions import DimensionRecord, DimensionUpdates
from pipeline.transport.ports import TP, RecordBatch
from pipeline.worker.ports import LogExtent, TopicIdentity
from schemas import topics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.transport.dead_letters import DeadLetter

KeyValue = tuple[bytes | None, bytes | None]


@dataclass
class FakeLog:
    """One partition's log; offsets before ``start`` have been deleted."""

    records: list[KeyValue] = field(default_factory=list)
    start: int = 0

    @property
    def end(self) -> int:
        return len(self.records)


@dataclass
class FakeKafka:
    """All logs; a `DeadLetterSink` and a `LogInspector`.

    Attributes:
        partitions: number of a topic's partitions; one that is not named has an unknown number.
        refusals: raised by the next dead-letter writes, one each.
    """

    logs: dict[TP, FakeLog] = field(default_factory=dict)
    partitions: dict[str, int] = field(default_factory=dict)
    identities: dict[str, str] = field(default_factory=dict)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    refusals: deque[Exception] = field(default_factory=deque)

    def log(self, topic: str, partition: int = 0) -> FakeLog:
        return self.logs.setdefault(TP(topic, partition), FakeLog())

    def send(self, topic: str, *records: KeyValue, partition: int = 0) -> None:
        self.log(topic, partition).records.extend(records)

    def batch(self, topic: str, start: int, *, partition: int = 0, most: int = 10_000) -> RecordBatch:
        """Return what a fetch at an offset gives."""
        log = self.log(topic, partition)
        records = log.records[start : start + most]
        return RecordBatch(
            topic,
            partition,
            list(range(start, start + len(records))),
            [key for key, _ in records],
            [value for _, value in records],
            start + len(records),
            end_offset=log.end,
            partition_count=self.partitions.get(topic, 0),
        )

    # -- LogInspector ----------------------------------------------------------------------------------------------

    def topics(self) -> Mapping[str, TopicIdentity]:
        return {
            topic: TopicIdentity(self.identities.get(topic, "first"), count) for topic, count in self.partitions.items()
        }

    def extents(self, partitions: frozenset[TP]) -> Mapping[TP, LogExtent]:
        return {
            tp: LogExtent(self.log(*tp).start, self.log(*tp).end, self.identities.get(tp.topic, "first"))
            for tp in partitions
        }

    def recall(self, tp: TP, offset: int) -> KeyValue | None:
        log = self.log(*tp)
        return log.records[offset] if log.start <= offset < log.end else None

    # -- DeadLetterSink --------------------------------------------------------------------------------------------

    async def write(self, letters: Sequence[DeadLetter]) -> None:
        await asyncio.sleep(0)
        if self.refusals:
            raise self.refusals.popleft()
        self.dead_letters.extend(letters)


class FakeDimensions:
    """One worker's `DimensionSource`.

    Attributes:
        failures: raised by the next `catch_up` calls, one each.
        owned: the partitions of every `own`, with the offsets to read from.
        rounds: number of `catch_up` calls.
        gate: while it is clear, `catch_up` hangs, having looked at the ends of the logs.
        looked: set by every `catch_up` once it has.
    """

    def __init__(self, kafka: FakeKafka) -> None:
        self.failures: deque[Exception] = deque()
        self.owned: list[Mapping[int, int | None]] = []
        self.rounds = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.looked = asyncio.Event()
        self._kafka = kafka
        self._read: dict[TP, int] = {TP(topics.CAMPAIGNS, 0): 0}

    async def own(self, partitions: Mapping[int, int | None]) -> None:
        await asyncio.sleep(0)
        self.owned.append(dict(partitions))
        campaigns = {tp: position for tp, position in self._read.items() if tp.topic == topics.CAMPAIGNS}
        customers = {TP(topics.CUSTOMERS, partition): offset or 0 for partition, offset in partitions.items()}
        self._read = campaigns | customers

    async def restart_campaigns(self) -> None:
        self._read[TP(topics.CAMPAIGNS, 0)] = 0

    async def catch_up(self) -> DimensionUpdates:
        ends = {tp: self._kafka.log(*tp).end for tp in self._read}
        self.rounds += 1
        self.looked.set()
        await self.gate.wait()
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.popleft()
        updates = DimensionUpdates()
        for tp, end in ends.items():
            start = self._read[tp]
            records = [
                DimensionRecord(key, value, tp.partition, start + place)
                for place, (key, value) in enumerate(self._kafka.log(*tp).records[start:end])
            ]
            if tp.topic == topics.CAMPAIGNS:
                updates.campaigns += records
            elif records:
                updates.customers[tp.partition] = records
            self._read[tp] = max(start, end)
        updates.next_offsets = dict(self._read)
        return updates
