"""The outbox to Kafka: what waits on the desk goes to roi.alerts.v1 and roi.stops.v1, and is then marked as sent.

A crash between the broker's answer and the mark publishes again: the same bytes under the same header ``webhook-id``.
Messages of one campaign keep their order: one that failed is sent again with all that came after it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, Protocol

from confluent_kafka import KafkaError, KafkaException, Producer

from pipeline.alerts.log import SENT
from pipeline.backoff import Backoff
from pipeline.transport.security import confluent_options
from schemas.alerts import ID_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.alerts.desk import Desk
    from pipeline.alerts.log import Message
    from pipeline.settings import Settings

CONTENT_TYPE: Final = ("content-type", b"application/json")
PIECE: Final = 500
_TIMEOUT_SECONDS: Final = 10.0
_WAITS: Final = Backoff(first_seconds=0.2, longest_seconds=5.0)
_log = logging.getLogger(__name__)


class Publisher(Protocol):
    """Writes messages to their topics. Calls block and come from one thread at a time."""

    def publish(self, messages: Sequence[Message]) -> tuple[list[Message], str]:
        """Return the messages that the broker has stored, and why others are not ('' = all are)."""


class KafkaPublisher:
    """An idempotent producer; one that failed for good is replaced by a new one."""

    def __init__(self, settings: Settings) -> None:
        self._options = confluent_options(settings) | {
            "partitioner": "murmur2_random",
            "enable.idempotence": True,  # implies acks=all
            "linger.ms": 1,
            "message.timeout.ms": int(_TIMEOUT_SECONDS * 1000),
            "allow.auto.create.topics": False,
            "log_level": 0,  # failures are told by those who call
        }
        self._producer: Any = None

    def publish(self, messages: Sequence[Message]) -> tuple[list[Message], str]:
        """Return the messages that the broker has stored, and why others are not ('' = all are)."""
        stored: set[str] = set()
        faults: list[str] = []

        def heard(message_id: str) -> Callable[[KafkaError | None, Any], None]:
            def told(error: KafkaError | None, _: Any) -> None:
                if error is None:
                    stored.add(message_id)
                else:
                    faults.append(error.name())

            return told

        if self._producer is None:
            self._producer = Producer(self._options)
        try:
            for message in messages:
                headers = [(ID_HEADER, message.message_id.encode()), CONTENT_TYPE]
                key, value = message.campaign_id.encode(), message.payload.encode()
                self._producer.produce(
                    message.topic, value, key, headers=headers, on_delivery=heard(message.message_id)
                )
            self._producer.flush(_TIMEOUT_SECONDS + 1.0)
        except (KafkaException, BufferError) as error:
            faults.append(type(error).__name__)
        if len(stored) < len(messages):
            self._producer = None  # whatever it still holds must not arrive behind its own repetition
        return _in_order(messages, stored), (faults or ["TimedOut"])[0] if len(stored) < len(messages) else ""


def _in_order(messages: Sequence[Message], stored: set[str]) -> list[Message]:
    """Return those that are stored and of whose campaign nothing before them is missing."""
    missing: set[str] = set()
    kept = []
    for message in messages:
        if message.message_id in stored and message.campaign_id not in missing:
            kept.append(message)
        else:
            missing.add(message.campaign_id)
    return kept


class PublishingTold(Protocol):
    """Who counts what is published."""

    def published(self, messages: Sequence[Message], fault: str) -> None:
        """Note messages that were sent and marked, and why others were not ('' = they were)."""


async def publish_for_ever(desk: Desk, publisher: Publisher, told: PublishingTold) -> None:
    """Publish whatever waits on the desk, for as long as this instance decides.

    Raises:
        FencedError: another instance decides.
    """
    news, failures = desk.listener(), 0
    while True:
        news.clear()
        messages = list(desk.messages.values())[:PIECE]
        if not messages:
            await news.wait()
            continue
        await desk.confirm()
        sent, fault = await asyncio.to_thread(publisher.publish, messages)
        if sent:
            await desk.write([message.row(SENT) for message in sent])
        told.published(sent, fault)
        failures = failures + 1 if fault else 0
        if failures:
            _log.warning("%d messages wait for Kafka (%s)", len(desk.messages), fault)
            await asyncio.sleep(_WAITS.delay(failures))
