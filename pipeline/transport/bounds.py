"""Where logs begin and truly end, on every broker.

Tansu answers ListOffsets(latest) with the base of the last batch + 1. The high watermark in a fetch's reply is right
everywhere, so one fetch at that offset settles the matter.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Final, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from pipeline.errors import UserError
from pipeline.transport.security import confluent_options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.settings import Settings
    from pipeline.transport.ports import TP

TIMEOUT_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.05
LEADERLESS_CODES: Final = frozenset({KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE})


class LogBounds(NamedTuple):
    """First offset of a partition's log, and the next one after its last."""

    start: int
    end: int


def log_bounds(settings: Settings, partitions: Iterable[TP]) -> dict[TP, LogBounds]:
    """Return the bounds of existing partitions; blocks for about 0.1 s.

    Raises:
        UserError: the broker does not answer, or a partition does not exist.
    """
    consumer = Consumer(
        confluent_options(settings)
        | {
            "group.id": f"{settings.kafka_group}-bounds",  # librdkafka wants a name; no group is joined
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 10,
            "log_level": 0,
        }
    )
    try:
        with closing(consumer):
            return _fetched_bounds(consumer, sorted(partitions))
    except KafkaException as error:
        raise UserError(
            f"Kafka at {settings.kafka_bootstrap_servers} did not tell its offsets ({error.args[0].name()})",
            "check that it runs, and that its topics exist: roi migrate",
        ) from error


def _listed_bounds(consumer: Consumer, tp: TopicPartition, deadline: float) -> LogBounds:
    """Return what ListOffsets says, asking again while a new topic's leaders are not yet known everywhere."""
    while True:
        try:
            return LogBounds(*consumer.get_watermark_offsets(tp, TIMEOUT_SECONDS))
        except KafkaException as error:
            if error.args[0].code() not in LEADERLESS_CODES or time.monotonic() > deadline:
                raise
            consumer.poll(POLL_SECONDS)


def _fetched_bounds(consumer: Consumer, partitions: list[TP]) -> dict[TP, LogBounds]:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    listed = {tp: _listed_bounds(consumer, TopicPartition(*tp), deadline) for tp in partitions}
    consumer.assign([TopicPartition(*tp, bounds.end) for tp, bounds in listed.items()])
    settled: dict[TP, LogBounds] = {}
    while len(settled) < len(listed) and time.monotonic() < deadline:
        consumer.poll(POLL_SECONDS)
        for tp in listed.keys() - settled.keys():
            _, high = consumer.get_watermark_offsets(TopicPartition(*tp), cached=True)
            if high >= 0:
                settled[tp] = LogBounds(listed[tp].start, high)
    if missing := listed.keys() - settled.keys():
        raise UserError(
            f"{len(missing)} partitions did not answer a fetch in {TIMEOUT_SECONDS:.0f} s", "check the broker's health"
        )
    return settled
