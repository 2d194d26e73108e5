"""The one place where batches, take-overs and revocations meet the processor, one partition at a time."""

from __future__ import annotations

import asyncio
import logging
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.error_words import describe
from pipeline.errors import FencedError
from pipeline.transport.flows import Flows, Verdict
from pipeline.transport.ports import TopicHaltedError
from schemas.topics import LANE_OF_TOPIC, LANES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pipeline.transport.metrics import TransportMetrics
    from pipeline.transport.ports import TP, BatchProcessor, Delivery
    from pipeline.transport.unreadable import UnreadableError

logger = logging.getLogger(__name__)

# how long a rebalance waits for a batch that is being processed before it is cancelled
GRACE_SECONDS: Final = 2.0
# a fenced worker may be a zombie: by then it learns from the group that it owns nothing any more
FENCED_SECONDS: Final = 6.0
# a partition that cannot be read is tried again each second; one that is silent so long can be read, and brings nothing
_READABLE_SECONDS: Final = 15.0


class _Retry(NamedTuple):
    """Why a partition is read again, since when, and until when that stands if nobody says so again."""

    cause: str
    since: float
    until: float


class Handover:
    """Keeps the promises of `BatchProcessor`: no overlapping calls, no lost batch, no stale one.

    Agents call `process`, which never raises. The consumer calls the rest.
    """

    def __init__(self, processor: BatchProcessor, metrics: TransportMetrics, clock: Callable[[], float]) -> None:
        self.flows = Flows()
        self.halted: dict[str, TopicHaltedError] = {}
        self.changed = asyncio.Event()
        self._processor = processor
        self._metrics = metrics
        self._clock = clock
        self.retries: dict[TP, _Retry] = {}
        self._running: dict[TP, asyncio.Task[None]] = {}

    async def process(self, delivery: Delivery) -> None:
        """Have the batch processed, or drop it when its records are read again anyway."""
        tp = delivery.batch.tp
        verdict = self.flows.verdict(delivery)
        if verdict is Verdict.STALE or tp.topic in self.halted:
            self._metrics.stale.labels(tp.topic).inc()
            return
        if verdict is Verdict.HOLE:
            logger.warning("%s/%d: batches before offset %d were lost on the way, reading again", *tp, delivery.start)
            self.reopen({tp})
            return
        task = asyncio.create_task(self._process(delivery))
        self._running[tp] = task
        task.add_done_callback(lambda _: self._running.pop(tp))
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()  # without effect on a finished one

    async def acquire(self, partitions: frozenset[TP]) -> Mapping[TP, int | None]:
        """Ask the processor for the positions of closed partitions, after their running batches ended."""
        await self._wait_idle(partitions)
        positions = await self._processor.assigned(partitions)
        if missing := partitions - positions.keys():
            raise LookupError(f"the processor gave no position for {sorted(missing)}")
        return positions

    async def revoke(self, partitions: frozenset[TP]) -> None:
        """Make the partitions' deliveries stale and have the processor let go of them; never raises."""
        self.flows.revoke(partitions)
        for tp in partitions:
            self.retries.pop(tp, None)
        await self._wait_idle(partitions)
        try:
            await self._processor.revoked(partitions)
        except Exception as error:  # noqa: BLE001 - the partitions are gone, whatever the processor makes of it
            logger.error("letting go of %d partitions failed: %s", len(partitions), describe(error))  # noqa: TRY400 - describe() leaves customers' data out, a traceback would not

    def halt(self, error: TopicHaltedError) -> None:
        """Read the topic no further, and say so once."""
        if error.topic not in self.halted:
            self.halted[error.topic] = error
            self.retries = {tp: retry for tp, retry in self.retries.items() if tp.topic != error.topic}
            self._metrics.halted.labels(error.topic).set(1)
            logger.error("%s", error)

    def resume(self, topic: str) -> None:
        """Read a halted topic on from the processor's position, which covers all that was dropped on its way."""
        if self.halted.pop(topic, None) is not None:
            self._metrics.halted.labels(topic).set(0)
            logger.warning("%s is resumed", topic)
            self.reopen_topic(topic)

    def reopen_topic(self, topic: str) -> None:
        """Read the shards of an event topic, or of a dimension table, again from the processor's position, at once."""
        lanes = {lane for lane in LANES if topic in lane.topics}
        self.reopen(tp for tp in self.flows.assigned if LANE_OF_TOPIC.get(tp.topic) in lanes)

    def stuck(self, seconds: float) -> list[str]:
        """Return why partitions are read again and again for so long; may be asked by another thread."""
        now = self._clock()
        standing = (retry for retry in list(self.retries.values()) if retry.until > now)
        return sorted({retry.cause for retry in standing if now - retry.since >= seconds})

    def durable_positions(self, partitions: Iterable[TP]) -> dict[TP, int]:
        """Return what may be committed of the partitions."""
        positions = ((tp, self._processor.durable_position(tp)) for tp in partitions)
        return {tp: position for tp, position in positions if position is not None}

    def reopen(self, partitions: Iterable[TP]) -> None:
        """Read the partitions' shards again from the processor's position, at once."""
        self._count_retries(self.flows.close(partitions, self._clock()))

    def failed(self, partitions: Iterable[TP], error: BaseException) -> None:
        """Read the partitions' shards again after a back-off."""
        topics = sorted({tp.topic for tp in partitions})
        delay = self.flows.failed(
            partitions, self._clock(), at_least=FENCED_SECONDS if isinstance(error, FencedError) else 0.0
        )
        cause = f"{', '.join(topics)}: {describe(error)}"
        logger.warning("%s; again in %.2f s", cause, delay)
        self._note(partitions, cause, inf)
        self._count_retries(partitions)

    def waits(self, error: UnreadableError, seconds: float) -> None:
        """Note why partitions bring nothing, until they do again or can be asked without it; their shards go on."""
        logger.warning("%s; again in %.2f s", error, seconds)
        self._note(error.partitions, str(error), self._clock() + _READABLE_SECONDS)

    def due(self) -> frozenset[TP]:
        """Return the partitions to be taken over now."""
        return self.flows.due(self._clock())

    def seconds_to_next_due(self) -> float | None:
        """Return how long until a closed partition falls due; None while all are open."""
        due_at = self.flows.next_due()
        return None if due_at is None else max(0.0, due_at - self._clock())

    async def _process(self, delivery: Delivery) -> None:
        batch = delivery.batch
        try:
            await self._processor.process(batch)
        except TopicHaltedError as error:
            self.halt(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the batch is not done and must come again
            self.failed({batch.tp}, error)
        else:
            self.flows.done(delivery)
            self.retries.pop(batch.tp, None)
            self._metrics.records.labels(batch.topic).inc(len(batch))

    async def _wait_idle(self, partitions: frozenset[TP]) -> None:
        """Wait until nothing of the partitions is being processed, cancelling what takes too long."""
        running = {task for tp, task in self._running.items() if tp in partitions}
        if not running:
            return
        _, late = await asyncio.wait(running, timeout=GRACE_SECONDS)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    def _note(self, partitions: Iterable[TP], cause: str, until: float) -> None:
        now = self._clock()
        for tp in self.flows.assigned.intersection(partitions):  # of others nobody would take it back
            known = self.retries.get(tp)
            if known is None or known.until <= now:
                known = _Retry(cause, now, until)
            # what a batch has failed with stands until one is processed, whatever fetching meets meanwhile
            self.retries[tp] = _Retry(cause, known.since, max(until, known.until))

    def _count_retries(self, partitions: Iterable[TP]) -> None:
        for tp in partitions:
            self._metrics.retries.labels(tp.topic).inc()
        self.changed.set()
