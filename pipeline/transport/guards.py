"""Guards against input that must not be drained: floods of bad events, and keys spread by another hash."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

# another hash leaves at least half of the keys elsewhere (two partitions); murmur2 leaves none
STRAY_LIMIT: Final = 0.25
# and so many different keys are no accident of one customer or one record
FEWEST_STRAY_KEYS: Final = 16


class BadShareGuard:
    """Says when more than ``limit`` of the latest ``window`` events were bad; nothing is said before it is full."""

    def __init__(self, limit: float, window: int) -> None:
        self._most_bad = limit * window
        self._window = window
        self._groups: deque[tuple[int, int]] = deque()  # (good, bad) per observation, oldest first
        self._events = 0
        self._bad = 0

    @property
    def is_full(self) -> bool:
        """Whether there are enough events for a judgement."""
        return self._events >= self._window

    def observe(self, good: int, bad: int) -> bool:
        """Count the next events, and return whether the share of bad ones is over the limit.

        The window ends with whole observations: it covers the fewest of the latest ones that make it full.
        """
        self._groups.append((good, bad))
        self._events += good + bad
        self._bad += bad
        while self._events - sum(self._groups[0]) >= self._window:
            oldest_good, oldest_bad = self._groups.popleft()
            self._events -= oldest_good + oldest_bad
            self._bad -= oldest_bad
        return self.is_full and self._bad * self._window > self._most_bad * self._events


class PartitionerGuard:
    """Says when the misplaced keys are so many that the producer's partitioner must be another one.

    A single record, or a single customer's, never is: it takes `FEWEST_STRAY_KEYS` different keys and a share of
    `STRAY_LIMIT` of the latest ``window`` events (of all events while they are fewer).
    """

    def __init__(self, window: int) -> None:
        self._window = window
        self._groups: deque[tuple[int, tuple[int, ...]]] = deque()  # (events, hashes of misplaced keys)
        self._keys: Counter[int] = Counter()
        self.events = 0
        self.strays = 0

    def observe(self, events: int, stray_keys: Sequence[bytes]) -> bool:
        """Count the next events, and return whether their keys are spread by another hash."""
        hashes = tuple(map(hash, stray_keys))
        self._groups.append((events, hashes))
        self.events += events
        self.strays += len(hashes)
        self._keys.update(hashes)
        while self.events - self._groups[0][0] >= self._window:
            gone, gone_hashes = self._groups.popleft()
            self.events -= gone
            self.strays -= len(gone_hashes)
            for key in gone_hashes:
                self._keys[key] -= 1
                if not self._keys[key]:
                    del self._keys[key]
        return len(self._keys) >= FEWEST_STRAY_KEYS and self.strays > STRAY_LIMIT * self.events
