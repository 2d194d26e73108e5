"""What the worker needs from outside besides the batches that the transport delivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.ledger.loader import Loaded
    from pipeline.transport.dead_letters import DeadLetter
    from pipeline.transport.dimensions import DimensionUpdates
    from pipeline.transport.ports import TP, RecordBatch
    from pipeline.worker.shard import BatchOutcome, OwnedShard


class DeadLetterSink(Protocol):
    """Takes bad records; what it has acknowledged is never lost."""

    async def write(self, letters: Sequence[DeadLetter]) -> None:
        """Return when the broker has stored all letters; raising means that they must be written again."""


class DimensionSource(Protocol):
    """The dimension tables (contract section 3)."""

    async def own(self, partitions: Mapping[int, int | None]) -> None:
        """Read exactly these partitions of the customers topic, each from an offset (None: the beginning)."""

    async def catch_up(self) -> DimensionUpdates:
        """Return what has come since the last call, up to everything that was there when this call began."""

    async def restart_campaigns(self) -> None:
        """Read the campaigns topic from its beginning: it is another topic than before."""


class LogExtent(NamedTuple):
    """What a partition's log holds: offsets in [start, end), and the identity of the topic ('' if it has none)."""

    start: int
    end: int
    topic_id: str


class TopicIdentity(NamedTuple):
    """Which life of a topic this is ('' where the broker does not tell), and its number of partitions."""

    topic_id: str
    partitions: int


class LogInspector(Protocol):
    """Looks into logs, so that a recreated or cut topic is noticed and an old record can be shown again. May block."""

    def topics(self) -> Mapping[str, TopicIdentity]:
        """Return the input topics that exist."""

    def extents(self, partitions: frozenset[TP]) -> Mapping[TP, LogExtent]:
        """Return what the partitions' logs hold, without partitions that do not exist."""

    def recall(self, tp: TP, offset: int) -> tuple[bytes | None, bytes | None] | None:
        """Return key and value of one record, None if the log holds it no more."""


class LetterRecall(Protocol):
    """Completes dead letters whose bytes are not in memory any more."""

    async def complete(self, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        """Return the letters with the bytes of their records."""


class Positions(Protocol):
    """Where shards are read from after a take-over."""

    async def resolve(self, shards: list[OwnedShard], loaded: Loaded) -> None:
        """Set the next offsets and topic identities of shards that were loaded from the ledger."""

    async def review(self, shards: list[OwnedShard]) -> None:
        """Do the same for shards that go on with the state they have."""


class HaltGate(Protocol):
    """Which topics may be read on."""

    @property
    def topics(self) -> frozenset[str]:
        """The topics that are halted."""

    def is_counted(self, tp: TP) -> bool:
        """Tell whether the ledger counts with this partition."""

    async def check(self, batch: RecordBatch) -> None:
        """Let nothing of a halted topic pass; returning, it has not given way to anything else.

        Raises:
            TopicHaltedError: the topic is halted.
        """

    async def observe(self, topic: str, outcome: BatchOutcome) -> None:
        """Count a batch that was taken in.

        Raises:
            TopicHaltedError: no more of this topic may be taken in.
        """


class PartitionNumbers(Protocol):
    """How many partitions topics have for this ledger."""

    def of(self, topic: str) -> int:
        """Return the number of a topic, 0 while it is not known."""
