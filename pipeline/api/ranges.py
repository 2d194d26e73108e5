"""Time ranges as boards ask for them."""

from __future__ import annotations

import re
from typing import Final

from pipeline.api.answers import ApiError
from schemas.instants import parse_instant, to_epoch_milliseconds

_RELATIVE: Final = re.compile(r"(now|latest)(?:-(\d{1,6})([smhdw]))?")
_UNIT_MS: Final = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_REMEDY: Final = (
    "send RFC 3339 (2026-11-26T00:00:00Z), epoch milliseconds, now-7d, or latest-7d (before the run's newest event)"
)
_FARTHEST_MS: Final = 4_102_444_800_000  # 2100: ClickHouse's DateTime ends soon after


def instant(given: str, name: str, now_ms: int, latest_ms: int) -> int:
    """Return what a parameter means, in epoch milliseconds within 1970..2100.

    Args:
        given: the parameter.
        name: of the parameter, for the error.
        now_ms: the wall clock.
        latest_ms: the run's newest event.

    Raises:
        ApiError: 422: it is none of the known forms.
    """
    if found := _RELATIVE.fullmatch(given):
        start = now_ms if found[1] == "now" else latest_ms
        milliseconds = start - (int(found[2]) * _UNIT_MS[found[3]] if found[2] else 0)
    elif re.fullmatch(r"-?\d{1,16}", given):
        milliseconds = int(given)
    else:
        milliseconds = _absolute(given, name)
    return min(max(milliseconds, 0), _FARTHEST_MS)


def _absolute(given: str, name: str) -> int:
    try:
        return to_epoch_milliseconds(parse_instant(given))
    except ValueError as error:
        raise ApiError(422, f"{name} is no instant with an offset", _REMEDY) from error
