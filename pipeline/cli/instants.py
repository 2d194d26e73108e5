"""Instants as people name them on the command line."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import typer

if TYPE_CHECKING:
    from pipeline.settings import Settings

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def instant_ms(text: str, option: str, zone: str) -> int:
    """Return epoch milliseconds of an RFC 3339 instant, or of the begin of a business day (``2026-11-26``).

    Args:
        text: what was given.
        option: of the command, for the error.
        zone: of business days.

    Raises:
        typer.BadParameter: it is neither.
    """
    from schemas.instants import parse_instant, to_epoch_milliseconds

    try:
        if _DAY.fullmatch(text):
            return to_epoch_milliseconds(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))
        return to_epoch_milliseconds(parse_instant(text))
    except ValueError as error:
        raise typer.BadParameter(
            f"{text[:40]!r} is no instant: write 2026-11-26T09:00:00+08:00, or a day as 2026-11-26", param_hint=option
        ) from error


def zone_of_range(settings: Settings, run: str, begin: str | None, end: str | None) -> str:
    """Return the zone of the business days that bound a range of a run: the one that the run was begun under.

    The ledger is asked only where that may matter: not without any day, nor for days that are refused in every zone.

    Args:
        settings: the installation's; their zone is that of a run that nobody began.
        run: its name.
        begin: the range's begin, as it was given.
        end: its end, likewise.

    Raises:
        UserError: ClickHouse does not answer.
    """
    from pipeline.clickhouse.reader import Reader
    from pipeline.operations.runs import begun_under

    days = [text for text in (begin, end) if text is not None and _DAY.fullmatch(text)]
    if not days or days != sorted(days):
        return settings.time.zone
    begun = begun_under(Reader(settings), settings.clickhouse_database, run)
    return begun.get("time.zone", settings.time.zone)
