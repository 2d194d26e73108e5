"""What a replay does not do: it halts no topic, and its dead letters are rows and no messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.transport.dead_letters import DeadLetter
    from pipeline.transport.ports import TP, RecordBatch
    from pipeline.worker.shard import BatchOutcome


class NoHalts:
    """Lets every topic pass; implements `pipeline.worker.ports.HaltGate`."""

    topics: frozenset[str] = frozenset()

    def is_counted(self, tp: TP) -> bool:
        """Tell whether the partition is part of the plan: nothing else is ever read."""
        del tp
        return True

    async def check(self, batch: RecordBatch) -> None:
        """Let it pass."""

    async def observe(self, topic: str, outcome: BatchOutcome) -> None:
        """Let it pass."""


class NoMessages:
    """Takes dead letters and sends none; implements `pipeline.worker.ports.DeadLetterSink` and `LetterRecall`."""

    async def write(self, letters: Sequence[DeadLetter]) -> None:
        """Leave it at the rows."""

    async def complete(self, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        """Return the letters: nobody reads their bytes."""
        return list(letters)


class PlannedPartitions:
    """The numbers of partitions that a plan was made with; implements `pipeline.worker.ports.PartitionNumbers`."""

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._counts = counts

    def of(self, topic: str) -> int:
        """Return the number of a topic, 0 while it is not known."""
        return self._counts.get(topic, 0)
