"""While a backlog is read, looks wait: each would read what is new in it, at the cost of the blocks it waits for.

A campaign cannot be judged meanwhile in any case: what is durable is a part of what is there, which `FeedWatch` tells
as a fault. A look is still taken now and then, so that a board shows how far it has come and a fault is told.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pipeline.alerts.fault_history import Ends
    from pipeline.alerts.record import AlertRecord, Look

POSTPONED_SECONDS: Final = 20.0
"""So long no look is taken at most."""
FEWEST_WAITING: Final = 200_000
"""So many records wait in a backlog at least: as many as a block of a worker holds at most, or more."""
_READ_SECONDS: Final = 1.0  # what waits for less at the speed of reading is what comes between two blocks
_STILL_SECONDS: Final = 10.0  # after so long without a block nobody reads it, and looks tell what is at fault


class Backlog:
    """Tells by how much waits, and how fast it is read, whether what waits is a backlog. Pure."""

    def __init__(self) -> None:
        self._durable: deque[tuple[float, int]] = deque()

    def may_be(self, ends: Ends) -> bool:
        """Tell whether there can be one, given how much was durable when it was asked last."""
        return not self._durable or sum(ends.values()) - self._durable[-1][1] > FEWEST_WAITING

    def is_read(self, seconds: float, ends: Ends, durable: Ends) -> bool:
        """Note how far the ledger is, and tell whether workers are reading a backlog.

        Args:
            seconds: now, by this process's clock.
            ends: where the logs ended.
            durable: how far the ledger is.
        """
        waiting = sum(max(0, end - durable.get(key, 0)) for key, end in ends.items())
        self._durable.append((seconds, sum(durable.get(key, 0) for key in ends)))
        while len(self._durable) > 1 and seconds - self._durable[1][0] >= _STILL_SECONDS:
            self._durable.popleft()
        (then, before), (_, now) = self._durable[0], self._durable[-1]
        if waiting <= FEWEST_WAITING:
            return False
        if now <= before:  # nothing is read: a worker may be about to begin
            return seconds - then < _STILL_SECONDS
        return waiting > _READ_SECONDS * (now - before) / (seconds - then)


class Looking(Protocol):
    """Who looks at campaigns."""

    def look(self, records: Mapping[str, AlertRecord]) -> Sequence[Look]:
        """Return a look at every campaign."""


class Reading(Protocol):
    """Who watches the feeds and tells whether a backlog is read.

    Attributes:
        noted: as in `pipeline.alerts.evaluator.Looks`.
    """

    noted: dict[str, Any]

    def go_on_from(self, noted: Mapping[str, Any]) -> None:
        """Go on from what another instance has noted."""

    def is_backlog_read(self) -> bool:
        """Note how far the feeds are, and tell whether workers are reading a backlog.

        May raise LedgerUnavailableError and be asked again.
        """


class PostponedLooks:
    """Implements `pipeline.alerts.evaluator.Looks`: looks of somebody, but at most now and then during a backlog.

    Args:
        looks: what is looked with.
        reading: whether a backlog is read.
        monotonic: this process's clock.
    """

    def __init__(self, looks: Looking, reading: Reading, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._looks = looks
        self._reading = reading
        self._monotonic = monotonic
        self._looked = monotonic()

    @property
    def noted(self) -> dict[str, Any]:
        """What an instance that takes over has to know of the feeds."""
        return self._reading.noted

    def go_on_from(self, noted: Mapping[str, Any]) -> None:
        """Go on from what the instance that decided before has noted."""
        self._reading.go_on_from(noted)

    def look(self, records: Mapping[str, AlertRecord]) -> Sequence[Look]:
        """Return a look at every campaign, or none: then every alert stays as it is."""
        if self._monotonic() - self._looked < POSTPONED_SECONDS and self._reading.is_backlog_read():
            return []
        found = self._looks.look(records)
        self._looked = self._monotonic()
        return found
