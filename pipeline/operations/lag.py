"""How far the ledger is behind the topics: the comparison that `drain`, `status` and `demo` share."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pipeline.errors import UserError
from pipeline.operations.health import is_stalled
from schemas.topics import EVENT_TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pipeline.clickhouse.reader import Reader
    from pipeline.operations.health import Observations
    from pipeline.settings import Settings

_FIRST_BLOCK_SECONDS: Final = 6.0
_PAUSE_SECONDS: Final = 0.5
_WATCH_SECONDS: Final = 10.0  # a look at the logs' ends is a fetch of each partition on some brokers
_POSITIONS: Final = """
    SELECT topic, partition, topic_id, next_offset, watermark_ms, accepted, duplicates, dead_letters,
           toUnixTimestamp64Milli(written_at) AS written_ms
    FROM positions WHERE run = 'live' ORDER BY topic, partition
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """One partition: where its log ends and up to where the ledger has it.

    Attributes:
        next_offset: first offset that is not durable; 0 where the ledger has nothing of this life of the topic.
    """

    topic: str
    partition: int
    end_offset: int
    next_offset: int

    @property
    def lag(self) -> int:
        """Records that are in the topic and not yet in the ledger."""
        return max(0, self.end_offset - self.next_offset)

    @property
    def is_beyond_end(self) -> bool:
        """Whether more had been read than the topic holds: the broker has lost records."""
        return self.next_offset > self.end_offset


def positions(reader: Reader) -> list[dict[str, Any]]:
    """Return the live run's rows of the view ``positions``, with ``written_ms`` for the time of the last block."""
    return reader.rows(_POSITIONS)


def compare(
    ends: Mapping[tuple[str, int], int], topic_ids: Mapping[str, str], rows: Iterable[Mapping[str, Any]]
) -> list[Standing]:
    """Set the ledger's positions beside the topics' ends.

    A position of another life of a topic (recreated, or in the memory of a broker that was restarted) says nothing
    about this one: it counts as 0.
    """
    known = {
        (row["topic"], row["partition"]): row["next_offset"]
        for row in rows
        if row["topic_id"] == topic_ids.get(row["topic"])
    }
    return [
        Standing(topic, partition, end, known.get((topic, partition), 0))
        for (topic, partition), end in sorted(ends.items())
    ]


@dataclass(frozen=True, slots=True)
class LogEnds:
    """Where the event topics end at one moment, and which life of each topic that is."""

    ends: Mapping[tuple[str, int], int]
    topic_ids: Mapping[str, str]

    @property
    def records(self) -> int:
        """Number of offsets in the topics."""
        return sum(self.ends.values())

    def standings(self, rows: Iterable[Mapping[str, Any]]) -> list[Standing]:
        """Compare with the ledger's rows."""
        return compare(self.ends, self.topic_ids, rows)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for the workers.

    Attributes:
        rows: the live run's positions.
        standings: each partition.
        age_seconds: of the newest block; None = there is none.
    """

    rows: list[dict[str, Any]]
    standings: list[Standing]
    age_seconds: float | None

    @property
    def lag(self) -> int:
        """Records that wait."""
        return sum(one.lag for one in self.standings)


def waiting(settings: Settings, reader: Reader) -> Waiting:
    """Compare the ledger with the topics' ends.

    Raises:
        UserError: as from `log_ends`, or ClickHouse does not answer.
    """
    rows = positions(reader)
    return Waiting(rows, log_ends(settings).standings(rows), block_age_seconds(rows, time.time()))


def looked_again(
    seen: Observations,
    look: Callable[[], Waiting],
    *,
    monotonic: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> Observations:
    """Return what was seen; where records wait and nobody seems to read them, as it is some seconds later.

    They may have come an instant ago, after a quiet time: a worker that lives writes a block meanwhile.

    Raises:
        UserError: as from `look`.
    """
    deadline = monotonic() + _FIRST_BLOCK_SECONDS
    while is_stalled(seen) and monotonic() <= deadline:
        wait(_PAUSE_SECONDS)
        found = look()
        seen = replace(seen, lag=found.lag, block_age_seconds=found.age_seconds)
    return seen


class WatchedLag:
    """What waits for the workers, for who asks again and again: told once it waits in two looks that see no new block.

    Nobody is kept waiting for the second one, as by `looked_again`.
    """

    def __init__(self, look: Callable[[], Waiting], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._look = look
        self._monotonic = monotonic
        self._looked_at = -math.inf
        self._found: Waiting | None = None
        self._is_standing = False

    def noted_in(self, seen: Observations) -> Observations:
        """Return what was seen, with the lag where it stands; a server that does not answer is told by ``seen``."""
        if seen.unreachable:
            self._found, self._is_standing = None, False
            return seen
        if self._monotonic() - self._looked_at >= _WATCH_SECONDS:
            self._look_again()
            self._looked_at = self._monotonic()
        if self._found is None or not self._is_standing:
            return seen
        return replace(seen, lag=self._found.lag, block_age_seconds=self._found.age_seconds)

    def _look_again(self) -> None:
        before, found = self._found, None
        with suppress(UserError):  # it has stopped answering since, which the next look at all tells
            found = self._look()
        self._found = found
        self._is_standing = bool(before and found and before.lag and found.lag and before.rows == found.rows)


def block_age_seconds(rows: Iterable[Mapping[str, Any]], now: float) -> float | None:
    """Return the age of the newest block, given the wall clock in epoch seconds; None when there is no block."""
    newest = max((row["written_ms"] for row in rows), default=None)
    return None if newest is None else round(max(0.0, now - newest / 1000), 3)


def log_ends(settings: Settings) -> LogEnds:
    """Ask Kafka where the event topics end.

    Raises:
        UserError: the broker does not answer, or a topic is missing.
    """
    from pipeline.transport.admin import TopicAdmin
    from pipeline.transport.reading import MISSING_REMEDY, answering, partition_counts

    partition_counts(settings)  # complains within a few seconds where the broker is away or frozen
    with answering(settings), TopicAdmin(settings) as admin:
        topics = admin.topics()
        if missing := [topic for topic in EVENT_TOPICS if topic not in topics]:
            raise UserError(
                f"topics are missing at {settings.kafka_bootstrap_servers}: {', '.join(missing)}", MISSING_REMEDY
            )
        ends = {(tp.topic, tp.partition): end for tp, end in admin.end_offsets(EVENT_TOPICS).items()}
        # as the workers have it: the life of a memory-only broker is part of its topics' identity
        life = settings.kafka_incarnation
        return LogEnds(ends, {topic: life or topics[topic].topic_id for topic in EVENT_TOPICS})
