"""When receivers were told of an alert, and when a firing one that nobody acknowledges is told again. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.alerts.lifecycle import Change
    from pipeline.alerts.log import Addressing
    from pipeline.alerts.record import AlertRecord, Moment


def with_telling(change: Change, addressing: Addressing, silence: str | None, now: Moment) -> Change:
    """Return a change whose record notes that receivers are told of it, where they are."""
    record = change.record
    if record.state != "firing" or not change.is_message or not addressing.receivers_of(record):
        return change
    if silence is not None:
        return replace(change, record=replace(record, told_ms=None, told_since=None))
    return replace(change, record=_told(record, now))


def reminded(record: AlertRecord, now: Moment) -> AlertRecord:
    """Return the record as told once more: `told` numbers the reminder."""
    return replace(_told(record, now), told=record.told + 1)


def is_reminder_due(record: AlertRecord, repeat_seconds: float, now: Moment) -> bool:
    """Tell whether a firing alert is to be told again.

    Measured by this process's clock, so that a jump of the wall clock tells nothing twice; only what lies before the
    start of this process is taken from the wall, and is at most one interval.
    """
    if record.state != "firing":
        return False
    return record.told_since is None or now.seconds - record.told_since >= repeat_seconds


def with_told_since(record: AlertRecord, repeat_seconds: float, now: Moment) -> AlertRecord:
    """Return a record that was loaded, with the time since it was told on this process's clock."""
    if record.told_ms is None or record.told_since is not None:
        return record
    ago = min(max((now.wall_ms - record.told_ms) / 1000, 0.0), repeat_seconds)
    return replace(record, told_since=now.seconds - ago)


def _told(record: AlertRecord, now: Moment) -> AlertRecord:
    return replace(record, told_ms=now.wall_ms, told_since=now.seconds)
