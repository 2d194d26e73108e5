"""Whose records are taken next of what a fetch has brought.

A broker's answer holds up to a megabyte of each partition. Taken one after another, a shard's payments of days would
be counted before the touches that led to them, and most credits given anew with each late touch: under five models a
backlog took a quarter to a half longer. So the topics of one shard advance together, by their records' Kafka
timestamps. That is an order of work and nothing else: every order gives the same numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.transport.packed import Packed
from schemas.topics import TOUCHES, TRANSACTIONS

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from pipeline.transport.ports import TP
    from pipeline.transport.runs import Run

SLICE_RECORDS: Final = 1_000
"""How many touches or transactions of a partition are taken before another topic of its shard may be next."""
_LONG_SLICE_RECORDS: Final = 5_000  # of topics whose order changes no credit: each slice costs some microseconds
PATIENCE_SLICES: Final = 20
"""A partition's turn comes at last when others of its shard have had so many: timestamps may be wrong."""
PATIENCE_ROUNDS: Final = 4
"""A shard of which something is under way has its turn at last when all have had so many."""
_CREDITED: Final = (TOUCHES, TRANSACTIONS)
_UNKNOWN: Final = -1


class Turns:
    """Serves shards in turn, and within one the topic that is furthest behind.

    Shards do not wait for each other: one may have a backlog that another worker has left.
    """

    def __init__(self) -> None:
        self._calls = 0
        self._served: dict[int, int] = {}  # by partition number: the call that took of it last
        self._reached: dict[TP, int] = {}  # the timestamp of the last record taken, epoch milliseconds
        self._passed: dict[TP, int] = {}  # slices that others of the shard have had since its own last one

    def shards(self, arrived: Iterable[TP], under_way: Container[int] = ()) -> list[list[TP]]:
        """Return the partitions by shard, in the order in which shards are served; of two new ones as they arrived.

        Args:
            arrived: those of which there is something.
            under_way: numbers of partitions of which some topic has more that has not arrived yet: they come last, but
                for a few rounds only.
        """
        self._calls += 1
        shards: dict[int, list[TP]] = {}
        for tp in arrived:
            shards.setdefault(tp.partition, []).append(tp)
        for number in shards:
            self._served.setdefault(number, self._calls - 1)
        patient = self._calls - PATIENCE_ROUNDS * len(shards)  # what is under way may never come
        order = sorted(
            shards, key=lambda number: (number in under_way and self._served[number] > patient, self._served[number])
        )
        return [shards[number] for number in order]

    def next_of(self, shard: Sequence[TP], now_ms: int) -> TP:
        """Return which of a shard's partitions is next."""
        waits_longest = max(shard, key=lambda tp: self._passed.get(tp, 0))
        if self._passed.get(waits_longest, 0) >= PATIENCE_SLICES:
            return waits_longest
        return min(shard, key=lambda tp: (self._place(tp, now_ms), order_of(tp)))

    def took(self, tp: TP, runs: Sequence[Run], shard: Iterable[TP]) -> None:
        """Note what was taken of a partition while these of its shard had something."""
        self._served[tp.partition] = self._calls
        for other in shard:
            self._passed[other] = 0 if other == tp else self._passed.get(other, 0) + 1
        if runs:
            self._reached[tp] = _last_timestamp(runs[-1])

    def _place(self, tp: TP, now_ms: int) -> int:
        reached = self._reached.get(tp, _UNKNOWN)
        return reached if reached <= now_ms else _UNKNOWN  # a clock that is ahead tells nothing


def slice_records(tp: TP) -> int:
    """Return how many records of a partition are taken at a time."""
    return SLICE_RECORDS if tp.topic in _CREDITED else _LONG_SLICE_RECORDS


def order_of(tp: TP) -> int:
    """Return where a partition's batch stands among those of one fetch: touches before what they may have led to."""
    return 0 if tp.topic == TOUCHES else 1


def _last_timestamp(run: Run) -> int:
    if isinstance(run, Packed):
        return int(run.rows["timestamp"][-1]) if len(run) else _UNKNOWN
    stamp = run[-1].timestamp if run else None  # records of the oldest format have none
    return _UNKNOWN if stamp is None else int(stamp)
