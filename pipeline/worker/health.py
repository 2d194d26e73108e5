"""Whether a worker does its work, as `/healthz` tells it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipeline.worker.shard import OwnedShard

SILENT_SECONDS: Final = 25.0
STUCK_SECONDS: Final = 60.0  # a take-over of millions of customers holds the cycle up for some seconds
_TOLD: Final = 3  # partitions that are read again and again


class Health:
    """What the parts of a worker note; read from another thread, so every attribute is replaced, never changed.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._cycle: float | None = None
        self._block: datetime | None = None
        self._shards: Sequence[OwnedShard] | None = None
        self._faults: dict[str, str] = {}
        self._answered: dict[str, float] = {}
        self.halted: Callable[[], Iterable[str]] = tuple
        self.shut_out: Callable[[], str] = str
        self.read_again: Callable[[], Iterable[str]] = tuple

    def cycle_done(self) -> None:
        """Note a turn of the commit cycle, with or without something to write."""
        self._cycle = self._clock()

    def block_written(self) -> None:
        """Note an acknowledged block."""
        self._block = datetime.now(UTC)

    def owns(self, shards: Iterable[OwnedShard]) -> None:
        """Note what is owned, which may be nothing; until it is known the worker is starting."""
        self._shards = tuple(shards)

    def failing(self, part: str, reason: str) -> None:
        """Note why something that the worker needs does not work; it stands until `working`."""
        self._faults = self._faults | {part: reason}

    def working(self, part: str) -> None:
        """Take a part's fault back."""
        if part in self._faults:
            self._faults = {name: reason for name, reason in self._faults.items() if name != part}

    def answered(self, server: str) -> None:
        """Note an answer of a server that is asked every few seconds; silence becomes a reason from now on."""
        self._answered = self._answered | {server: self._clock()}
        self.working(server)

    @property
    def cycle_age(self) -> float:
        """Seconds since the last turn of the commit cycle, or since the start while there was none."""
        return self._clock() - (self._began if self._cycle is None else self._cycle)

    def reasons(self) -> list[str]:
        """Return what is wrong; nothing = the worker does its work."""
        found = [f"{part}: {reason}" for part, reason in sorted(self._faults.items())]
        now = self._clock()
        for server, at in sorted(self._answered.items()):
            if now - at > SILENT_SECONDS and server not in self._faults:
                found.append(f"{server}: no answer for {now - at:.0f} s")
        if shut_out := self.shut_out():
            found.append(shut_out)
        if self.cycle_age > STUCK_SECONDS:
            found.append(f"commit cycle: no turn for {self.cycle_age:.0f} s")
        broken = [_name(shard) for shard in self._shards or () if shard.is_broken]
        if broken:
            found.append(f"shards: the state of {', '.join(broken)} was dropped and is to be taken over again")
        causes = list(self.read_again())
        found += [f"read again and again: {cause}" for cause in causes[:_TOLD]]
        if len(causes) > _TOLD:  # mostly the partitions of one topic
            found.append(f"read again and again: {len(causes) - _TOLD} more")
        found += [f"{topic}: halted (roi status tells why, roi resume {topic})" for topic in sorted(self.halted())]
        return found

    def report(self) -> dict[str, Any]:
        """Return the answer of `/healthz`; its ``status`` is ``ok``, ``starting`` or ``failing``."""
        reasons = self.reasons()
        status = "failing" if reasons else "starting" if self._cycle is None or self._shards is None else "ok"
        return {
            "status": status,
            "seconds_since_last_cycle": round(self.cycle_age, 3),
            "last_block_at": None if self._block is None else self._block.isoformat(timespec="milliseconds"),
            "shards": sorted(_name(shard) for shard in self._shards or ()),
            "reasons": reasons,
        }


def _name(shard: OwnedShard) -> str:
    return f"{shard.lane.name}/{shard.partition}"
