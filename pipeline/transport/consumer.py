"""Faust's consumer, made fast and safe: whole batches instead of messages, positions owned by the processor.

What Faust gives is kept: the group, rebalances, flow control, queues with backpressure, agents. What is replaced:
one message per record (31 times slower), offsets committed by counting acknowledgements (loses messages), and
reading from committed offsets (the ledger's positions are the true ones).
"""

from __future__ import annotations

import asyncio
import logging
from time import time
from typing import TYPE_CHECKING, Any, Final

from aiokafka.errors import KafkaError, OffsetOutOfRangeError
from faust.transport.consumer import ensure_TPset
from faust.transport.drivers import aiokafka as driver
from faust.types import ConsumerMessage
from mode import Service

from pipeline.error_words import describe
from pipeline.transport.fetching import BatchConsumerThread
from pipeline.transport.membership import is_of_others
from pipeline.transport.ports import TP
from pipeline.transport.unreadable import UnreadableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from pipeline.transport.handover import Handover
    from pipeline.transport.membership import Membership
    from pipeline.transport.metrics import TransportMetrics
    from pipeline.transport.ports import Delivery

logger = logging.getLogger(__name__)

RETRY_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 1.0
JOIN_AGAIN_SECONDS: Final = 5.0
# long enough for the others' only worker to be started again
OTHERS_SECONDS: Final = 15.0


class BatchConsumer(driver.Consumer):  # type: ignore[misc] # Faust is untyped here
    """Yields one message per partition and fetch, with a `Delivery` as its value.

    The app must carry ``handover``, ``membership`` and ``metrics``; its topics must not acknowledge (``acks=False``).
    """

    _thread: BatchConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._handover: Handover = self.app.handover
        self._membership: Membership = self.app.membership
        self._metrics: TransportMetrics = self.app.metrics
        self._acquiring: asyncio.Task[None] | None = None
        self._committed: dict[TP, int] = {}
        self._waiting: dict[TP, float] = {}  # partitions that could not be read, and until when they are not asked for

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def perform_seek(self) -> None:
        """Have new partitions taken over; none of them flows before that is done.

        Faust calls this after every rebalance, before the flow resumes.
        """
        self._membership.let_in()
        self._handover.flows.assign(TP(*tp) for tp in self.assignment())
        self._handover.changed.set()

    async def on_partitions_revoked(self, revoked: set[Any]) -> None:
        """Let go of partitions before the group gives them to somebody else."""
        self._membership.outside()
        partitions = frozenset(TP(*tp) for tp in revoked)
        self._handover.flows.revoke(partitions)
        await super().on_partitions_revoked(ensure_TPset(revoked))
        await self._let_go(partitions)

    async def on_stop(self) -> None:
        """Let go of everything while the broker can still be reached."""
        await self._let_go(self._handover.flows.assigned)
        await super().on_stop()

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[Any, ConsumerMessage]]:  # noqa: ASYNC109 - Faust's signature
        """Yield what has arrived for the open partitions, waiting a moment for some."""
        if not self.flow_active:
            await self.wait(self.can_resume_flow)
        partitions = self._fetchable()
        if not partitions:
            await self.sleep(min(timeout, 0.05))
            return
        for delivery in await self._fetch(partitions):
            yield delivery.batch.tp, self._message(delivery)

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:  # noqa: FBT001, FBT002 - Faust's signature
        """Commit the durable positions that moved, for the lag display only."""
        del topics, start_new_transaction
        return await self._commit_durable(self._handover.flows.assigned)

    def verify_event_path(self, now: float, tp: Any) -> None:
        """Say nothing: Faust's livelock messages reason about acknowledgements that are not kept here."""

    async def _drain_messages(self, fetcher: Any) -> None:
        while not (self.should_stop or fetcher.should_stop):
            messages = [message async for _, message in self.getmany(timeout=1.0)]
            if messages:
                # a rebalance abandons what the queues did not take yet; it is read again by its next owner
                await self.wait_first(self._queue(messages), self.suspend_flow.wait())
            await asyncio.sleep(0)

    async def _queue(self, messages: list[ConsumerMessage]) -> None:
        for message in messages:
            await self.callback(message)

    async def _fetch(self, partitions: frozenset[TP]) -> list[Delivery]:
        try:
            return await self._thread.fetch(partitions)
        except OffsetOutOfRangeError as error:
            self._handover.failed({TP(*tp) for tp in error.args[0]}, error)
        except KafkaError as error:
            if isinstance(error, UnreadableError) and error.partitions:  # the others go on meanwhile
                self._handover.waits(error, RETRY_SECONDS)
                until = asyncio.get_running_loop().time() + RETRY_SECONDS
                self._waiting |= dict.fromkeys(error.partitions, until)
            else:
                logger.warning("fetching failed: %s; again in %.0f s", describe(error), RETRY_SECONDS)
                await self.sleep(RETRY_SECONDS)
        return []

    def _fetchable(self) -> frozenset[TP]:
        """Return the open partitions whose queue has room and whose topic is not halted, but for those that wait."""
        # as Faust's _get_active_partitions, which looks at each of hundreds of partitions, too
        active = self._get_active_partitions() if self._active_partitions is None else self._active_partitions
        found: frozenset[TP] = self._handover.flows.open & active
        if self._waiting:
            now = asyncio.get_running_loop().time()
            self._waiting = {tp: until for tp, until in self._waiting.items() if until > now}
        halted = self._handover.halted
        if not (self._waiting or halted):
            return found
        return frozenset(tp for tp in found if tp.topic not in halted and tp not in self._waiting)

    def _message(self, delivery: Delivery) -> ConsumerMessage:
        batch = delivery.batch
        return ConsumerMessage(
            batch.topic,
            batch.partition,
            delivery.start,
            time(),
            0,
            None,
            None,
            delivery,
            None,
            tp=batch.tp,
            # without it the stream skips the message silently
            generation_id=self.app.consumer_generation_id,
        )

    @Service.task  # type: ignore[untyped-decorator] # Faust is untyped here
    async def _acquire_closed_partitions(self) -> None:
        while not self.should_stop:
            self._handover.changed.clear()
            if due := self._handover.due():
                self._acquiring = asyncio.create_task(self._acquire(due))
                await asyncio.wait({self._acquiring})
            else:
                await self._wait_for_due()

    @Service.task  # type: ignore[untyped-decorator] # Faust is untyped here
    async def _ask_to_be_let_in(self) -> None:
        while not self.should_stop:
            error = await self._thread.refusal()
            pause = LOOK_SECONDS
            if error is not None:
                self._membership.refused(error)
                pause = OTHERS_SECONDS if is_of_others(error) else JOIN_AGAIN_SECONDS
            await self.sleep(pause)

    async def _wait_for_due(self) -> None:
        seconds = self._handover.seconds_to_next_due()
        try:
            await asyncio.wait_for(self._handover.changed.wait(), timeout=seconds)
        except TimeoutError:
            return

    async def _acquire(self, partitions: frozenset[TP]) -> None:
        openings = self._handover.flows.openings(partitions)
        try:
            targets = await self._handover.acquire(partitions)
            positions = await self._thread.open_partitions(targets, openings)
        except Exception as error:  # noqa: BLE001 - whatever it is, the take-over is repeated
            self._handover.failed(partitions, error)
        else:
            self._handover.flows.opened(positions, openings)

    async def _let_go(self, partitions: frozenset[TP]) -> None:
        if self._acquiring is not None and not self._acquiring.done():
            self._acquiring.cancel()
            await asyncio.wait({self._acquiring})
        if partitions:
            await self._handover.revoke(partitions)
            await self._commit_durable(partitions)
            for tp in partitions:
                self._committed.pop(tp, None)

    async def _commit_durable(self, partitions: Iterable[TP]) -> bool:
        durable = self._handover.durable_positions(partitions)
        moved = {tp: offset for tp, offset in durable.items() if self._committed.get(tp) != offset}
        if not moved:
            return False
        done = False
        try:
            done = await asyncio.wait_for(self._thread.commit_quietly(moved), self.app.conf.broker_request_timeout)
        except TimeoutError as error:
            logger.info("committing %d positions failed: %s", len(moved), describe(error))
        if done:
            self._committed |= moved
        else:
            self._metrics.commit_failures.inc()
        return done


class BatchTransport(driver.Transport):  # type: ignore[misc] # Faust is untyped here
    """Faust's aiokafka transport with the batch consumer."""

    Consumer = BatchConsumer
