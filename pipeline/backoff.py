"""How long to wait before something that failed is tried again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_MOST_DOUBLINGS: Final = 30  # beyond any wait that is meant, and far from the end of a float


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double with every failure in a row, up to a longest one."""

    first_seconds: float
    longest_seconds: float

    def delay(self, failures: int) -> float:
        """Return the seconds to wait after so many failures in a row, counted from 1."""
        return min(self.longest_seconds, self.first_seconds * 2.0 ** min(failures - 1, _MOST_DOUBLINGS))
