"""What a receiver's settings say of a webhook: its key and its address. Pure."""

from __future__ import annotations

import base64
import binascii
from typing import Final
from urllib.parse import urlsplit

PREFIX: Final = "whsec_"


def key_of(secret: str) -> bytes:
    """Return the key in a secret.

    Raises:
        ValueError: it is not ``whsec_`` and base64; the text does not show it.
    """
    if not secret.startswith(PREFIX):
        raise ValueError(f"the secret of a webhook begins with {PREFIX}")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"the secret of a webhook is {PREFIX} and base64 behind it") from None
    if not key:
        raise ValueError(f"the secret of a webhook has no key behind {PREFIX}")
    return key


def target_of(url: str) -> str:
    """Return the http(s) address in a receiver's.

    Raises:
        ValueError: there is none; the text does not show it.
    """
    target = url[8:] if url[:8].lower() == "webhook+" else url
    try:
        parts = urlsplit(target)
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_good = False
    if not is_good:
        raise ValueError("the address of a webhook is webhook+https://host[:port]/path")
    return target
