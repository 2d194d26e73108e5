"""What is yet to come, by the time it reaches Kafka: mostly at once, sometimes late, twice, or broken."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.simulation.wire import HOUR_MS
from schemas.topics import LOGINS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

_MEAN_DELAY_MS: Final = 60_000
_MEAN_REPEAT_MS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Irregularities:
    """Shares of the events that reach Kafka late, a second time, or with a broken twin (its own event id, if any)."""

    disorder: float = 0.02
    duplicates: float = 0.005
    bad: float = 0.001

    def __post_init__(self) -> None:
        if min(self.disorder, self.duplicates, self.bad) < 0 or self.disorder + self.duplicates + self.bad > 1:
            raise ValueError(f"{self}: shares must be at least 0 and sum to at most 1")

    @property
    def events_per_event(self) -> float:
        """How many records an event becomes on average."""
        return 1 + self.duplicates + self.bad


class Due(NamedTuple):
    """A record and when it reaches Kafka (epoch milliseconds); never before the event happened."""

    at_ms: int
    sequence: int
    topic: str
    key: bytes
    value: bytes


class Schedule:
    """A queue of records by due time; equal times keep the order in which they were put."""

    def __init__(self, rng: Random, irregularities: Irregularities, id_prefix: str) -> None:
        self._rng = rng
        self._late_below = irregularities.disorder
        self._twice_below = self._late_below + irregularities.duplicates
        self._bad_below = self._twice_below + irregularities.bad
        self._id_prefix = id_prefix
        self._ids = 0
        self._sequence = 0
        self._queue: list[Due] = []

    def new_id(self) -> str:
        """Return an event id that no other event of this simulation has."""
        self._ids += 1
        return f"{self._id_prefix}{self._ids:x}"

    def put(self, at_ms: int, topic: str, key: bytes, value: bytes) -> None:
        """Add an event that happens at ``at_ms``."""
        draw = self._rng.random()
        if draw >= self._bad_below:
            self._push(at_ms, topic, key, value)
        elif draw < self._late_below:
            delay = min(HOUR_MS, int(self._rng.expovariate(1 / _MEAN_DELAY_MS)))
            self._push(at_ms + delay, topic, key, value)
        elif draw < self._twice_below:
            self._push(at_ms, topic, key, value)
            self._push(at_ms + int(self._rng.expovariate(1 / _MEAN_REPEAT_MS)), topic, key, value)
        else:
            self._push(at_ms, topic, key, value)
            self._push(at_ms, topic, key, self._broken(topic, value))

    def due_until(self, end_ms: float) -> Iterator[Due]:
        """Yield and forget what is due at or before ``end_ms``, in order."""
        queue = self._queue
        while queue and queue[0][0] <= end_ms:
            yield heappop(queue)

    def _push(self, at_ms: int, topic: str, key: bytes, value: bytes) -> None:
        self._sequence += 1
        heappush(self._queue, Due(at_ms, self._sequence, topic, key, value))

    def _broken(self, topic: str, value: bytes) -> bytes:
        """Return JSON with the same key that breaks the schema in one of the usual ways."""
        breaks = (
            (b'"event_id"', b'"id"'),
            (b'"occurred_at":"', b'"occurred_at":"on '),
            (b'"event_id":', b'"currency":"XTS","event_id":'),
        )
        old, new = breaks[self._rng.randrange(2 if topic == LOGINS else 3)]  # a login has no currency
        return value.replace(old, new, 1)
