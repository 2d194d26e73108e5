"""Asks a part over HTTP whether it lives, and what keeps it from getting on."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_SECONDS: Final = 2.0
_LONGEST: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Answer:
    """What a part said: whether anything at all, and in its own words what keeps it from getting on.

    One that took the question and did not answer it in time is silent; one that refuses it starts, or has just ended.
    """

    is_alive: bool
    trouble: str = ""
    is_silent: bool = False


def ask(url: str, seconds: float = _SECONDS) -> Answer:
    """Ask once, for so long at most; any HTTP answer is a sign of life."""
    try:
        parts = urlsplit(url)
        with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)) as connection:
            connection.request("GET", parts.path or "/")
            body = connection.getresponse().read(_LONGEST)
    except (OSError, ValueError, http.client.HTTPException) as error:  # ValueError: of an address that is none
        return Answer(is_alive=False, is_silent=isinstance(error, TimeoutError))
    try:
        said = json.loads(body)
        reasons = [str(reason) for reason in said["reasons"]] if said["status"] == "failing" else []
    except (ValueError, KeyError, TypeError):
        return Answer(is_alive=True)
    # a halted topic is told by itself, and is no trouble of this process
    return Answer(is_alive=True, trouble="; ".join(reason for reason in reasons if ": halted (" not in reason))
