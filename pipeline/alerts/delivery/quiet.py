"""Quiet hours: what the clock on the wall of a receiver shows. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Local times from ``begin`` (included) to ``end`` (not), over midnight where the end is the earlier one.

    They are judged by the local time alone: an hour that daylight saving repeats is quiet twice, one that it leaves out
    not at all.
    """

    begin: time
    end: time
    zone: ZoneInfo

    def __post_init__(self) -> None:
        """Refuse hours that would be none, or all."""
        if self.begin == self.end:
            raise ValueError("quiet hours begin and end at the same time")

    @classmethod
    def of(cls, text: str, zone: ZoneInfo) -> QuietHours:
        """Read ``HH:MM-HH:MM``.

        Raises:
            ValueError: it is not that, or begins when it ends.
        """
        begin, _, end = text.partition("-")
        return cls(time.fromisoformat(begin), time.fromisoformat(end), zone)

    def holds_at(self, now_ms: int) -> bool:
        """Tell whether it is quiet at an instant (epoch milliseconds)."""
        local = (_EPOCH + timedelta(milliseconds=now_ms)).astimezone(self.zone).time()
        if self.begin < self.end:
            return self.begin <= local < self.end
        return local >= self.begin or local < self.end


def milliseconds_to_next_minute(now_ms: int) -> int:
    """Return how long it takes until the clock on the wall shows something else, in every zone."""
    return _MINUTE_MS - now_ms % _MINUTE_MS
