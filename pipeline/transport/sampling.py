"""Guard against floods of bad events, which must not be drained."""

from __future__ import annotations

from collections import deque


class BadShareGuard:
    """Says when more than ``limit`` of the latest ``window`` events were bad; nothing is said before it is full."""

    def __init__(self, limit: float, window: int) -> None:
        self._most_bad = limit * window
        self._window = window
        self._groups: deque[tuple[int, int]] = deque()  # (good, bad) per observation, oldest first
        self._events = 0
        self._bad = 0

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
        return self._events >= self._window and self._bad * self._window > self._most_bad * self._events
