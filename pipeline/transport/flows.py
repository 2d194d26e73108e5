"""Which partitions flow, from which offset, and which deliveries still count: pure bookkeeping, no I/O.

A partition is *closed* from its assignment until it was taken over, and again after a failure. Every opening begins
a new opening, so whatever is still on its way from before is recognised as stale. Within an opening deliveries must
follow each other without a hole, whatever the queues in between did.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from pipeline.backoff import Backoff
from pipeline.transport.ports import TP, Delivery
from schemas.topics import LANE_OF_TOPIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

RETRIES: Final = Backoff(first_seconds=0.25, longest_seconds=10.0)


def shard_of(tp: TP) -> frozenset[TP]:
    """Return the partitions that share their state with ``tp``: same lane, same partition number."""
    lane = LANE_OF_TOPIC.get(tp.topic)
    return frozenset(TP(topic, tp.partition) for topic in (lane.events if lane else (tp.topic,)))


class Verdict(Enum):
    """What is to be done with a delivery."""

    CURRENT = auto()
    STALE = auto()  # of an earlier opening: drop it, its records are read again
    HOLE = auto()  # something before it was lost on the way: read again from the processor's position


@dataclass(slots=True)
class _Flow:
    opening: int
    position: int | None = None  # next offset expected from the queues; None = closed
    failures: int = 0
    due_at: float = 0.0


class Flows:
    """State of every assigned partition. ``now`` is in seconds of any monotonic clock."""

    def __init__(self) -> None:
        self._flows: dict[TP, _Flow] = {}
        self._last_opening = 0
        self._open: frozenset[TP] | None = None  # None: others have been opened or closed since it was asked for

    @property
    def assigned(self) -> frozenset[TP]:
        """All partitions that are assigned, open or closed."""
        return frozenset(self._flows)

    @property
    def open(self) -> frozenset[TP]:
        """The partitions that may be fetched."""
        if self._open is None:
            self._open = frozenset(tp for tp, flow in self._flows.items() if flow.position is not None)
        return self._open

    def assign(self, partitions: Iterable[TP]) -> None:
        """Add partitions, closed and due for a take-over; those already known are left alone."""
        for tp in partitions:
            if tp not in self._flows:
                self._flows[tp] = _Flow(self._new_opening())

    def revoke(self, partitions: Iterable[TP]) -> None:
        """Forget partitions; their deliveries are stale from now on."""
        for tp in partitions:
            self._flows.pop(tp, None)
        self._open = None

    def due(self, now: float) -> frozenset[TP]:
        """Return the closed partitions that are to be taken over now."""
        return frozenset(tp for tp, flow in self._flows.items() if flow.position is None and flow.due_at <= now)

    def next_due(self) -> float | None:
        """Return when the next closed partition falls due; None while all are open."""
        return min((flow.due_at for flow in self._flows.values() if flow.position is None), default=None)

    def openings(self, partitions: Iterable[TP]) -> dict[TP, int]:
        """Return the current openings of those partitions that are assigned."""
        return {tp: self._flows[tp].opening for tp in partitions if tp in self._flows}

    def opened(self, positions: Mapping[TP, int], openings: Mapping[TP, int]) -> None:
        """Open the partitions that are still in the opening their take-over began in."""
        for tp, position in positions.items():
            flow = self._flows.get(tp)
            if flow is not None and flow.opening == openings[tp]:
                flow.position = position
        self._open = None

    def verdict(self, delivery: Delivery) -> Verdict:
        """Tell whether a delivery is the next one of its partition."""
        flow = self._flows.get(delivery.batch.tp)
        if flow is None or flow.opening != delivery.opening or flow.position is None:
            return Verdict.STALE
        return Verdict.CURRENT if flow.position == delivery.start else Verdict.HOLE

    def done(self, delivery: Delivery) -> None:
        """Count a processed delivery; without effect when it became stale in the meantime."""
        if self.verdict(delivery) is Verdict.CURRENT:
            flow = self._flows[delivery.batch.tp]
            flow.position = delivery.batch.next_offset
            flow.failures = 0

    def close(self, partitions: Iterable[TP], due_at: float) -> frozenset[TP]:
        """Close the whole shards of the partitions until ``due_at`` and return what was closed."""
        shards = {partner for tp in partitions for partner in shard_of(tp) if partner in self._flows}
        for tp in shards:
            flow = self._flows[tp]
            flow.opening, flow.position, flow.due_at = self._new_opening(), None, due_at
        self._open = None
        return frozenset(shards)

    def failed(self, partitions: Iterable[TP], now: float, *, at_least: float = 0.0) -> float:
        """Close the partitions' shards for an exponentially growing time, and return it in seconds."""
        known = [tp for tp in partitions if tp in self._flows]
        for tp in known:
            self._flows[tp].failures += 1
        failures = max((self._flows[tp].failures for tp in known), default=1)
        delay = max(at_least, RETRIES.delay(failures))
        self.close(known, now + delay)
        return delay

    def _new_opening(self) -> int:
        self._last_opening += 1
        return self._last_opening
