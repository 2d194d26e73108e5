"""Fast, safe producing of events for the command line: librdkafka with Kafka's own partitioner."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import KafkaError, Producer

from pipeline.errors import UserError
from pipeline.interrupts import held_back
from pipeline.transport.reading import MISSING_REMEDY
from pipeline.transport.security import confluent_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.settings import Settings

Header = tuple[str, bytes]

IN_FLIGHT_MESSAGES: Final = 200_000
IN_FLIGHT_KIB: Final = 256 * 1024
DELIVERY_SECONDS: Final = 30.0
# a topic unknown for this long does not exist; a new one takes a moment to be known everywhere
MISSING_TOPIC_MS: Final = 2_000
_SLICE_SECONDS: Final = 0.2  # how long an interrupt may have to wait
POLL_EVERY: Final = 1_000  # messages; serves delivery reports well before the queue is full
MISSING_TOPIC_CODES: Final = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 - librdkafka's local codes are public names with an underscore
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001 - as above
    }
)


class EventProducer:
    """Writes messages with bounded memory; nothing counts as written before `flush` returned.

    Messages of one key keep their order and are written once each, also when the broker's replies are lost.
    """

    def __init__(self, settings: Settings, *, delivery_seconds: float = DELIVERY_SECONDS) -> None:
        self._servers = settings.kafka_bootstrap_servers
        self._delivery_seconds = delivery_seconds
        self._failure: KafkaError | None = None
        self._failed_topic = ""
        self._sent = 0
        self.delivered = 0
        self._producer = Producer(
            confluent_options(settings)
            | {
                "partitioner": "murmur2_random",
                "enable.idempotence": True,  # implies acks=all
                "compression.type": "lz4",
                "linger.ms": 20,
                "queue.buffering.max.messages": IN_FLIGHT_MESSAGES,
                "queue.buffering.max.kbytes": IN_FLIGHT_KIB,
                "message.timeout.ms": int(delivery_seconds * 1000),
                "allow.auto.create.topics": False,
                "topic.metadata.propagation.max.ms": MISSING_TOPIC_MS,
                "log_level": 0,  # failures are raised
            }
        )

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        *,
        headers: Sequence[Header] = (),
        timestamp_ms: int | None = None,
    ) -> None:
        """Queue one message, waiting while the queue is full.

        Raises:
            UserError: an earlier message could not be delivered, or the queue does not drain.
        """
        options: dict[str, Any] = {"on_delivery": self._on_delivery}
        if headers:
            options["headers"] = list(headers)
        if timestamp_ms is not None:
            options["timestamp"] = timestamp_ms
        deadline = time.monotonic() + self._delivery_seconds
        while True:
            try:
                self._producer.produce(topic, value, key, **options)
                break
            except BufferError:
                self._poll(0.1)
                self._raise_failure()
                if time.monotonic() > deadline:
                    raise self._unreachable() from None
        self._sent += 1
        if self._sent % POLL_EVERY == 0:
            self._poll(0)
            self._raise_failure()

    def flush(self, timeout: float = DELIVERY_SECONDS) -> None:
        """Wait until everything sent is stored by the broker.

        Raises:
            UserError: a message could not be delivered within ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        left = 1
        while left:
            with held_back():
                left = self._producer.flush(max(0.0, min(_SLICE_SECONDS, deadline - time.monotonic())))
            self._raise_failure()
            if left and time.monotonic() >= deadline:
                raise self._unreachable()

    def _poll(self, seconds: float) -> None:
        with held_back():
            self._producer.poll(seconds)

    def _on_delivery(self, error: KafkaError | None, message: Any) -> None:
        if error is None:
            self.delivered += 1
        elif self._failure is None:
            self._failure, self._failed_topic = error, message.topic()

    def _raise_failure(self) -> None:
        if self._failure is None:
            return
        if self._failure.code() in MISSING_TOPIC_CODES:
            raise UserError(f"topic {self._failed_topic} does not exist at {self._servers}", MISSING_REMEDY)
        if self._failure.code() == KafkaError._MSG_TIMED_OUT:  # noqa: SLF001 - as above
            raise self._unreachable()
        raise UserError(
            f"writing to {self._failed_topic} failed ({self._failure.name()})",
            "check the broker and this user's rights",
        )

    def _unreachable(self) -> UserError:
        return UserError(
            f"Kafka at {self._servers} took no messages for {self._delivery_seconds:.0f} s",
            "check that it runs and that ROI_KAFKA_BOOTSTRAP_SERVERS is right",
        )
