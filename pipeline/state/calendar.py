"""Business days: calendar days in the configured zone (contract section 3), and the hours they are made of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

MINUTE_MS: Final = 60_000
DAY_MS: Final = 86_400_000
# Every zone's offset changes on a multiple of a quarter of an hour, so one answer serves the whole quarter.
QUARTER_MS: Final = 900_000
_SECOND_MS: Final = 1_000
_HOUR_SECONDS: Final = 3_600
_CACHE_LIMIT: Final = 200_000
_QUARTERS_A_DAY: Final = DAY_MS // QUARTER_MS
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL: Final = _EPOCH.toordinal()


def whole_milliseconds(days: float) -> int:
    """Return the whole milliseconds in a number of days, read as the decimal a person wrote: 0.29 means 25,056,000."""
    return int(Decimal(repr(days)) * DAY_MS)


class Quarter(NamedTuple):
    """A quarter of an hour by its number since 1970, the start of its hour in epoch seconds, and its business day."""

    number: int
    hour: int
    day: int


@cache
def calendar_of(zone: str) -> BusinessCalendar:
    """Return the one calendar of a zone: shards of a process share what it has worked out."""
    return BusinessCalendar(zone)


class BusinessCalendar:
    """Tells which business day an instant falls on, and which hour; days are numbered from 1970-01-01 = 0."""

    __slots__ = ("_days", "_hours", "_zone")

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        self._days: dict[int, int] = {}
        self._hours: dict[int, int] = {}

    def day_of(self, instant_ms: int) -> int:
        """Return the business day of an instant in epoch milliseconds."""
        quarter = instant_ms // QUARTER_MS
        day = self._days.get(quarter)
        if day is None:
            if len(self._days) > _CACHE_LIMIT:
                self._days.clear()
            day = self._days[quarter] = self._local_day(quarter * QUARTER_MS)
        return day

    def hour_of(self, instant_ms: int) -> int:
        """Return the start, in epoch seconds, of the hour on the zone's clock in which an instant lies.

        An hour that the clock shows twice is two hours.
        """
        quarter = instant_ms // QUARTER_MS
        hour = self._hours.get(quarter)
        if hour is None:
            if len(self._hours) > _CACHE_LIMIT:
                self._hours.clear()
            hour = self._hours[quarter] = self._hour_start(quarter * QUARTER_MS)
        return hour

    def quarters_of(self, day: int) -> list[Quarter]:
        """Return the quarters of a day of UTC (0: 1970-01-01), and those in which the hours of any of them begin.

        Who knows all these can ask for the day of an event's hour, too. Such an hour may begin in the day before, and
        the hour of its first quarter be another one: before there were zones, clocks were off by minutes and seconds.
        """
        own = range(day * _QUARTERS_A_DAY, (day + 1) * _QUARTERS_A_DAY)
        first = {self.hour_of(number * QUARTER_MS) * _SECOND_MS // QUARTER_MS for number in own}
        return list(map(self._quarter, sorted(first.union(own))))

    def _quarter(self, number: int) -> Quarter:
        at = number * QUARTER_MS
        return Quarter(number, self.hour_of(at), self.day_of(at))

    def _hour_start(self, instant_ms: int) -> int:
        seconds = instant_ms // 1000
        try:
            local = (_EPOCH + timedelta(seconds=seconds)).astimezone(self._zone)
        except OverflowError:  # as for days
            return seconds - seconds % _HOUR_SECONDS
        return seconds - local.minute * 60 - local.second

    def _local_day(self, instant_ms: int) -> int:
        try:
            local = (_EPOCH + timedelta(milliseconds=instant_ms)).astimezone(self._zone)
        except OverflowError:  # the zone's clock shows year 0 or 10000: a bad date must not stop a partition
            return instant_ms // DAY_MS
        return local.toordinal() - _EPOCH_ORDINAL
