"""Instants as people name them on the command line."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import typer

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
