"""Asks a part over HTTP, or a broker in Kafka's protocol, whether it lives, and what keeps it from getting on."""

from __future__ import annotations

import http.client
import json
import socket
import struct
from contextlib import closing
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_SECONDS: Final = 2.0
_LONGEST: Final = 1 << 16
# ApiVersions (key 18), version 0, as request 1 of a client without a name: brokers answer it before anybody signs in. A
# connection alone tells nothing: the kernel accepts it for a stopped process, too.
_API_VERSIONS: Final = struct.pack(">ihhih", 10, 18, 0, 1, -1)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a part said: whether anything at all, and in its own words what keeps it from getting on.

    One that took the question and did not answer it in time is silent; one that refuses it starts, or has just ended.
    """

    is_alive: bool
    trouble: str = ""
    is_silent: bool = False


def ask(url: str, seconds: float = _SECONDS) -> Answer:
    """Ask once, for so long at most, over HTTP or a broker (``kafka://HOST:PORT``); any answer is a sign of life."""
    try:
        parts = urlsplit(url)
        if parts.scheme == "kafka":
            return Answer(is_alive=_is_broker(parts.hostname or "", parts.port or 0, seconds))
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


def _is_broker(host: str, port: int, seconds: float) -> bool:
    with socket.create_connection((host, port), timeout=seconds) as connection:
        connection.sendall(_API_VERSIONS)
        return bool(connection.recv(_LONGEST))
