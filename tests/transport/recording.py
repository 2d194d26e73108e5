"""A processor that records what it is given and fails the test when the transport breaks its promises."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.transport.ports import TP, RecordBatch


@dataclass
class Store:
    """What all workers of a test share, as the ledger would: positions and taken records."""

    positions: dict[TP, int] = field(default_factory=dict)
    records: dict[TP, list[tuple[int, bytes | None]]] = field(default_factory=lambda: defaultdict(list))

    def values(self) -> list[bytes | None]:
        return [value for taken in self.records.values() for _, value in taken]

    def sorted_values(self) -> list[bytes]:
        return sorted(value for value in self.values() if value is not None)


async def _no_obstacle(batch: RecordBatch) -> None:
    """Let every batch through."""


class Recorder:
    def __init__(self, store: Store | None = None, obstacle: Callable[[RecordBatch], object] = _no_obstacle) -> None:
        self.store = store or Store()
        self.owned: set[TP] = set()
        self.ever_owned: list[frozenset[TP]] = []
        self.revocations: list[frozenset[TP]] = []
        self.breaches: list[str] = []
        self._obstacle = obstacle
        self._busy: set[TP] = set()

    async def assigned(self, partitions: frozenset[TP]) -> Mapping[TP, int | None]:
        self._expect(not partitions & self._busy, "assigned while a batch was being processed")
        self.owned |= partitions
        self.ever_owned.append(partitions)
        return {tp: self.store.positions.get(tp) for tp in partitions}

    async def revoked(self, partitions: frozenset[TP]) -> None:
        self._expect(not partitions & self._busy, "revoked while a batch was being processed")
        self.owned -= partitions
        self.revocations.append(partitions)

    async def process(self, batch: RecordBatch) -> None:
        tp = batch.tp
        self._expect(tp in self.owned, f"a batch of {tp}, which is not assigned")
        self._expect(tp not in self._busy, f"two batches of {tp} at once")
        position = self.store.positions.get(tp, 0)
        self._expect(not batch.offsets or batch.offsets[0] >= position, f"{tp} goes back before {position}")
        self._busy.add(tp)
        try:
            outcome = self._obstacle(batch)
            if asyncio.iscoroutine(outcome):
                await outcome
        finally:
            self._busy.discard(tp)
        self.store.records[tp] += zip(batch.offsets, batch.values, strict=True)
        self.store.positions[tp] = batch.next_offset

    def durable_position(self, tp: TP) -> int | None:
        return self.store.positions.get(tp)

    def _expect(self, holds: bool, otherwise: str) -> None:  # noqa: FBT001 - reads like an assertion
        if not holds:
            self.breaches.append(otherwise)
