"""Garbage of the evaluator, beside ten thousand campaigns that are known for as long as it runs."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

COLLECT_SECONDS: Final = 60.0


class Garbage:
    """Keeps what is known out of the automatic collector's sight, which would go over all of it within a look.

    A look makes some hundred thousand objects that soon go by themselves; nothing of them is a cycle. What has become
    one since the last time is found here, when nobody waits for a look.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next = clock()

    def collect(self) -> None:
        """Collect all garbage, at most once a minute: with ten thousand campaigns that takes 0.2 s."""
        if self._clock() < self._next:
            return
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._next = self._clock() + COLLECT_SECONDS
