"""Reads the dimension topics (campaigns whole, customers for the owned partitions) outside of the group."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from pipeline.errors import UserError
from pipeline.transport.ports import TP
from pipeline.transport.reading import MISSING_REMEDY
from pipeline.transport.record_headers import read_tolerantly
from pipeline.transport.security import client_options
from pipeline.transport.unreadable import broken_among, unreadable
from schemas.topics import CAMPAIGNS, CUSTOMERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.settings import Settings

FETCH_WAIT_MS: Final = 50
POLL_MS: Final = 50
ERASE_HEADER: Final = "roi.erase"


class DimensionRecord(NamedTuple):
    """One record of a dimension topic; a value of None is a tombstone.

    ``erase_request`` is what the header `ERASE_HEADER` holds: a tombstone with it erases everything about the customer,
    one without it the profile only. ``refusal`` is reason and detail of a record that an archive holds as refused.
    """

    key: bytes | None
    value: bytes | None
    partition: int
    offset: int
    erase_request: str | None = None
    refusal: tuple[str, str] | None = None


@dataclass(slots=True)
class DimensionUpdates:
    """What is new in the dimension topics, in log order within each partition.

    Attributes:
        campaigns: definitions of all partitions.
        customers: profiles by partition.
        next_offsets: positions to go on from, of the partitions whose position is another one than told before.
    """

    campaigns: list[DimensionRecord] = field(default_factory=list)
    customers: dict[int, list[DimensionRecord]] = field(default_factory=dict)
    next_offsets: dict[TP, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.campaigns or self.customers)


class DimensionReader:
    """An own consumer with manual assignment: no rebalance of the workers' group moves it.

    Calls may come from several tasks; they take turns.
    """

    def __init__(self, settings: Settings) -> None:
        self._options = client_options(settings)
        self._consumer: AIOKafkaConsumer | None = None
        self._positions: dict[TP, int | None] = {}  # None: the log's beginning
        self._told: dict[TP, int | None] = {}  # positions, with the last updates
        self._collected = DimensionUpdates()  # read, but not handed out yet: a cancelled call loses nothing
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        """Connect, and read all campaigns from the beginning with the first `catch_up`.

        Raises:
            UserError: there is no campaigns topic.
        """
        consumer = AIOKafkaConsumer(
            **self._options,
            enable_auto_commit=False,
            # a compacted topic read twice gives the same table, so a lost position costs time only
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=FETCH_WAIT_MS,
        )
        try:
            await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        self._consumer = consumer
        cluster = await consumer._client.fetch_all_metadata()  # noqa: SLF001 - topics() asks the same and keeps the partitions back
        partitions = cluster.partitions_for_topic(CAMPAIGNS)
        if not partitions:
            raise UserError(f"topic {CAMPAIGNS} does not exist", MISSING_REMEDY)
        async with self._turn:
            await self._assign({TP(CAMPAIGNS, partition): None for partition in partitions})

    async def restart_campaigns(self) -> None:
        """Read the campaigns topic from its beginning: it is another topic than before."""
        async with self._turn:
            await self._assign(
                {tp: None if tp.topic == CAMPAIGNS else position for tp, position in self._positions.items()}
            )

    async def stop(self) -> None:
        """Disconnect."""
        if self._consumer is not None:
            await self._consumer.stop()
            self._consumer = None

    async def own(self, partitions: Mapping[int, int | None]) -> None:
        """Read these partitions of the customers topic, and no others, from now on.

        Args:
            partitions: start offset by partition number, None for the log's beginning. A partition that is read
                already goes on from the given offset too.
        """
        async with self._turn:
            campaigns = {tp: position for tp, position in self._positions.items() if tp.topic == CAMPAIGNS}
            customers = {TP(CUSTOMERS, partition): offset for partition, offset in partitions.items()}
            self._collected.customers.clear()  # read again from the given offsets
            await self._assign(campaigns | customers)

    async def catch_up(self) -> DimensionUpdates:
        """Return once everything that was in the topics when this was called has been read; all of it is returned.

        One round trip when nothing is new.

        Raises:
            UnreadableError: a partition could not be read; what others have brought comes with the next call.
            KafkaError: the broker does not answer.
        """
        async with self._turn:
            consumer = self._connected()
            ends = await self._ends(consumer, list(self._positions))
            while behind := [TopicPartition(*tp) for tp, end in ends.items() if (self._positions[tp] or 0) < end]:
                asked = [TP(*tp) for tp in behind]
                consumer.resume(*behind)
                try:
                    fetched = await consumer.getmany(*behind, timeout_ms=POLL_MS)
                except Exception as error:
                    broken = broken_among(consumer._fetcher, asked)  # noqa: SLF001 - the error may not name it
                    # aiokafka has moved on over what it had taken of the partitions before the one that failed
                    for tp in behind:
                        consumer.seek(tp, self._positions[TP(*tp)] or 0)
                    if not isinstance(error, UnicodeDecodeError):
                        raise unreadable(broken or asked, error) from error
                    read_tolerantly()
                else:
                    _add(self._collected, fetched)
                    for tp in behind:
                        self._positions[TP(*tp)] = await consumer.position(tp)
                finally:
                    consumer.pause(*behind)
            updates, self._collected = self._collected, DimensionUpdates()
            positions, told = self._positions, self._told
            if positions != told:  # most rounds find nothing new, in any of hundreds of partitions
                updates.next_offsets = {
                    tp: position
                    for tp, position in positions.items()
                    if position is not None and told.get(tp) != position
                }
                self._told = dict(positions)
            return updates

    async def _ends(self, consumer: AIOKafkaConsumer, partitions: list[TP]) -> Mapping[TP, int]:
        """Return how far each partition is to be read."""
        # Tansu answers with the base of the last batch + 1; fetches return whole batches, so that reaching it means
        # that the batch has been read
        ends = await consumer.end_offsets([TopicPartition(*tp) for tp in partitions])
        return {TP(*tp): end for tp, end in ends.items()}

    async def _assign(self, positions: dict[TP, int | None]) -> None:
        """Read the given partitions from the given positions; aiokafka forgets them all with every assignment."""
        consumer = self._connected()
        self._told = {}
        consumer.assign([TopicPartition(*tp) for tp in positions])
        # nothing is fetched unless something is new: ListOffsets would wait behind a long poll on the same connection
        consumer.pause(*(TopicPartition(*tp) for tp in positions))
        from_start = [TopicPartition(*tp) for tp, offset in positions.items() if offset is None]
        beginnings = await consumer.beginning_offsets(from_start) if from_start else {}
        self._positions = {tp: beginnings[tp] if offset is None else offset for tp, offset in positions.items()}
        for tp, offset in self._positions.items():
            consumer.seek(TopicPartition(*tp), offset)

    def _connected(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise RuntimeError("the dimension reader is not started")
        return self._consumer


def _add(updates: DimensionUpdates, fetched: Mapping[Any, list[Any]]) -> None:
    for tp, records in fetched.items():
        target = updates.campaigns if tp.topic == CAMPAIGNS else updates.customers.setdefault(tp.partition, [])
        target.extend(
            DimensionRecord(record.key, record.value, tp.partition, record.offset, _erase_request(record.headers))
            for record in records
        )


def _erase_request(headers: Sequence[tuple[str, bytes]]) -> str | None:
    found = next((value for name, value in headers if name == ERASE_HEADER), None)
    if found is None:
        return None
    # it is stored and shown: nothing but a name fits in
    return "".join(letter for letter in found.decode("ascii", "ignore") if letter.isalnum())[:64]
