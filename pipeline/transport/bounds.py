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
from pipeline.transport.ports import TP
from pipeline.transport.reading import DENIED_CODES, check_readable, denied
from pipeline.transport.security import reading_options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.settings import Settings

TIMEOUT_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.05
_EARLIEST: Final = -2  # instants of ListOffsets that are none
_LATEST: Final = -1
LEADERLESS_CODES: Final = frozenset({KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE})


class LogBounds(NamedTuple):
    """First offset of a partition's log, and the next one after its last."""

    start: int
    end: int


def log_bounds(settings: Settings, partitions: Iterable[TP]) -> dict[TP, LogBounds]:
    """Return the bounds of existing partitions; blocks for about 0.1 s where there are any.

    Raises:
        UserError: the broker does not answer, or denies it, or a partition does not exist.
    """
    wanted = sorted(partitions)
    if not wanted:
        return {}
    consumer = Consumer(reading_options(settings) | {"fetch.wait.max.ms": 10})
    try:
        with closing(consumer):
            return _fetched_bounds(consumer, wanted, settings)
    except KafkaException as error:
        if error.args[0].code() in DENIED_CODES:
            raise denied(settings, "the ends of topics", error.args[0].name()) from error
        raise UserError(
            f"Kafka at {settings.kafka_bootstrap_servers} did not tell its offsets ({error.args[0].name()})",
            "check that it runs, and that its topics exist: roi migrate",
        ) from error


def _listed(consumer: Consumer, partitions: list[TP], instant: int, deadline: float) -> dict[TP, int]:
    """Return what ListOffsets says, asking again while a new topic's leaders are not yet known everywhere."""
    while True:
        try:
            # one request to a broker; get_watermark_offsets asks for each partition twice
            found = consumer.offsets_for_times([TopicPartition(*tp, instant) for tp in partitions], TIMEOUT_SECONDS)
        except KafkaException as error:
            errors = [error.args[0]]
        else:
            errors = [each.error for each in found if each.error is not None]
            if not errors:
                return {TP(each.topic, each.partition): each.offset for each in found}
        grave = [error for error in errors if error.code() not in LEADERLESS_CODES]
        if grave or time.monotonic() > deadline:
            raise KafkaException((grave or errors)[0])
        consumer.poll(POLL_SECONDS)


def _fetched_bounds(consumer: Consumer, partitions: list[TP], settings: Settings) -> dict[TP, LogBounds]:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    starts = _listed(consumer, partitions, _EARLIEST, deadline)
    ends = _listed(consumer, partitions, _LATEST, deadline)
    consumer.assign([TopicPartition(*tp, end) for tp, end in ends.items()])
    settled: dict[TP, LogBounds] = {}
    while len(settled) < len(ends) and time.monotonic() < deadline:
        message = consumer.poll(POLL_SECONDS)
        if message is not None:
            check_readable(message, settings)
        for tp in ends.keys() - settled.keys():
            _, high = consumer.get_watermark_offsets(TopicPartition(*tp), cached=True)
            if high >= 0:
                settled[tp] = LogBounds(starts[tp], high)
    if missing := ends.keys() - settled.keys():
        raise UserError(
            f"{len(missing)} partitions did not answer a fetch in {TIMEOUT_SECONDS:.0f} s", "check the broker's health"
        )
    return settled
