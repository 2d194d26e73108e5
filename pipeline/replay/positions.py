"""Where a replay's shards are read from: the ledger's positions of its run, or the logs' beginning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import UserError
from pipeline.transport.ports import TP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.ledger.loader import Loaded
    from pipeline.replay.plan import Plan
    from pipeline.worker.shard import OwnedShard
    from pipeline.worker.verdicts import ClockVerdicts


class PlannedPositions:
    """Implements `pipeline.worker.ports.Positions`, and tells shards what live had decided by its clock."""

    def __init__(self, plan: Plan, verdicts: Mapping[TP, ClockVerdicts]) -> None:
        self._logs = {log.tp: log for log in plan.logs}
        self._tables = {table.tp: table for table in plan.tables}
        self._verdicts = verdicts

    async def resolve(self, shards: list[OwnedShard], loaded: Loaded) -> None:
        """Set the next offsets of shards that were loaded from the ledger.

        Raises:
            UserError: the run has read another life of a topic.
        """
        for shard in shards:
            shard.repeat({tp.topic: verdicts for tp, verdicts in self._verdicts.items() if self._is_of(shard, tp)})
            for topic in shard.lane.topics:
                part = self._logs.get(TP(topic, shard.partition)) or self._tables.get(TP(topic, shard.partition))
                stored = loaded.positions.get((shard.number, topic))
                if part is not None:
                    shard.topic_ids[topic] = part.topic_id
                if stored is not None:
                    if part is not None and stored.topic_id != part.topic_id:
                        raise UserError(
                            f"{topic} was recreated since this run began",
                            "roi runs drop the run, then replay what there is now",
                        )
                    shard.next_offset[topic] = shard.durable[topic] = stored.next_offset
                elif part is not None and topic in shard.lane.events:
                    shard.next_offset[topic] = part.start

    async def review(self, shards: list[OwnedShard]) -> None:
        """Nothing moves under a replay."""

    @staticmethod
    def _is_of(shard: OwnedShard, tp: TP) -> bool:
        return tp.partition == shard.partition and tp.topic in shard.lane.events
