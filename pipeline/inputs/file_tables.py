"""Dimension tables out of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.transport.dimensions import DimensionRecord, DimensionUpdates
from pipeline.transport.ports import TP
from schemas.topics import CUSTOMERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class FileTables:
    """Implements `pipeline.worker.ports.DimensionSource`: brings everything once, and nothing later.

    Args:
        campaigns: the definitions.
        profiles: returns the profiles of a partition.
        is_erased: says of a key whether its customer is erased: no record of theirs counts.
    """

    def __init__(
        self,
        campaigns: Sequence[DimensionRecord],
        profiles: Callable[[int], Sequence[DimensionRecord]],
        is_erased: Callable[[bytes], bool],
    ) -> None:
        self._campaigns = list(campaigns)
        self._profiles = profiles
        self._is_erased = is_erased
        self._owned: tuple[int, ...] = ()

    async def own(self, partitions: Mapping[int, int | None]) -> None:
        """Bring the profiles of these partitions with the next call of `catch_up`."""
        self._owned = tuple(partitions)

    async def catch_up(self) -> DimensionUpdates:
        """Return what has not been brought yet."""
        campaigns, self._campaigns = self._campaigns, []
        owned, self._owned = self._owned, ()
        customers = {partition: self._of(partition) for partition in owned}
        ends = {TP(CUSTOMERS, partition): records[-1].offset + 1 for partition, records in customers.items() if records}
        return DimensionUpdates(campaigns, customers, ends)

    async def restart_campaigns(self) -> None:
        """Files have one life only."""

    def _of(self, partition: int) -> list[DimensionRecord]:
        return [record for record in self._profiles(partition) if not self._is_erased(record.key or b"")]
