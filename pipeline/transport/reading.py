"""Reading whole topics, for commands that look at definitions and dead letters."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from operator import methodcaller
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.errors import ForbiddenError, UnreachableError, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confluent_kafka import Consumer, Message
    from confluent_kafka.admin import AdminClient

    from pipeline.settings import Settings

_CONNECT_SECONDS: Final = 5.0
_SILENCE_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.05
_FETCH: Final = 1000
_TOPIC_DENIED: Final = 29  # of Kafka's protocol, as the next two
_GROUP_DENIED: Final = 30
_CLUSTER_DENIED: Final = 31
DENIED_CODES: Final = frozenset({_TOPIC_DENIED, _GROUP_DENIED, _CLUSTER_DENIED})
MISSING_REMEDY: Final = (
    "roi migrate creates topics; where Kafka has access lists, they may be hidden from this user (DESCRIBE)"
)
# The library returns a list with a hole and sets an exception where a name is not UTF-8. A plain call, once the
# interpreter has made a fast path of it, does not look for the exception and reads the hole: a segmentation fault.
_HEADERS_OF: Final = methodcaller("headers")


@contextmanager
def answering(settings: Settings) -> Iterator[None]:
    """Turn a Kafka client's complaints into a `UserError` that names the broker and the remedy."""
    from confluent_kafka import KafkaException
    from kafka.errors import KafkaError

    try:
        yield
    except KafkaException as error:
        raise refusal(settings, error.args[0].code(), error.args[0].name()) from error
    except TimeoutError as error:
        raise unreachable(settings, "time is up") from error
    except KafkaError as error:
        raise refusal(settings, getattr(error, "errno", 0), type(error).__name__) from error


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it lies in a topic."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, str]


def read_topic(settings: Settings, topic: str) -> Iterator[Record]:
    """Yield every record of a topic, each partition in order, up to the end that the broker reports while reading.

    Nothing is committed and no group is joined. (ListOffsets is not asked: the embedded broker answers it wrongly.)

    Raises:
        UserError: the broker does not answer, or the topic is not there.
    """
    from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

    from pipeline.transport.security import reading_options

    consumer = Consumer(reading_options(settings) | {"enable.partition.eof": True})
    with closing(consumer), answering(settings):
        partitions = _partitions(consumer, topic, settings)
        consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
        yield from _until_ends(consumer, partitions, topic, settings)


def partition_counts(settings: Settings, timeout_seconds: float = _CONNECT_SECONDS) -> dict[str, int]:
    """Return how many partitions each topic has.

    Raises:
        UserError: the broker does not answer.
    """
    with answering(settings):
        topics = _admin(settings).list_topics(timeout=timeout_seconds).topics
    return {name: len(topic.partitions) for name, topic in topics.items()}


class GroupSeen(NamedTuple):
    """The workers' group: how many are in it, and how they share partitions out ("" while that is settled)."""

    members: int
    protocol: str


def group_seen(settings: Settings) -> GroupSeen | None:
    """Return who is in the consumer group now; None where the broker answers and does not tell.

    It does not tell before the group has a coordinator, as on a new Kafka, and nobody without rights on the group.

    Raises:
        UserError: the broker does not answer.
    """
    from confluent_kafka import KafkaException

    admin = _admin(settings)  # held until the answer is there: with the client the pending answer would go, too
    with answering(settings):
        asked = admin.describe_consumer_groups([settings.kafka_group], request_timeout=_CONNECT_SECONDS)
        try:
            group = asked[settings.kafka_group].result(2 * _CONNECT_SECONDS)
        except KafkaException as error:
            if error.args[0].code() > 0:  # the broker's own answer; what the client says itself is below
                return None
            raise
    return GroupSeen(len(group.members), str(group.partition_assignor or ""))


def _admin(settings: Settings) -> AdminClient:
    from confluent_kafka.admin import AdminClient

    from pipeline.transport.security import confluent_options

    return AdminClient(confluent_options(settings) | {"log_level": 0})


def check_readable(message: Message, settings: Settings) -> None:
    """Return if what a consumer outside of any group got does not say that its topic may not be read.

    Raises:
        ForbiddenError: the message says so.
    """
    fault = message.error()
    if fault is not None and fault.code() == _TOPIC_DENIED:
        raise denied(settings, f"reading {message.topic()}", fault.name())


def is_of_group(message: Message) -> bool:
    """Whether a message tells no more than that this user may not use the group.

    The client asks for the coordinator of the group that it is told, also where it assigns itself what it reads.
    """
    fault = message.error()
    return fault is not None and fault.code() == _GROUP_DENIED


def refusal(settings: Settings, code: int, why: str) -> UserError:
    """Return the error for what a Kafka client has raised."""
    return denied(settings, "what was asked", why) if code in DENIED_CODES else unreachable(settings, why)


def denied(settings: Settings, what: str, why: str) -> ForbiddenError:
    """Return the error for a broker that answers, and keeps something from this user."""
    user = f"user {settings.kafka_sasl_username}" if settings.kafka_sasl_username else "this user"
    return ForbiddenError(
        f"Kafka at {settings.kafka_bootstrap_servers} denies {user} {what} ({why})",
        "give it READ and DESCRIBE on the topics and on the group, WRITE on those that end in .dlq",
    )


def unreachable(settings: Settings, why: str) -> UnreachableError:
    """Return the error for a broker that does not answer."""
    # brokers hang up on a client that speaks or signs in wrongly: it looks like silence from here
    secured = settings.kafka_security_protocol != "PLAINTEXT"
    also = ", ROI_KAFKA_SECURITY_PROTOCOL, …_SASL_… or …_SSL_CAFILE" if secured else ""
    cause = f"Kafka does not answer at {settings.kafka_bootstrap_servers} ({why})"
    if settings.kafka_incarnation:  # of an embedded instance that runs, or was killed
        return UnreachableError(
            cause, "roi status --data DIR tells whether it is frozen; where none runs: roi up --embedded"
        )
    return UnreachableError(cause, f"start it (roi up --embedded) or correct ROI_KAFKA_BOOTSTRAP_SERVERS{also}")


def _partitions(consumer: Consumer, topic: str, settings: Settings) -> set[int]:
    described = consumer.list_topics(topic, timeout=_CONNECT_SECONDS).topics[topic]
    if described.error is not None:
        raise UserError(
            f"topic {topic} is not there on {settings.kafka_bootstrap_servers} ({described.error.str()})",
            MISSING_REMEDY,
        )
    return set(described.partitions)


def _until_ends(consumer: Consumer, partitions: set[int], topic: str, settings: Settings) -> Iterator[Record]:
    from confluent_kafka import KafkaError

    unfinished = set(partitions)
    heard = time.monotonic()
    while unfinished:
        messages = consumer.consume(_FETCH, timeout=_POLL_SECONDS)  # waits that long unless so many come at once
        if messages:
            heard = time.monotonic()
        elif time.monotonic() - heard > _SILENCE_SECONDS:
            raise UserError(f"topic {topic} went silent before its end", "check the broker, then try again")
        for message in messages:
            check_readable(message, settings)
            fault = message.error()
            if fault is None:
                yield Record(message.partition(), message.offset(), message.key(), message.value(), _headers(message))
            elif fault.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the library's own name for it
                unfinished.discard(message.partition())
            elif not is_of_group(message):
                raise UserError(f"topic {topic} cannot be read ({fault.str()})", "check the broker's health")


def _headers(message: Message) -> dict[str, str]:
    """Return a record's headers, none where a name is not UTF-8: those of dead letters, which matter, are."""
    try:
        return {name: value.decode(errors="replace") for name, value in _HEADERS_OF(message) or () if value}
    except (UnicodeDecodeError, SystemError):  # the library gives the first as the second's cause
        return {}
