"""What a ClickHouse server answers instead of rows, by its own numbers (src/Common/ErrorCodes.cpp)."""

from __future__ import annotations

from typing import Final

THERE_ALREADY: Final = 57
ACCESS_DENIED: Final = 497
UNMADE: Final = (60, 81)
"""A table and a database that are not there."""


def has_code(error: Exception | str, *codes: int) -> bool:
    """Tell whether an error, or one that quotes it, is the server's answer with one of the codes.

    clickhouse-connect writes "code: 60, …", the server itself "Code: 60. …".
    """
    text = str(error)
    return any(f"code: {code}," in text or f"Code: {code}." in text for code in codes)
