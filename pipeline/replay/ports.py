"""Where a replay's records come from: topics, or files in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.transport.ports import TP, RecordBatch
    from pipeline.worker.ports import DimensionSource


class ReplaySource(Protocol):
    """Bounded logs of some partitions of the event topics, and the dimension tables; driven from one event loop.

    A shard's topics are asked for in turn, and several shards at the same time; there is never more than one call of
    `next_batch` for a partition at a time.
    """

    @property
    def dimensions(self) -> DimensionSource:
        """The dimension tables, fixed: the first `catch_up` after an `own` brings all of them, later ones nothing.

        Of the customers it brings those of the partitions that are owned, from the given offset on (None: all).
        `restart_campaigns` is never called.
        """

    async def start(self) -> None:
        """Open whatever is read."""

    async def stop(self) -> None:
        """Close it; called once after `start`, also when that has failed."""

    async def seek(self, positions: Mapping[TP, int]) -> None:
        """Read these partitions from these offsets on; what was read ahead of them is forgotten."""

    async def next_batch(self, tp: TP) -> RecordBatch | None:
        """Return the partition's next records in log order, None once its end is reached.

        `offsets` increase and may have gaps; `next_offset` never passes the partition's end. `partition_count` is that
        of the topic, for keys on the wrong partition; 0 where records have no partition of their own.

        Raises:
            UserError: the records cannot be had (any more).
        """


OpenSource = "Callable[[frozenset[TP]], ReplaySource]"
