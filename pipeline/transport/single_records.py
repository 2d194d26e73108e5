"""Single records, by their places in the logs."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from pipeline.transport.bounds import log_bounds
from pipeline.transport.ports import TP
from pipeline.transport.reading import answering, is_of_group, refusal
from pipeline.transport.security import reading_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.settings import Settings

Place = tuple[str, int, int]  # topic, partition, offset
KeyValue = tuple[bytes | None, bytes | None]

_SECONDS: Final = 5.0
_SILENT: Final = KafkaError._TIMED_OUT  # noqa: SLF001 - a public name that begins with an underscore
_END: Final = KafkaError._PARTITION_EOF  # noqa: SLF001 - likewise
_GONE: Final = frozenset({_END, KafkaError.OFFSET_OUT_OF_RANGE})  # every other error says nothing about the record


def keys_at(settings: Settings, places: Iterable[Place]) -> dict[Place, bytes | None]:
    """Return the keys of records by topic, partition and offset, without those that the logs hold no more.

    Raises:
        UserError: the broker does not answer, or does not give a record that it holds.
    """
    return {place: record[0] for place, record in records_at(settings, places)}


def records_at(settings: Settings, places: Iterable[Place]) -> Iterator[tuple[Place, KeyValue]]:
    """Yield keys and values of records, without those that the logs hold no more.

    Raises:
        UserError: the broker does not answer, or does not give a record that it holds.
    """
    wanted = sorted(set(places))
    bounds = log_bounds(settings, {TP(topic, partition) for topic, partition, _ in wanted})
    options = reading_options(settings) | {
        "auto.offset.reset": "earliest",
        "enable.partition.eof": True,  # nothing but transaction markers may be left behind the offset
    }
    with answering(settings), closing(Consumer(options)) as consumer:
        for topic, partition, offset in wanted:
            tp = TP(topic, partition)
            if not bounds[tp].start <= offset < bounds[tp].end:
                continue
            try:
                record = record_at(consumer, tp, offset)
            except KafkaException as error:
                why = f"{topic} partition {partition} gives no record at offset {offset}: {error.args[0].name()}"
                raise refusal(settings, error.args[0].code(), why) from error
            if record is not None:
                yield (topic, partition, offset), record


def record_at(consumer: Consumer, tp: TP, offset: int) -> KeyValue | None:
    """Return key and value of one record, None if the log holds it no more.

    Raises:
        KafkaException: whether it does is not known: the broker has failed, or was silent for too long.
    """
    consumer.assign([TopicPartition(tp.topic, tp.partition, offset)])
    message = consumer.poll(_SECONDS)
    while message is not None and is_of_group(message):
        message = consumer.poll(_SECONDS)
    if message is None:
        raise KafkaException(KafkaError(_SILENT))
    failure = message.error()
    if failure is None:
        # where the offset has left the log, the client begins again at the oldest record
        return (message.key(), message.value()) if message.offset() == offset else None
    if failure.code() in _GONE:
        return None
    raise KafkaException(failure)
