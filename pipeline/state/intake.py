"""Lateness: a topic partition's watermark and the verdicts that depend on it alone (contract section 3)."""

from __future__ import annotations

from collections import deque
from itertools import repeat
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, Self, TypeAlias, TypeVar

import numpy as np

from pipeline.state.calendar import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy.typing as npt

    Instants: TypeAlias = npt.NDArray[np.int64]

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

    @property
    def occurred_at(self) -> Sequence[int] | Instants:
        """The events' times, epoch milliseconds."""

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
        self._screened: tuple[int, list[int], Instants] = (NEVER, [], _instants([]))  # of the last batch, for `floors`

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
        before, times = self.watermark, _instants(columns.occurred_at)
        in_time, refusals = self._judge(columns, times, now_ms)
        times_in_time = times if in_time is columns else _instants(in_time.occurred_at)
        self._screened = (before, in_time.offset, times_in_time)
        if self._span is None:
            return in_time, refusals
        covers = self._span.covers
        keep = [covers(at) for at in times_in_time.tolist()]
        time_of = dict(zip(columns.offset, times.tolist(), strict=True)) if refusals else {}
        refusals = [refusal for refusal in refusals if covers(time_of[refusal.offset])]
        return (in_time if all(keep) else in_time.select(keep)), refusals

    def _judge(self, columns: Columns, times: Instants, now_ms: int | None) -> tuple[Columns, list[Refusal]]:
        if not len(times):
            return columns, []
        limit = None if now_ms is None or self._future_ms is None else now_ms + self._future_ms
        newest = int(times.max())
        if (limit is None or newest <= limit) and self._are_in_time(times, newest):
            self.watermark = max(newest, self.watermark)
            return columns, []
        return self._screen_each(columns, times, limit)

    def _are_in_time(self, times: Instants, newest: int) -> bool:
        """Say whether none of a batch is late; it may span far more than the lateness, as where a backlog is read."""
        if times.min() >= max(newest, self.watermark) - self._lateness_ms:
            return True
        return bool((_watermarks(self.watermark, times) - times <= self._lateness_ms).all())

    def floors(self, columns: EventColumns) -> list[int]:
        """Return the floor as it stood before each event of the batch screened last, or of what is left of it."""
        before, offsets, times = self._screened
        floor_of = dict(zip(offsets, (_watermarks(before, times) - self._lateness_ms).tolist(), strict=True))
        return [floor_of[offset] for offset in columns.offset]

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
        self.counted(len(fresh.offset), len(is_new) - len(fresh.offset))
        return fresh

    def counted(self, events: int, copies: int) -> None:
        """Note how many events of a screened batch count, and how many are copies."""
        self.accepted += events
        self.duplicates += copies

    def _screen_each(self, columns: Columns, times: Instants, limit: int | None) -> tuple[Columns, list[Refusal]]:
        keep: list[bool] = []
        refusals: list[Refusal] = []
        for offset, at in zip(columns.offset, times.tolist(), strict=True):
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


def _instants(times: Sequence[int] | Instants) -> Instants:
    return np.asarray(times, np.int64)


def _watermarks(before: int, times: Instants) -> Instants:
    """Return the watermark as it stood before each of the events."""
    marks = np.maximum.accumulate(np.concatenate((_instants([before]), times)))
    return marks[:-1]


class RecentIds:
    """The ids of events with their times, kept by day so that whole days can be dropped.

    An id is known as long as its event would still be in time itself: whether an event is a copy depends on the floor
    as it stood at this event, and not on when memory was tidied.
    """

    def __init__(self) -> None:
        self._times: dict[str, int] = {}
        self._by_day: dict[int, list[str]] = {}
        self._older_day: dict[str, int] = {}  # of ids that also stand, or stand alone, under a day that is not theirs

    def __len__(self) -> int:
        return len(self._times)

    def remember(self, event_id: str, at: int) -> None:
        """Take an id in; the newest event of an id is the one that counts."""
        known = self._times.get(event_id)
        if known is not None:
            if known >= at:
                return
            self._stands_under(event_id, known)
        self._times[event_id] = at
        self._by_day.setdefault(at // DAY_MS, []).append(event_id)

    def are_new(self, event_ids: Sequence[str], times: Sequence[int], floors: Callable[[], list[int]]) -> list[bool]:
        """Say of each id whether no event in time has it, and remember it then.

        ``floors`` gives the floor before each of the events; it is asked only if one of the ids has been met.
        """
        known = self._times
        if times and min(times) // DAY_MS == max(times) // DAY_MS and known.keys().isdisjoint(event_ids):
            # nearly every batch: all of one day, and no copies
            count = len(known) + len(event_ids)
            known.update(zip(event_ids, times, strict=True))
            if len(known) == count:
                self._by_day.setdefault(times[0] // DAY_MS, []).extend(event_ids)
                return [True] * len(event_ids)
            for event_id in event_ids:  # one of them is there twice
                known.pop(event_id, None)
        is_new: list[bool] = []
        found: list[int] | None = None
        for place, (event_id, at) in enumerate(zip(event_ids, times, strict=True)):
            before = known.get(event_id)
            if before is not None:
                found = floors() if found is None else found
                if before >= found[place]:
                    is_new.append(False)
                    continue
            self.remember(event_id, at)
            is_new.append(True)
        return is_new

    def forget(self, events: Iterable[tuple[str, int]]) -> None:
        """Drop some ids, each with its event's time: the events were erased, so a copy would be a new event."""
        for event_id, at in events:
            if self._times.get(event_id) == at:
                del self._times[event_id]
                self._stands_under(event_id, at)

    def forget_before(self, floor: int) -> None:
        """Drop the ids of days that end before ``floor``: they are known no longer."""
        days = [day for day in self._by_day if (day + 1) * DAY_MS <= floor]
        times = self._times
        for day in days:
            newer = {name: times[name] for name in self._older_day if times.get(name, NEVER) // DAY_MS > day}
            deque(map(times.pop, self._by_day.pop(day), repeat(None)), maxlen=0)
            times.update(newer)
        if days:
            self._older_day = {name: day for name, day in self._older_day.items() if day in self._by_day}

    def _stands_under(self, event_id: str, at: int) -> None:
        """Note that an id stands under the day of an instant that is not its own any more, the newest of them."""
        self._older_day[event_id] = max(at // DAY_MS, self._older_day.get(event_id, at // DAY_MS))
