"""Addresses of receivers hold keys: how they are shown, and how they are taken out of what libraries say. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN: Final = "***"
LONGEST_ERROR: Final = 200
_SHORTEST_SECRET: Final = 4
_LIMITS: Final = re.compile(r"[/:@?&=+,;#\s]+")


def secrets_of(*texts: str) -> tuple[str, ...]:
    """Return every part of addresses and keys that may be a secret, the longest first, also as it is once decoded."""
    parts = {part for text in texts if text for part in (text, *_LIMITS.split(text))}
    parts |= {unquote(part) for part in parts} | {quote(part, safe="") for part in parts}
    return tuple(sorted((part for part in parts if len(part) >= _SHORTEST_SECRET), key=len, reverse=True))


def scrubbed(text: str, secrets: Iterable[str]) -> str:
    """Return a text as one short line without the secrets."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return line if len(line) <= LONGEST_ERROR else f"{line[: LONGEST_ERROR - 1]}…"


def origin_of(url: str) -> str:
    """Return an address with everything hidden behind its host and port."""
    parts = urlsplit(url)
    try:
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        port = ""
    return f"{parts.scheme}://{parts.hostname or HIDDEN}{port}/{HIDDEN}"
