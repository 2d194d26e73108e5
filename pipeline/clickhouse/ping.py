"""Whether ClickHouse answers at all: a frozen server takes connections, and requests, and says nothing."""

from __future__ import annotations

import http.client
from contextlib import closing
from typing import TYPE_CHECKING, Final

from pipeline.errors import UnreachableError

if TYPE_CHECKING:
    from urllib.parse import SplitResult

PING_SECONDS: Final = 5.0


def ping(url: SplitResult) -> None:
    """Ask for a sign of life, which a server gives at once however long its queries take.

    Raises:
        UnreachableError: there is none within a few seconds.
    """
    secure = url.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    port = url.port or (8443 if secure else 8123)
    try:
        with closing(connect(url.hostname or "", port, timeout=PING_SECONDS)) as connection:
            connection.request("GET", f"{url.path.rstrip('/')}/ping")
            connection.getresponse().read()
    except (OSError, http.client.HTTPException) as error:
        raise unreachable(f"{url.scheme}://{url.hostname}:{port}", error) from error


def unreachable(address: str, error: Exception) -> UnreachableError:
    """Return the error for a server that does not answer."""
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return UnreachableError(
        f"ClickHouse does not answer at {address} ({words})",
        "start it (roi up --embedded) or correct ROI_CLICKHOUSE_URL",
    )
