"""The dimension tables of a replay: read as they were when it began, and never again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.transport.dimensions import DimensionReader, DimensionRecord, DimensionUpdates
from pipeline.transport.partitioner import partition_of
from pipeline.transport.ports import TP
from schemas.topics import CAMPAIGNS, CUSTOMERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aiokafka import AIOKafkaConsumer

    from pipeline.settings import Settings


class FixedTables(DimensionReader):
    """Implements `pipeline.worker.ports.DimensionSource`: the topics up to given ends.

    Args:
        settings: how to connect.
        ends: how far each partition of the dimension topics is read.
        partition_count: that of the customers topic.
        is_erased: says of a key whether its customer is erased: no record of theirs counts, for each is of before.
        profiles: what takes the place of the customers topic, as key and value.
        without_campaigns: the run has definitions of its own; the topic's are none of them.
    """

    def __init__(  # noqa: PLR0913 - what the tables are read from, and what is left out
        self,
        settings: Settings,
        ends: Mapping[TP, int],
        partition_count: int,
        is_erased: Callable[[bytes], bool],
        *,
        profiles: Sequence[tuple[bytes, bytes]] | None = None,
        without_campaigns: bool = False,
    ) -> None:
        super().__init__(settings)
        self._fixed = ends
        self._partition_count = partition_count
        self._is_erased = is_erased
        self._profiles = profiles
        self._without_campaigns = without_campaigns
        self._owned: tuple[int, ...] = ()

    async def own(self, partitions: Mapping[int, int | None]) -> None:
        """Read these partitions of the customers topic, or the profiles that belong there."""
        self._owned = tuple(partitions)
        await super().own(partitions if self._profiles is None else {})

    async def catch_up(self) -> DimensionUpdates:
        """Return what has not been read yet of the tables."""
        found = await super().catch_up()
        campaigns = [record for record in found.campaigns if self._is_within(CAMPAIGNS, record)]
        customers = {
            partition: [record for record in records if self._is_within(CUSTOMERS, record)]
            for partition, records in found.customers.items()
        }
        positions = {tp: min(offset, self._fixed.get(tp, offset)) for tp, offset in found.next_offsets.items()}
        if self._profiles is not None:
            customers, self._owned = self._given(self._profiles), ()
        customers = {
            partition: [record for record in records if not self._is_erased(record.key or b"")]
            for partition, records in customers.items()
        }
        return DimensionUpdates([] if self._without_campaigns else campaigns, customers, positions)

    async def _ends(self, consumer: AIOKafkaConsumer, partitions: list[TP]) -> Mapping[TP, int]:
        del consumer
        return {tp: self._fixed.get(tp, 0) for tp in partitions}

    def _given(self, profiles: Sequence[tuple[bytes, bytes]]) -> dict[int, list[DimensionRecord]]:
        """Return the given profiles of the partitions that are owned, once."""
        found: dict[int, list[DimensionRecord]] = {partition: [] for partition in self._owned}
        for place, (key, value) in enumerate(profiles):
            partition = partition_of(key, self._partition_count)
            if partition in found:
                found[partition].append(DimensionRecord(key, value, partition, place))
        return found

    def _is_within(self, topic: str, record: DimensionRecord) -> bool:
        return record.offset < self._fixed.get(TP(topic, record.partition), 0)
