"""Keys of single records, by their places in the logs."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from confluent_kafka import Consumer, TopicPartition

from pipeline.transport.bounds import log_bounds
from pipeline.transport.ports import TP
from pipeline.transport.reading import answering, unreachable
from pipeline.transport.security import confluent_options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.settings import Settings

_SECONDS: Final = 5.0


def keys_at(settings: Settings, places: Iterable[tuple[str, int, int]]) -> dict[tuple[str, int, int], bytes | None]:
    """Return the keys of records by topic, partition and offset, without those that the logs hold no more.

    Raises:
        UserError: the broker does not answer.
    """
    wanted = sorted(set(places))
    bounds = log_bounds(settings, {TP(topic, partition) for topic, partition, _ in wanted})
    options = confluent_options(settings) | {
        "group.id": f"{settings.kafka_group}-recall",  # librdkafka wants a name; no group is joined
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "enable.partition.eof": True,  # nothing but transaction markers may be left behind the offset
        "log_level": 0,
    }
    found: dict[tuple[str, int, int], bytes | None] = {}
    with closing(Consumer(options)) as consumer, answering(settings):
        for place in wanted:
            topic, partition, offset = place
            log = bounds[TP(topic, partition)]
            if not log.start <= offset < log.end:
                continue
            consumer.assign([TopicPartition(topic, partition, offset)])
            message = consumer.poll(_SECONDS)
            if message is None:
                raise unreachable(settings, f"{topic} partition {partition} gives no record at offset {offset}")
            if message.error() is None and message.offset() == offset:
                found[place] = message.key()
    return found
