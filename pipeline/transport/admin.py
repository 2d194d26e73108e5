"""Topics as the contract wants them: made explicitly, checked, described.

The one use of kafka-python, a dependency that the project was asked to have: its admin client is plain and synchronous,
and speaks to Kafka and Tansu alike. Events go through aiokafka (Faust's), commands read and write by librdkafka.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError

from pipeline.errors import UnreachableError, UserError
from pipeline.transport.bounds import LogBounds, log_bounds
from pipeline.transport.ports import TP
from pipeline.transport.security import client_options
from schemas.topics import ALL_TOPICS, CUSTOMER_KEYED_TOPICS, INPUT_TOPICS, cleanup_policy, dead_letter_topic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from pipeline.settings import Settings

BOOTSTRAP_MS: Final = 10_000
DAY_MS: Final = 86_400_000
DEAD_LETTER_TOPICS: Final = tuple(dead_letter_topic(topic) for topic in INPUT_TOPICS)
DEAD_LETTER_PARTITIONS: Final = 1
# a dead letter is an input message, at most 1 MiB by Kafka's default, plus its headers
DEAD_LETTER_BYTES: Final = 2 * 1024 * 1024
REPLICAS_FOR_QUORUM: Final = 3


class TopicInfo(NamedTuple):
    """An existing topic. ``topic_id`` is a UUID that no recreated topic shares, '' where the broker gives none."""

    name: str
    topic_id: str
    partitions: int


class TopicAdmin:
    """A connection for managing topics; a context manager.

    Raises:
        UserError: no broker answers.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        try:
            self._client = KafkaAdminClient(**client_options(settings), bootstrap_timeout_ms=BOOTSTRAP_MS)
        except (KafkaError, OSError) as error:
            raise UnreachableError(
                f"no Kafka broker answers at {settings.kafka_bootstrap_servers} ({type(error).__name__})",
                "start one (roi up) or set ROI_KAFKA_BOOTSTRAP_SERVERS",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def topics(self) -> dict[str, TopicInfo]:
        """Return all topics but the broker's own, by name."""
        return {
            topic["name"]: TopicInfo(topic["name"], _topic_id(topic), len(topic["partitions"]))
            for topic in self._client.describe_topics()
            if not topic["is_internal"] and not topic["error_code"]
        }

    def create_missing(self) -> list[str]:
        """Create those of the contract's topics that are missing, and return their names.

        Existing topics are left as they are, and missing customer-keyed ones get as many partitions as their kin.

        Raises:
            UserError: existing customer-keyed topics differ in their number of partitions, or one was refused.
        """
        existing = self.topics()
        customer_partitions = check_co_partitioned(existing) or self._settings.kafka_partitions
        missing = [name for name in (*ALL_TOPICS, *DEAD_LETTER_TOPICS) if name not in existing]
        if missing:
            self._create({name: self._definition(name, customer_partitions) for name in missing})
        return missing

    def log_bounds(self, topics: Iterable[str]) -> dict[TP, LogBounds]:
        """Return where the log of each partition of these topics begins and ends; missing topics are left out."""
        existing = self.topics()
        found = [existing[name] for name in topics if name in existing]
        partitions = [TP(topic.name, number) for topic in found for number in range(topic.partitions)]
        return log_bounds(self._settings, partitions)

    def end_offsets(self, topics: Iterable[str]) -> dict[TP, int]:
        """Return the next offset after the last of each partition of these topics."""
        return {tp: bounds.end for tp, bounds in self.log_bounds(topics).items()}

    def _create(self, definitions: Mapping[str, Mapping[str, Any]]) -> None:
        try:
            answer = self._client.create_topics(dict(definitions), raise_errors=False)
            refused = [
                f"{topic['name']} ({topic['error_message'] or topic['error_code']})"
                for topic in answer["topics"]
                if topic["error_code"] not in {0, TopicAlreadyExistsError.errno}
            ]
            if refused:
                raise UserError(
                    f"the broker refused to create {', '.join(refused)}",
                    "correct the kafka settings (roi doctor prints them) or create the topics by hand",
                )
            self._client.wait_for_topics(list(definitions))
        except KafkaError as error:
            raise UserError(
                f"creating topics failed ({type(error).__name__})", "check the broker and this user's rights"
            ) from error

    def _definition(self, name: str, customer_partitions: int) -> dict[str, Any]:
        return {
            "num_partitions": self._partitions(name, customer_partitions),
            "replication_factor": self._settings.kafka_replication_factor,
            "configs": self._configs(name),
        }

    def _partitions(self, name: str, customer_partitions: int) -> int:
        if name in DEAD_LETTER_TOPICS:
            return DEAD_LETTER_PARTITIONS
        return customer_partitions if name in CUSTOMER_KEYED_TOPICS else self._settings.kafka_partitions

    def _configs(self, name: str) -> dict[str, str]:
        policy = cleanup_policy(name)
        configs: dict[str, str] = {"cleanup.policy": policy}
        if policy == "delete":
            configs["retention.ms"] = str(int(self._settings.kafka_retention_days * DAY_MS))
        else:
            configs |= {"min.cleanable.dirty.ratio": "0.1", "segment.ms": str(DAY_MS)}  # old versions go within days
        if name in DEAD_LETTER_TOPICS:
            configs["max.message.bytes"] = str(DEAD_LETTER_BYTES)
        if self._settings.kafka_replication_factor >= REPLICAS_FOR_QUORUM:
            configs["min.insync.replicas"] = "2"
        return configs


def check_co_partitioned(existing: Mapping[str, TopicInfo]) -> int | None:
    """Return the partition count that the existing customer-keyed topics share; None while there is none.

    Raises:
        UserError: they differ, so one customer's events would not meet in one worker.
    """
    counts = {name: existing[name].partitions for name in CUSTOMER_KEYED_TOPICS if name in existing}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name} {count}" for name, count in counts.items())
        most = max(counts.values())
        raise UserError(
            f"customer-keyed topics must have equal numbers of partitions, but have: {listed}",
            f"recreate those with fewer with {most} (added partitions would move customers)",
        )
    return next(iter(counts.values()), None)


def _topic_id(topic: Mapping[str, Any]) -> str:
    identity = str(topic.get("topic_id") or "")
    return "" if set(identity) <= {"0", "-"} else identity
