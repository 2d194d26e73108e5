"""Halted topics: why a topic is not read any further, told to every worker, until somebody resumes it.

The ledger's table of halts is the truth. A worker that finds a cause halts the topic at once, records it, and heeds
what others have recorded or resumed; it looks every other second, and before its first batch.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.ledger.ledger import LedgerUnavailableError
from pipeline.transport.guards import BadShareGuard, PartitionerGuard
from pipeline.transport.ports import HaltKind, TopicHaltedError

if TYPE_CHECKING:
    from pipeline.ledger.ledger import LedgerPort
    from pipeline.settings import WorkerSettings
    from pipeline.transport.ports import TP, RecordBatch
    from pipeline.worker.partition_counts import PartitionCounts
    from pipeline.worker.shard import BatchOutcome

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Guards:
    """What watches over one topic.

    ``skips_bad``: the topic was resumed so that its bad backlog goes to the dead letters; until a window of it is good
    again, nothing of that kind halts it.
    """

    bad_share: BadShareGuard
    partitioner: PartitionerGuard
    skips_bad: bool = False


@dataclass(frozen=True, slots=True)
class HaltChanges:
    """What a look at the recorded halts has brought."""

    halted: tuple[TopicHaltedError, ...] = ()
    resumed: tuple[str, ...] = ()


class TopicHalts:
    """The halts in force, as this worker knows them."""

    def __init__(self, ledger: LedgerPort, settings: WorkerSettings, partition_counts: PartitionCounts) -> None:
        self._ledger = ledger
        self._settings = settings
        self._partition_counts = partition_counts
        self._guards: dict[str, _Guards] = {}
        self._in_force: dict[str, TopicHaltedError] = {}
        self._unrecorded: dict[str, tuple[str, TopicHaltedError]] = {}
        self._examined: set[str] = set()  # halted, while it is still being found out why

    @property
    def topics(self) -> frozenset[str]:
        """The topics that are halted."""
        return frozenset(self._in_force)

    def is_counted(self, tp: TP) -> bool:
        """Tell whether the ledger counts with this partition."""
        return self._partition_counts.is_counted(*tp)

    async def check(self, batch: RecordBatch) -> None:
        """Let nothing of a halted topic pass, nor of one whose partitions are not those the ledger counts with.

        Returning, it has not given way to anything else: the batch may be taken in.

        Raises:
            TopicHaltedError: the topic is halted, maybe just now.
        """
        if batch.topic not in self._in_force:
            try:
                self._partition_counts.check(batch.topic, batch.partition, batch.partition_count)
            except TopicHaltedError as error:
                await self.halt(error)
                raise
            return
        raise self._in_force[batch.topic]

    async def halt(self, error: TopicHaltedError) -> None:
        """Halt a topic and record why; the first cause stands, and what cannot be recorded now is recorded later."""
        if error.topic not in self._in_force:
            self._hold(error)
            await self._try_to_record()

    async def observe(self, topic: str, outcome: BatchOutcome) -> None:
        """Count a batch that was taken in.

        Raises:
            TopicHaltedError: no more of this topic may be taken in; it is recorded already.
        """
        guards = self._guards_of(topic)
        good = outcome.good + outcome.refused  # lateness is no fault of the format
        strays = guards.partitioner.observe(good + outcome.malformed, outcome.stray_keys)
        bad = guards.bad_share.observe(good, outcome.malformed)
        if guards.skips_bad:
            if guards.bad_share.is_full and not (bad or strays):
                await self._end_skipping(topic, guards)
        elif strays or bad:
            await self._halt_for(topic, self._strays(topic, guards) if strays else self._too_many_bad(topic))

    async def heed(self) -> HaltChanges:
        """Take over what is recorded: halts that others found, and what was resumed.

        Raises:
            LedgerUnavailableError: ClickHouse does not answer; what was known before holds.
        """
        await self._record()
        recorded = self.topics - self._unrecorded.keys() - self._examined
        in_force: dict[str, TopicHaltedError] = {}
        skipping: set[str] = set()
        for topic, kind, cause, remedy, is_resumed in await asyncio.to_thread(self._ledger.fetch, "load_halts"):
            if is_resumed:
                skipping.add(topic)
            else:
                in_force.setdefault(topic, TopicHaltedError(topic, HaltKind(kind), cause, remedy))
        resumed = sorted(recorded - in_force.keys())
        for topic in resumed:
            del self._in_force[topic]
            self._guards.pop(topic, None)
        for topic in skipping - in_force.keys():
            self._guards_of(topic).skips_bad = True
        news = [error for topic, error in in_force.items() if topic not in self._in_force]
        self._in_force |= {error.topic: error for error in news}
        return HaltChanges(tuple(news), tuple(resumed))

    async def _halt_for(self, topic: str, error: TopicHaltedError) -> None:
        # before anything is awaited: no other batch of the topic may be taken in meanwhile
        self._in_force[topic] = error
        self._examined.add(topic)
        try:
            if error.kind is HaltKind.WRONG_PARTITIONER:
                # producers learn of added partitions before workers do: then the keys are right and the count is not
                error = await self._partition_counts.look_at(topic) or error
        finally:
            self._examined.discard(topic)
            self._hold(error)
        await self._try_to_record()
        raise error

    def _hold(self, error: TopicHaltedError) -> None:
        self._in_force[error.topic] = error
        self._unrecorded[error.topic] = (uuid.uuid4().hex, error)

    async def _try_to_record(self) -> None:
        try:
            await self._record()
        except LedgerUnavailableError as error:
            _log.warning("a halt is known to this worker only, until ClickHouse answers: %s", error)

    async def _record(self) -> None:
        for topic, (name, error) in list(self._unrecorded.items()):
            await asyncio.to_thread(
                self._ledger.execute,
                "record_halt",
                topic=topic,
                id=name,
                kind=str(error.kind),
                cause=error.cause,
                remedy=error.remedy,
            )
            self._unrecorded.pop(topic, None)

    async def _end_skipping(self, topic: str, guards: _Guards) -> None:
        guards.skips_bad = False
        _log.info("%s: a good stretch has been read, bad events can halt it again", topic)
        try:
            await asyncio.to_thread(self._ledger.execute, "end_skipping", topic=topic)
        except LedgerUnavailableError as error:
            _log.warning("%s: that a good stretch has been read was not recorded: %s", topic, error)

    def _guards_of(self, topic: str) -> _Guards:
        if topic not in self._guards:
            limit, window = self._settings.bad_share_limit, self._settings.bad_share_window
            self._guards[topic] = _Guards(BadShareGuard(limit, window), PartitionerGuard(window))
        return self._guards[topic]

    def _too_many_bad(self, topic: str) -> TopicHaltedError:
        return TopicHaltedError(
            topic,
            HaltKind.BAD_SHARE,
            f"more than {self._settings.bad_share_limit:.0%} of its last {self._settings.bad_share_window} events "
            "are bad",
            f"look at them (roi dlq list --topic {topic}), correct the producer, then: roi resume {topic} --skip-bad",
        )

    @staticmethod
    def _strays(topic: str, guards: _Guards) -> TopicHaltedError:
        found = guards.partitioner
        return TopicHaltedError(
            topic,
            HaltKind.WRONG_PARTITIONER,
            f"{found.strays} of its last {found.events} keys are on partitions where they do not belong: its producer "
            "does not spread keys by murmur2",
            f"set partitioner=murmur2_random in librdkafka clients, then: roi resume {topic} --skip-bad, and "
            f"roi dlq retry --topic {topic} --reason misplaced_key",
        )
