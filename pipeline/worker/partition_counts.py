"""How many partitions the ledger counts with: another number puts customers into other shards than their past."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from pipeline.errors import PipelineError
from pipeline.transport.ports import HaltKind, TopicHaltedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.ledger.ledger import LedgerPort
    from pipeline.worker.ports import LogInspector, TopicIdentity

_log = logging.getLogger(__name__)


class TopicUnsettledError(PipelineError):
    """A topic that is being made shows its partitions one by one: the batch must come again."""


class PartitionCounts:
    """The numbers that the first worker of this ledger found, and what is said when they change."""

    def __init__(self, ledger: LedgerPort, inspector: LogInspector) -> None:
        self._ledger = ledger
        self._inspector = inspector
        self._known: dict[str, int] = {}

    async def restore(self) -> None:
        """Read the numbers, and record those of topics that the ledger does not know yet."""
        found = await asyncio.to_thread(self._inspector.topics)
        self._known = dict(await asyncio.to_thread(self._fetch))
        for topic, identity in found.items():
            if topic not in self._known:
                await asyncio.to_thread(
                    self._ledger.execute, "record_partition_count", topic=topic, partitions=identity.partitions
                )
                self._known[topic] = identity.partitions

    def of(self, topic: str) -> int:
        """Return the number of a topic, 0 while it is not known."""
        return self._known.get(topic, 0)

    def is_counted(self, topic: str, partition: int) -> bool:
        """Tell whether the ledger counts with this partition."""
        return partition < self._known.get(topic, partition + 1)

    def check(self, topic: str, partition: int, partition_count: int) -> None:
        """Compare what a batch says of its topic; a count of 0 is not known.

        Raises:
            TopicHaltedError: the topic has more partitions than the ledger counts with.
            TopicUnsettledError: it seems to have fewer.
        """
        known = self._known.get(topic, partition_count)
        if known and max(partition_count, partition + 1) > known:
            raise _changed(topic, known, max(partition_count, partition + 1))
        if 0 < partition_count < known:
            raise TopicUnsettledError(f"{topic} is said to have {partition_count} of its {known} partitions just now")

    def changed(self, found: Mapping[str, TopicIdentity]) -> list[TopicHaltedError]:
        """Return what is to be said of the topics as they are now."""
        return [
            _changed(topic, known, found[topic].partitions)
            for topic, known in self._known.items()
            if topic in found and found[topic].partitions != known
        ]

    async def look_at(self, topic: str) -> TopicHaltedError | None:
        """Ask the broker how many partitions a topic has now; None if they are as many as ever, or it is silent."""
        try:
            found = await asyncio.to_thread(self._inspector.topics)
        except PipelineError as error:  # the broker is away: then the producer is to blame as far as is known
            _log.warning("partitions of %s not counted: %s", topic, error)
            return None
        return next((error for error in self.changed(found) if error.topic == topic), None)

    def _fetch(self) -> list[tuple[str, int]]:
        return [(topic, partitions) for topic, partitions in self._ledger.fetch("load_partition_counts")]


def _changed(topic: str, known: int, now: int) -> TopicHaltedError:
    what = "partitions were added" if now > known else "it has fewer partitions than before"
    return TopicHaltedError(
        topic,
        HaltKind.PARTITIONS_CHANGED,
        f"{what} ({known} → {now}), so records of one key would lie on two partitions",
        f"give it {known} partitions again, then roi resume {topic}, or count on with another number: docs/growing.md "
        "tells both ways; nothing is lost meanwhile",
    )
