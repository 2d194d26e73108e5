"""Instants as people name them on the command line."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import typer


def instant_ms(text: str, option: str, zone: str) -> int:
    """Return epoch milliseconds of an RFC 3339 instant, or of the begin of a business day (``2026-11-26``).

    Args:
        text: what was given.
        option: of the command, for the error.
        zone: of business days.

    Raises:
        typer.BadParameter: it is neither.
    """
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None and len(text) == len("2026-11-26"):
            moment = moment.replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        moment = datetime.min  # noqa: DTZ901 - stands for no instant, by having no offset
    if moment.tzinfo is None:
        raise typer.BadParameter(
            f"{text[:40]!r} is no instant: write 2026-11-26T09:00:00+08:00, or a day as 2026-11-26", param_hint=option
        )
    return round(moment.timestamp() * 1000)
