"""RFC 3339 instants, one at a time: the parser that has the last word.

An instant is kept to the millisecond; finer digits are cut off, so that an event never moves to a later moment.
The UTC offset is mandatory. Leap seconds, 24:00 and dates the calendar does not have are not instants here.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

RFC_3339: Final = (
    r"^([0-9]{4})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])"
    r"(?:\.([0-9]+))?(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))$"
)
"""The textual form; whether the day exists in its month is checked besides."""

_PATTERN: Final = re.compile(RFC_3339)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def parse_instant(text: str) -> datetime:
    """Return the instant in UTC, floored to the millisecond.

    Raises:
        ValueError: the text is not RFC 3339 with an offset, or no moment of the years 1 to 9999 (UTC).
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        raise ValueError("not RFC 3339 with an offset")
    *date_time, fraction, sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes)) if sign else timedelta()
    microsecond = int((fraction or "0")[:3].ljust(3, "0")) * 1000
    year, month, day, hour, minute, second = map(int, date_time)
    zone = timezone(-offset if sign == "-" else offset)
    try:
        return datetime(year, month, day, hour, minute, second, microsecond, zone).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("outside the years 1 to 9999") from error


def floor_instant(moment: datetime) -> datetime:
    """Return an aware datetime in UTC, floored to the millisecond.

    Raises:
        ValueError: the datetime is naive, or outside the years 1 to 9999 in UTC.
    """
    if moment.utcoffset() is None:
        raise ValueError("a naive datetime names no instant")
    try:
        utc = moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("outside the years 1 to 9999") from error
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def format_instant(instant: datetime) -> str:
    """Return the canonical text of an instant: UTC, three digits of a second, ``Z``."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def to_epoch_milliseconds(instant: datetime) -> int:
    """Return whole milliseconds since 1970-01-01T00:00:00Z, floored."""
    return (instant - _EPOCH) // _MILLISECOND


def instant_text(epoch_ms: int) -> str:
    """Return the canonical text of epoch milliseconds."""
    return format_instant(_EPOCH + epoch_ms * _MILLISECOND)


def short_text(epoch_ms: int) -> str:
    """Return the same without the digits of a second where it is a whole one; commands take it as it is."""
    return instant_text(epoch_ms).replace(".000Z", "Z")
