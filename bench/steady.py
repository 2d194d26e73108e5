"""A source that writes events at a steady rate and takes next to nothing of the cores it shares with what is measured.

Whose latency is measured does not produce on the machine that counts: a producer that encodes and compresses beside it
took 1.9 us of processor time an event, a fifth of what two cores have at 190,000 events a second. So record batches are
made beforehand, those that librdkafka would make: what falls due within its 50 ms of gathering, by partition, by lz4.
Sending them is 20 requests a second. A producer of 5 ms would make batches of 20 events at 100,000 a second, for which
the embedded broker takes 6.3 us of processor time an event instead of 2.1.

Accepted is when the broker's answer comes, asked to write to all replicas; there is no second try, so that no event is
written twice.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import lz4.frame
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition

from pipeline.errors import UserError
from pipeline.transport.admin import TopicAdmin
from pipeline.transport.partitioner import partitions_of_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bench.figures import Partition
    from pipeline.settings import Settings

    Event = tuple[str, bytes, bytes]

_GATHERED_SECONDS: Final = 0.05
_TIMED_A_SECOND: Final = 5_000
_REQUEST_MS: Final = 30_000
_LARGEST_BATCH: Final = 1_000_000
_HEAD_BYTES: Final = 61
_ATTRIBUTES: Final = slice(21, 23)
_LENGTH: Final = slice(8, 12)
_SUM: Final = slice(17, 21)
_LZ4: Final = 3


class Batch(NamedTuple):
    """One record batch as the broker takes it, and of how many events it is."""

    topic: str
    partition: int
    events: int
    content: bytes


class Tick(NamedTuple):
    """The record batches that are sent ``at`` seconds from the beginning."""

    at: float
    batches: list[Batch]


class Acknowledgements:
    """When the broker acknowledged which offset: of those that are timed, evenly spread."""

    def __init__(self, rate: int) -> None:
        self._every = timed_every(rate)
        self.accepted: dict[Partition, list[tuple[int, float]]] = defaultdict(list)

    def note(self, batch: Batch, offset: int, at: float) -> None:
        """Take the answer to one batch, whose first event has this offset."""
        timed = range(offset + -offset % self._every, offset + batch.events, self._every)
        self.accepted[batch.topic, batch.partition].extend((each, at) for each in timed)


def timed_every(rate: int) -> int:
    """Return of how many events one is timed at a rate."""
    return max(1, rate // _TIMED_A_SECOND)


def record_batch(topic: str, partition: int, events: Sequence[Event]) -> Batch:
    """Return these events as one batch, compressed as librdkafka does it."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, _LARGEST_BATCH)
    now_ms = int(time.time() * 1000)
    for place, (_, key, value) in enumerate(events):
        if builder.append(place, now_ms, key, value, []) is None:
            raise UserError(
                f"the events of {_GATHERED_SECONDS * 1000:.0f} ms on one partition are more than a record batch holds",
                "choose a lower rate, or topics of more partitions",
            )
    plain = bytes(builder.build())
    # aiokafka compresses by lz4's highest level, at 5 us an event and better than any producer does
    raw = bytearray(plain[:_HEAD_BYTES] + lz4.frame.compress(plain[_HEAD_BYTES:], block_linked=False))
    raw[_LENGTH] = (len(raw) - _LENGTH.stop).to_bytes(4, "big")
    raw[_ATTRIBUTES] = _LZ4.to_bytes(2, "big")
    raw[_SUM] = calc_crc32c(bytes(raw[_ATTRIBUTES.start :])).to_bytes(4, "big")
    return Batch(topic, partition, len(events), bytes(raw))


def ticks(events: Iterable[Event], rate: int, counts: Mapping[str, int]) -> Iterator[Tick]:
    """Yield the events at ``rate`` a second as batches, each sent when its first event has waited as long as it may.

    Args:
        events: topic, key and value, in their order.
        rate: events a second.
        counts: number of partitions by topic.
    """
    left, due = iter(events), 0
    while part := list(islice(left, max(1, round(rate * _GATHERED_SECONDS)))):
        due += len(part)
        gathered: dict[Partition, list[Event]] = defaultdict(list)
        for topic in {topic for topic, _, _ in part}:
            own = [event for event in part if event[0] == topic]
            spread = partitions_of_all([key for _, key, _ in own], counts[topic]).tolist()
            for event, partition in zip(own, spread, strict=True):
                gathered[topic, partition].append(event)
        batches = [record_batch(topic, partition, own) for (topic, partition), own in sorted(gathered.items())]
        yield Tick(due / rate, batches)


def prepared(settings: Settings, events: Iterable[Event], rate: int) -> list[Tick]:
    """Return what `produce` sends, for the topics as they are."""
    with TopicAdmin(settings) as admin:
        counts = {name: info.partitions for name, info in admin.topics().items()}
    return list(ticks(events, rate, counts))


def produce(settings: Settings, sendings: Sequence[Tick], rate: int) -> Acknowledgements:
    """Send at their times; return when each event that is timed was acknowledged, all being accepted.

    Raises:
        UserError: the broker did not take a batch.
    """
    acknowledgements = Acknowledgements(rate)
    try:
        asyncio.run(_produce(settings.kafka_bootstrap_servers, sendings, acknowledgements))
    except* UserError as refused:
        raise refused.exceptions[0] from None
    return acknowledgements


async def _produce(address: str, sendings: Sequence[Tick], acknowledgements: Acknowledgements) -> None:
    client = AIOKafkaClient(bootstrap_servers=address, request_timeout_ms=_REQUEST_MS)
    await client.bootstrap()
    try:
        await client.set_topics({batch.topic for tick in sendings for batch in tick.batches})
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for tick in sendings:
                await asyncio.sleep(began + tick.at - time.monotonic())
                for node, batches in _by_leader(client, tick.batches).items():
                    group.create_task(_send(client, node, batches, acknowledgements))
    finally:
        await client.close()


def _by_leader(client: Any, batches: Sequence[Batch]) -> dict[int, list[Batch]]:
    found: dict[int, list[Batch]] = defaultdict(list)
    for batch in batches:
        found[client.cluster.leader_for_partition(TopicPartition(batch.topic, batch.partition))].append(batch)
    return found


async def _send(client: Any, node: int, batches: Sequence[Batch], acknowledgements: Acknowledgements) -> None:
    by_topic: dict[str, list[tuple[int, bytes]]] = defaultdict(list)
    for batch in batches:
        by_topic[batch.topic].append((batch.partition, batch.content))
    try:
        answer = await client.send(node, ProduceRequest(None, -1, _REQUEST_MS, list(by_topic.items())))
    except KafkaError as error:
        raise _not_taken(type(error)) from error
    now = time.monotonic()
    sent = {(batch.topic, batch.partition): batch for batch in batches}
    for topic, partitions in answer.topics:
        for partition, code, offset, *_ in partitions:
            if code:
                raise _not_taken(for_code(code))
            acknowledgements.note(sent[topic, partition], offset, now)


def _not_taken(error: type[KafkaError]) -> UserError:
    return UserError(f"the broker did not take an event ({error.__name__})", "check the broker")
