"""A replay's records from Kafka: a consumer of its own, outside of any group, that stops at given offsets."""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CorruptRecordException, KafkaError, OffsetOutOfRangeError

from pipeline.errors import UnreachableError, UserError
from pipeline.replay.loop_thread import LoopThread
from pipeline.transport.batches import run_batch, runs_before
from pipeline.transport.draining import fetched_runs
from pipeline.transport.reading import DENIED_CODES, denied
from pipeline.transport.record_headers import read_tolerantly
from pipeline.transport.security import client_options
from pipeline.transport.unreadable import UnreadableError
from pipeline.worker.cores import chosen_core

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline.replay.fixed_tables import FixedTables
    from pipeline.settings import Settings
    from pipeline.transport.ports import TP, RecordBatch
    from pipeline.transport.runs import Run
    from pipeline.worker.ports import DimensionSource

_POLL_SECONDS: Final = 0.25
_SILENCE_SECONDS: Final = 30.0
_NO_RUNS: Final = ()


class TopicSource:
    """Implements `pipeline.replay.ports.ReplaySource` over a broker: Kafka or Tansu.

    One task fetches for all partitions, in a thread of its own; each has room for one batch, so memory does not grow
    with what is read ahead. A batch is handed over before its position: who sees the position finds the batch.

    Args:
        settings: how to connect.
        ends: where each partition's log ends for this replay: the offset behind its last record. The position a reader
            has reached counts, not a number of records: transaction markers and compaction leave gaps.
        partition_counts: number of partitions of each topic.
        dimensions: the dimension tables.
    """

    def __init__(
        self, settings: Settings, ends: Mapping[TP, int], partition_counts: Mapping[str, int], dimensions: FixedTables
    ) -> None:
        self._settings = settings
        self._ends = ends
        self._partition_counts = partition_counts
        self._most = settings.worker.fetch_records
        self._reads_packed = chosen_core(settings.worker.core) == "native"
        self._dimensions = dimensions
        self._consumer: AIOKafkaConsumer | None = None
        self._task: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        self._positions: dict[TP, int] = {}
        self._batches: dict[TP, RecordBatch] = {}
        self._silent_seconds = 0.0  # spent in fetches that brought nothing of any partition, in a row
        self._arrived = {tp: asyncio.Event() for tp in ends}  # of the reader's loop
        self._room = asyncio.Event()  # of the fetching loop
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: LoopThread | None = None

    @property
    def dimensions(self) -> DimensionSource:
        """The dimension tables."""
        return self._dimensions

    async def start(self) -> None:
        """Connect."""
        self._loop = asyncio.get_running_loop()
        self._thread = LoopThread("fetching")
        try:
            await self._thread.run(self._connect())
            await self._dimensions.start()
        except KafkaError as error:
            raise self._explained(error) from error

    async def stop(self) -> None:
        """Disconnect."""
        try:
            await self._dimensions.stop()
        finally:
            thread, self._thread = self._thread, None
            if thread is not None:
                try:
                    await thread.run(self._disconnect())
                finally:
                    await thread.end()

    async def seek(self, positions: Mapping[TP, int]) -> None:
        """Read these partitions from these offsets on."""
        await self._fetching().run(self._seek(positions))

    async def next_batch(self, tp: TP) -> RecordBatch | None:
        """Return the partition's next records, None once its end is reached."""
        arrived = self._arrived[tp]
        while True:
            arrived.clear()
            is_read = self._positions[tp] >= self._ends[tp]  # before the look at the batch, which comes first
            batch = self._batches.pop(tp, None)
            if batch is not None:
                self._fetching().call(self._room.set)
                return batch
            if self._failure is not None:
                raise self._failure
            if is_read:
                return None
            await arrived.wait()

    # -- in the thread that fetches --------------------------------------------------------------------------------

    async def _connect(self) -> None:
        self._consumer = AIOKafkaConsumer(
            **client_options(self._settings),
            enable_auto_commit=False,
            auto_offset_reset="none",  # a position that the log no longer has is an error, never a jump
            isolation_level="read_committed",
            fetch_max_wait_ms=int(_POLL_SECONDS * 1000),
        )
        await self._consumer.start()
        self._consumer.assign([TopicPartition(*tp) for tp in self._ends])
        self._consumer.pause(*self._consumer.assignment())
        self._task = asyncio.create_task(self._fetch_on())

    async def _disconnect(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._consumer is not None:
            await self._consumer.stop()

    async def _seek(self, positions: Mapping[TP, int]) -> None:
        consumer = self._connected()
        for tp, position in positions.items():
            self._batches.pop(tp, None)
            self._positions[tp] = position
            consumer.seek(TopicPartition(*tp), position)
            if position < self._ends[tp]:
                consumer.resume(TopicPartition(*tp))
        self._room.set()

    def _tell(self, tps: Iterable[TP]) -> None:
        """Wake up the readers of partitions."""
        for tp in tps:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._arrived[tp].set)

    async def _fetch_on(self) -> None:
        try:
            while True:
                self._room.clear()
                wanted = [tp for tp, at in self._positions.items() if at < self._ends[tp] and tp not in self._batches]
                if wanted:
                    await self._fetch(wanted)
                else:
                    await self._room.wait()
        except Exception as error:  # noqa: BLE001 - whoever waits for a batch is told
            self._failure = self._explained(error)
            self._tell(self._arrived)

    async def _fetch(self, wanted: list[TP]) -> None:
        consumer = self._connected()
        began = time.monotonic()
        try:
            fetched = await self._runs(consumer, [TopicPartition(*tp) for tp in wanted])
        except UnicodeDecodeError:
            read_tolerantly()
            for tp in wanted:
                consumer.seek(TopicPartition(*tp), self._positions[tp])
            return
        # a process that was held up or asleep has not been listening
        self._silent_seconds += min(time.monotonic() - began, 2 * _POLL_SECONDS)
        for tp in wanted:
            # aiokafka's position() would wait where none is known; nothing was awaited since the records were taken out
            position = consumer._subscription.subscription.assignment.state_value(TopicPartition(*tp)).position  # noqa: SLF001 - as above
            if position > self._positions[tp]:
                self._take(tp, fetched.get(TopicPartition(*tp), _NO_RUNS), position)
                self._silent_seconds = 0.0
        if self._silent_seconds > _SILENCE_SECONDS:
            tp = wanted[0]
            raise UserError(
                f"{tp.topic} partition {tp.partition} went silent at offset {self._positions[tp]}, before its end at "
                f"{self._ends[tp]}",
                "check the broker (a producer's transaction may be open), then: roi replay … --resume",
            )

    async def _runs(self, consumer: AIOKafkaConsumer, wanted: list[TopicPartition]) -> Mapping[Any, Sequence[Run]]:
        if self._reads_packed:
            return await fetched_runs(consumer._fetcher, frozenset(wanted), _POLL_SECONDS, self._most)  # noqa: SLF001 - getmany() makes objects of records
        found = await consumer.getmany(*wanted, timeout_ms=int(_POLL_SECONDS * 1000), max_records=self._most)
        return {tp: [records] for tp, records in found.items()}

    def _take(self, tp: TP, runs: Sequence[Run], position: int) -> None:
        end = self._ends[tp]
        if position >= end:
            position = end
            self._connected().pause(TopicPartition(*tp))
            runs = runs_before(runs, end)
        # the tables are fixed: a batch has nothing of them to wait for
        self._batches[tp] = run_batch(tp, runs, position, end, self._partition_counts[tp.topic], fetched_at=-math.inf)
        self._positions[tp] = position
        self._tell([tp])

    def _explained(self, error: Exception) -> Exception:
        if isinstance(error, OffsetOutOfRangeError):
            return UserError(
                "the broker has deleted records that this replay had not read yet (retention)",
                "replay what was archived (--input), or a later range (--from)",
            )
        if not isinstance(error, KafkaError):
            return error
        cause = error.__cause__ if isinstance(error, UnreadableError) else error
        why = type(cause).__name__
        if getattr(cause, "errno", None) in DENIED_CODES:
            topics = {topic for topic, _ in error.partitions} if isinstance(error, UnreadableError) else ()
            return denied(self._settings, f"reading {', '.join(sorted(topics))}".rstrip(), why)
        if isinstance(error, (UnreadableError, CorruptRecordException)):
            return UserError(str(error), "restore the partition, or replay what was archived (--input)")
        return UnreachableError(
            f"Kafka at {self._settings.kafka_bootstrap_servers} does not answer ({why})",
            "start it, then go on with: roi replay … --resume",
        )

    def _fetching(self) -> LoopThread:
        if self._thread is None:
            raise RuntimeError("the source is not started")
        return self._thread

    def _connected(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise RuntimeError("the source is not started")
        return self._consumer
