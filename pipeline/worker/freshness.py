"""How old events are when they become visible: from the broker's timestamp to the acknowledgement of their block."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.transport.ports import TP, RecordBatch


class _Waiting(NamedTuple):
    """A batch that no acknowledged block holds yet."""

    next_offset: int
    oldest_ms: int


class Freshness:
    """Remembers one timestamp for each batch, its first record's, which is the oldest: the worst of its events."""

    def __init__(self) -> None:
        self._waiting: dict[TP, deque[_Waiting]] = {}

    def taken_in(self, batch: RecordBatch) -> None:
        """Note a batch; one that reaches less far than the last says that the partition was taken over anew."""
        if batch.stamped is None or batch.stamped[0] < 0:
            return
        waiting = self._waiting.setdefault(batch.tp, deque())
        if waiting and batch.next_offset <= waiting[-1].next_offset:
            waiting.clear()
        waiting.append(_Waiting(batch.next_offset, batch.stamped[0]))

    def made_durable(self, tp: TP, next_offset: int) -> Iterator[int]:
        """Yield the timestamps of the batches that are durable now, in epoch milliseconds."""
        waiting = self._waiting.get(tp)
        while waiting and waiting[0].next_offset <= next_offset:
            yield waiting.popleft().oldest_ms

    def keep(self, partitions: Iterable[TP]) -> None:
        """Forget all other partitions."""
        self._waiting = {tp: self._waiting[tp] for tp in partitions if tp in self._waiting}
