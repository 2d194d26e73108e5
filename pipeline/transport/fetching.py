"""aiokafka in Faust's consumer thread: fetches whole batches of columns and knows where each began."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import aiokafka
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import FetchError
from aiokafka.errors import IllegalStateError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, credentials_to_aiokafka_auth, server_list

from pipeline.transport.assignor import LaneAssignor
from pipeline.transport.batches import run_batch
from pipeline.transport.draining import fetched_runs
from pipeline.transport.ports import TP, Delivery
from pipeline.transport.record_headers import read_tolerantly
from pipeline.transport.turns import Turns, order_of
from pipeline.transport.unreadable import UnreadableError, broken_among, unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.transport.runs import Run

logger = logging.getLogger(__name__)

# the broker answers an idle fetch after this long; while it waits, no other fetch goes to the same broker
FETCH_WAIT_MS: Final = 250
POLL_SECONDS: Final = 0.25
# A worker that keeps up would fetch a few records at a time, as often as it can, and have the broker list the ends of
# the dimension topics for each: 20 us of its processor time an event instead of 2.
GATHER_SECONDS: Final = 0.05
# a rebalance waits for the commits of what it takes away
COMMIT_SECONDS: Final = 3.0
NO_RUNS: Final[list[Any]] = []


@dataclass(slots=True)
class _Cursor:
    """Where the next fetch of an open partition begins."""

    opening: int
    position: int


class BatchConsumerThread(AIOKafkaConsumerThread):  # type: ignore[misc] # Faust is untyped here
    """Runs the Kafka client in a thread of its own, so that a busy event loop misses no heartbeat.

    All methods run in that thread's loop: the bookkeeping of positions needs no lock, and cannot be out of step
    with the client's.
    """

    def __post_init__(self) -> None:  # mode's own hook
        super().__post_init__()
        self._cursors: dict[TP, _Cursor] = {}
        self._unreported: set[TP] = set()  # the first fetch is reported even without records: it brings the log's end
        self._gathered_at = 0.0
        self._turns = Turns()

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        return aiokafka.AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            bootstrap_servers=server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[LaneAssignor(self.app.membership.installation)],
            enable_auto_commit=False,
            # positions come from the processor alone: an unknown or unreachable one is an error, never a jump
            auto_offset_reset="none",
            isolation_level="read_committed",
            max_poll_records=conf.broker_max_poll_records,
            max_poll_interval_ms=_milliseconds(conf.broker_max_poll_interval),
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            request_timeout_ms=_milliseconds(conf.broker_request_timeout),
            session_timeout_ms=_milliseconds(conf.broker_session_timeout),
            rebalance_timeout_ms=_milliseconds(conf.broker_rebalance_timeout),
            heartbeat_interval_ms=_milliseconds(conf.broker_heartbeat_interval),
            metadata_max_age_ms=conf.consumer_metadata_max_age_ms,
            **credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context),
        )

    async def open_partitions(self, targets: Mapping[TP, int | None], openings: Mapping[TP, int]) -> dict[TP, int]:
        """Seek to the offsets (None: the log's beginning) and return the positions, without what was revoked since."""
        return dict(await self.call_thread(self._open, targets, openings))

    async def fetch(self, partitions: frozenset[TP]) -> list[Delivery]:
        """Return what has arrived for the (open) partitions, at most one delivery each, waiting a moment for some.

        Raises:
            OffsetOutOfRangeError: with a mapping of partitions to offsets that are not in the log.
            UnreadableError: with the partitions that cannot be read on, if these are known.
        """
        return list(await self.call_thread(self._fetch, partitions))

    async def commit_quietly(self, offsets: Mapping[TP, int]) -> bool:
        """Commit positions for the lag display; a failure is logged and reported, and changes nothing else."""
        return bool(await self.call_thread(self._commit_quietly, offsets))

    async def refusal(self) -> KafkaError | None:
        """Return why the group does not let this member in, or keep it, once; it asks to be let in again then.

        aiokafka keeps such an error for whoever calls its `getmany`, and joins no more until then.

        Raises:
            KafkaError: it will not join any more, whatever is done.
        """
        refused: KafkaError | None = await self.call_thread(self._refusal)
        return refused

    async def _refusal(self) -> KafkaError | None:
        coordinator = self._ensure_consumer()._coordinator  # noqa: SLF001 - public calls that ask it wait for records
        try:
            coordinator.check_errors()
        except KafkaError as error:
            if coordinator._coordination_task.done():  # noqa: SLF001 - as above
                raise
            coordinator.request_rejoin()  # an error of its heartbeats would leave it to wait for its end
            return error
        return None

    async def _open(self, targets: Mapping[TP, int | None], openings: Mapping[TP, int]) -> dict[TP, int]:
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        wanted = {tp: offset for tp, offset in targets.items() if tp in assigned}
        from_start = [TopicPartition(*tp) for tp, offset in wanted.items() if offset is None]
        beginnings = await consumer.beginning_offsets(from_start) if from_start else {}
        positions = {}
        for tp, offset in wanted.items():
            position = beginnings[tp] if offset is None else offset
            try:
                consumer.seek(TopicPartition(*tp), position)
            except IllegalStateError:  # revoked while the beginnings were asked for
                continue
            self._cursors[tp] = _Cursor(openings[tp], position)
            self._unreported.add(tp)
            positions[tp] = position
        return positions

    async def _fetch(self, partitions: frozenset[TP]) -> list[Delivery]:
        await self._gather()
        if not self.consumer.flow_active:
            return []
        consumer = self._ensure_consumer()
        fetcher = consumer._fetcher  # noqa: SLF001 - as Faust's own driver: the public getmany() cannot wait for some partitions only
        with fetcher._subscriptions.fetch_context():  # noqa: SLF001 - tells the group that this member is alive
            try:
                runs = await self._runs(fetcher, partitions)
            except NoOffsetForPartitionError:  # of a partition that nothing was sought for yet
                return []
            except OffsetOutOfRangeError as error:
                self._raise_unless_stale(error)
                return []
            except UnicodeDecodeError:
                read_tolerantly()
                self._read_again(consumer, partitions)
                return []
            except UnreadableError as error:  # nothing of the other partitions was taken
                self._read_again(consumer, error.partitions)
                raise
            except Exception as error:
                broken = broken_among(fetcher, partitions)
                self._read_again(consumer, partitions)
                if isinstance(error, KafkaError) and not broken:
                    raise
                raise unreadable(broken, error) from error
        # Of hundreds of partitions few have brought something. Where a fetch has failed aiokafka may have moved on over
        # a record that nobody has seen: the next fetch tells, and seeks it back.
        brought = partitions & (runs.keys() | self._unreported)
        looked_at = [tp for tp in sorted(brought, key=order_of) if not isinstance(fetcher._records.get(tp), FetchError)]  # noqa: SLF001 - as above
        deliveries = (self._delivery(consumer, tp, runs.get(tp, NO_RUNS)) for tp in looked_at)
        found = [delivery for delivery in deliveries if delivery is not None]
        batches = [delivery.batch for delivery in found]
        # a fetch ends at so many records: what others have is taken at once
        waiting = partitions & fetcher._records.keys()  # noqa: SLF001 - as above
        if any(map(len, batches)) and not waiting and all(batch.next_offset >= batch.end_offset for batch in batches):
            self._gathered_at = asyncio.get_running_loop().time() + GATHER_SECONDS
        return found

    async def _gather(self) -> None:
        """Let some records arrive where the last fetch had reached the ends of the logs."""
        await asyncio.sleep(self._gathered_at - asyncio.get_running_loop().time())

    async def _runs(self, fetcher: Any, partitions: frozenset[TP]) -> dict[Any, list[Run]]:
        """Return what has arrived; a partition that has moved on without a record is there without a run."""
        most = self.app.conf.broker_max_poll_records
        if self.app.reads_packed:
            return await fetched_runs(fetcher, partitions, POLL_SECONDS, most, self._turns)
        fetched = await fetcher.fetched_records(partitions, timeout=POLL_SECONDS, max_records=most)
        # it does not tell which ones have moved on over markers and gaps alone
        return {tp: [fetched[tp]] if tp in fetched else [] for tp in partitions}

    def _delivery(self, consumer: aiokafka.AIOKafkaConsumer, tp: TP, runs: list[Run]) -> Delivery | None:
        assignment = consumer._subscription.subscription.assignment  # noqa: SLF001 - position() would wait
        state = assignment.state_value(tp) if assignment else None
        cursor = self._cursors.get(tp)
        if state is None or cursor is None or not state.has_valid_position or state.highwater is None:
            return None
        start, position = cursor.position, state.position
        if position == start and tp not in self._unreported:
            return None
        cursor.position = position
        self._unreported.discard(tp)
        partition_count = len(consumer.partitions_for_topic(tp.topic) or ())
        batch = run_batch(tp, runs, position, state.highwater, partition_count)
        return Delivery(batch, cursor.opening, start)

    def _read_again(self, consumer: aiokafka.AIOKafkaConsumer, partitions: frozenset[TP]) -> None:
        """Forget a fetch that failed half-way: what it had taken of other partitions is not handed out."""
        for tp in partitions & self._cursors.keys() & consumer.assignment():
            consumer.seek(TopicPartition(*tp), self._cursors[tp].position)

    def _raise_unless_stale(self, error: OffsetOutOfRangeError) -> None:
        """Raise the error again unless the partition was sought elsewhere since that fetch."""
        offsets: Mapping[TP, int] = error.args[0]
        for tp, offset in offsets.items():
            cursor = self._cursors.get(tp)
            if cursor is not None and cursor.position == offset:
                raise error

    async def _commit_quietly(self, offsets: Mapping[TP, int]) -> bool:
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        committable = {
            TopicPartition(*tp): OffsetAndMetadata(offset, "")
            for tp, offset in offsets.items()
            # aiokafka would try for ever to commit what belongs to a topic that was deleted
            if tp in assigned and tp.partition in (consumer.partitions_for_topic(tp.topic) or ())
        }
        try:
            if committable:
                await asyncio.wait_for(consumer.commit(committable), COMMIT_SECONDS)
        except (KafkaError, IllegalStateError, TimeoutError) as error:
            logger.info("committing %d positions failed: %s", len(committable), type(error).__name__)
            return False
        return True


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
