"""Active users: rolling distinct customers over 1, 7 and 30 business days, exact under late logins.

A customer engaged on day d counts in the windows that end on d … d+span-1 (the day's shadow). A new engaged day
adds one to those days of its shadow that no earlier or later day of the same customer covers already: one range,
written as +1 at its first day and -1 behind its last (a difference array; views sum it up). So a login costs O(1), late
or not, and nothing is ever recounted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.state.chapters import ChapterCells
from pipeline.state.rows import DAY_WIDTH, DayMeasure

if TYPE_CHECKING:
    from pipeline.state.records import Customer
    from pipeline.state.rows import DayColumns

WEEK: Final = 7
MONTH: Final = 30
DORMANT_DAYS: Final = 90

# plain integers, see `cells`
DAU: Final[int] = DayMeasure.DAU.value
WAU_CHANGE: Final[int] = DayMeasure.WAU_CHANGE.value
MAU_CHANGE: Final[int] = DayMeasure.MAU_CHANGE.value
GROSS_DAY: Final[int] = DayMeasure.GROSS_DAY.value
GROSS_MAU_CHANGE: Final[int] = DayMeasure.GROSS_MAU_CHANGE.value
REACTIVATED: Final[int] = DayMeasure.REACTIVATED.value

_Days = ChapterCells[int, int]  # one tier's, by day
_ALONE: Final = (None, None)


def _neighbours(days: int, position: int) -> tuple[int | None, int | None]:
    """Return how many days before and after a day the nearest set days lie (None: there is none)."""
    older = days >> (position + 1)
    newer = days & ((1 << position) - 1)
    before = (older & -older).bit_length() if older else None
    after = position - (newer.bit_length() - 1) if newer else None
    return before, after


class Activity:
    """Login days of one shard. ``memory_days`` is how far back a customer's days are remembered one by one."""

    def __init__(self, lateness_days: int) -> None:
        self._span = DORMANT_DAYS + MONTH + lateness_days + 2
        self._tiers: dict[str, _Days] = {}
        self._chapter = 0

    @property
    def memory_days(self) -> int:
        """How many days of logins a new owner must load."""
        return self._span

    def open_chapter(self, chapter: int) -> None:
        """Give cells that come to memory from now on this chapter."""
        self._chapter = chapter
        for days in self._tiers.values():
            days.open_chapter(chapter)

    def add(self, customer: Customer, day: int, *, engaged: bool) -> bool:
        """Count a login; return True if it says something new (and so is a fact to store)."""
        position = self.turn_to(customer, day)
        bit = 1 << position
        logins, days = customer.logins, self.days_of(customer.tier)
        fresh = not logins & bit
        if fresh:
            before, after = _neighbours(logins, position) if logins else _ALONE
            _cover(days, day, before, after, MONTH, GROSS_MAU_CHANGE)
            measures_of(days, day)[GROSS_DAY] += 1
            customer.logins = logins | bit
        if engaged and not customer.engaged & bit:
            self._engage(customer, days, day, position)
            customer.engaged |= bit
            return True
        return fresh

    def turn_to(self, customer: Customer, day: int) -> int:
        """Move a customer's day sets on so that ``day`` lies in them; return its position."""
        if not customer.logins:
            customer.last_day = day
            return 0
        ahead = day - customer.last_day
        if ahead <= 0:
            return -ahead
        kept = (1 << self._span) - 1
        engaged = customer.engaged << ahead if ahead <= self._span else 0
        customer.engaged_before_horizon = (
            customer.engaged_before_horizon or engaged > kept or (ahead > self._span and customer.engaged != 0)
        )
        customer.engaged = engaged & kept
        customer.logins = customer.logins << ahead & kept if ahead <= self._span else 0
        customer.last_day = day
        return 0

    def load(self, customer: Customer, day: int, *, engaged: bool) -> None:
        """Remember a stored login day without counting it again."""
        bit = 1 << self.turn_to(customer, day)
        customer.logins |= bit
        if engaged:
            customer.engaged |= bit

    def _engage(self, customer: Customer, days: _Days, day: int, position: int) -> None:
        before, after = _neighbours(customer.engaged, position) if customer.engaged else _ALONE
        today = measures_of(days, day)
        today[DAU] += 1
        _cover(days, day, before, after, WEEK, WAU_CHANGE)
        _cover(days, day, before, after, MONTH, MAU_CHANGE)
        had_earlier = before is not None or customer.engaged_before_horizon
        if had_earlier and (before is None or before > DORMANT_DAYS):
            today[REACTIVATED] += 1
        if after is not None:
            # the next engaged day had this customer's previous day before it, and now has this one
            was = had_earlier and (before is None or before + after > DORMANT_DAYS)
            measures_of(days, day + after)[REACTIVATED] += (after > DORMANT_DAYS) - was

    def days_of(self, tier: str) -> _Days:
        """Return a tier's days."""
        days = self._tiers.get(tier)
        if days is None:
            days = self._tiers[tier] = ChapterCells(DAY_WIDTH, self._chapter)
        return days

    def drain_changes(self, version: int, columns: DayColumns) -> None:
        """Write every day changed since the last call, as stored by the block of this version."""
        for tier, days in self._tiers.items():
            for cell in days.drain(version):
                columns.tier.append(tier)
                columns.day.append(cell.place)
                columns.chapter.append(cell.chapter)
                columns.measures.extend(cell.measures)

    def forget_idle(self, before_version: int) -> None:
        """Drop days that no block since ``before_version`` has changed."""
        for days in self._tiers.values():
            days.forget_idle(before_version)


def _cover(  # noqa: PLR0913, PLR0917 - a day, its neighbours and what to count
    days: _Days, day: int, before: int | None, after: int | None, span: int, measure: int
) -> None:
    first = day if before is None or before >= span else day - before + span
    behind = day + span if after is None or after >= span else day + after
    if first < behind:
        measures_of(days, first)[measure] += 1
        measures_of(days, behind)[measure] -= 1


def measures_of(days: _Days, day: int) -> list[int]:
    """Return the measures of a tier's day, which the next block has to store."""
    cell = days.get(day) or days.begin(day, day)
    return cell.measures if cell.dirty else days.change(cell)
