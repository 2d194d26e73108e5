"""Lateness: a topic partition's watermark and the verdicts that depend on it alone (contract section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, Self, TypeVar

from pipeline.state.calendar import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

TOO_LATE: Final = "too_late"
FROM_THE_FUTURE: Final = "from_the_future"
ORPHAN_REVERSAL: Final = "orphan_reversal"
AHEAD: Final = "occurred_at is ahead of the wall clock"
NEVER: Final = -(1 << 62)
ALWAYS: Final = 1 << 62


class Refusal(NamedTuple):
    """A well-formed event that may not count: its offset and why. ``detail`` never holds a customer id."""

    offset: int
    reason: str
    detail: str
    event_id: str = ""


class TimeSpan(Protocol):
    """Event times that count."""

    def covers(self, at: int) -> bool:
        """Say whether an instant lies within."""


class EventColumns(Protocol):
    """What intake needs of any topic's columns."""

    offset: list[int]
    occurred_at: list[int]

    def select(self, keep: Sequence[bool]) -> Self:
        """Return the columns with only the rows marked True."""


Columns = TypeVar("Columns", bound=EventColumns)


class Intake:
    """Watermark and counts of one topic partition."""

    def __init__(self, lateness_ms: int, future_ms: int | None, span: TimeSpan | None = None) -> None:
        self._lateness_ms = lateness_ms
        self._future_ms = future_ms
        self._span = span
        # customers who had been erased: the offset from which their events count again (known to replays only)
        self.left_out_before: Mapping[bytes, int] = {}
        self.is_over = False  # no event will come any more: nothing has to be remembered for one
        self.watermark = NEVER
        self.accepted = 0
        self.duplicates = 0
        self.refused = 0

    @property
    def floor(self) -> int:
        """The earliest instant that is still in time."""
        return self.watermark - self._lateness_ms

    @property
    def horizon(self) -> int:
        """The earliest instant for which something has to be remembered: the floor, as long as events may come."""
        return ALWAYS if self.is_over else self.floor

    def screen(self, columns: Columns, now_ms: int | None) -> tuple[Columns, list[Refusal]]:
        """Judge a batch in log order; return what is in time and the refusals.

        ``now_ms`` None means replay: no event is from the future. What lies outside of the span moves the watermark
        and is neither returned nor refused.
        """
        in_time, refusals = self._judge(columns, now_ms)
        if self._span is None:
            return in_time, refusals
        covers = self._span.covers
        keep = [covers(at) for at in in_time.occurred_at]
        times = dict(zip(columns.offset, columns.occurred_at, strict=True)) if refusals else {}
        refusals = [refusal for refusal in refusals if covers(times[refusal.offset])]
        return (in_time if all(keep) else in_time.select(keep)), refusals

    def _judge(self, columns: Columns, now_ms: int | None) -> tuple[Columns, list[Refusal]]:
        times = columns.occurred_at
        if not times:
            return columns, []
        limit = None if now_ms is None or self._future_ms is None else now_ms + self._future_ms
        newest = max(times)
        if (limit is None or newest <= limit) and min(times) >= max(newest, self.watermark) - self._lateness_ms:
            self.watermark = max(newest, self.watermark)
            return columns, []
        return self._screen_each(columns, limit)

    def advance_to(self, watermark: int) -> None:
        """Set the watermark of a silent topic to where the lane's others are."""
        self.watermark = watermark

    def restore(self, watermark: int, accepted: int, duplicates: int, refused: int) -> None:
        """Go on where the former owner of the partition stopped."""
        self.watermark, self.accepted, self.duplicates, self.refused = watermark, accepted, duplicates, refused

    def refuse(self, records: int, *, accepted_before: bool = False) -> None:
        """Count records that do not count, malformed or not; an orphan was accepted before it had its verdict."""
        self.refused += records
        if accepted_before:
            self.accepted -= records

    def accept(self, columns: Columns, is_new: Sequence[bool]) -> Columns:
        """Count a screened batch; return it without the copies of events that have been counted before."""
        fresh = columns if all(is_new) else columns.select(is_new)
        self.accepted += len(fresh.offset)
        self.duplicates += len(is_new) - len(fresh.offset)
        return fresh

    def _screen_each(self, columns: Columns, limit: int | None) -> tuple[Columns, list[Refusal]]:
        keep: list[bool] = []
        refusals: list[Refusal] = []
        for offset, at in zip(columns.offset, columns.occurred_at, strict=True):
            if limit is not None and at > limit:
                keep.append(False)
                refusals.append(Refusal(offset, FROM_THE_FUTURE, AHEAD))
            elif at < self.floor:
                keep.append(False)
                behind = (self.watermark - at) / DAY_MS
                refusals.append(Refusal(offset, TOO_LATE, f"occurred_at is {behind:.2f} days behind the watermark"))
            else:
                keep.append(True)
                self.watermark = max(self.watermark, at)
        return columns.select(keep), refusals


class RecentIds:
    """Event ids still in time, kept by day so that whole days can be dropped."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._by_day: dict[int, list[str]] = {}

    def __len__(self) -> int:
        return len(self._seen)

    def is_duplicate(self, event_id: str, at: int) -> bool:
        """Say whether an id has been seen; remember it otherwise."""
        if event_id in self._seen:
            return True
        self._seen.add(event_id)
        day = at // DAY_MS
        ids = self._by_day.get(day)
        if ids is None:
            self._by_day[day] = [event_id]
        else:
            ids.append(event_id)
        return False

    def are_new(self, event_ids: Sequence[str], times: Sequence[int]) -> list[bool]:
        """Say of each id whether it is met for the first time, and remember it."""
        if times and min(times) // DAY_MS == max(times) // DAY_MS:
            # nearly every batch: all of one day, and no copies
            unique = set(event_ids)
            if len(unique) == len(event_ids) and self._seen.isdisjoint(unique):
                self._seen |= unique
                self._by_day.setdefault(times[0] // DAY_MS, []).extend(event_ids)
                return [True] * len(event_ids)
        is_duplicate = self.is_duplicate
        return [not is_duplicate(event_id, at) for event_id, at in zip(event_ids, times, strict=True)]

    def forget(self, ids: Iterable[str]) -> None:
        """Drop some ids: their events were erased, so a copy would be a new event."""
        self._seen.difference_update(ids)

    def forget_before(self, floor: int) -> None:
        """Drop the ids of days that end before ``floor``: their copies are too late anyway."""
        for day in [day for day in self._by_day if (day + 1) * DAY_MS <= floor]:
            self._seen.difference_update(self._by_day.pop(day))
