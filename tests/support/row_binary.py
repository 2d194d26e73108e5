"""ClickHouse's RowBinary of the queries that a shard is loaded by, written and read."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# types of the columns of sql/queries/NAME.sql: bytes of a number (-8: signed) or "text"; with "?" it may be NULL
TYPES: Final = {
    "load_profiles": ("4", "text", "text"),
    "load_logins": ("4", "text", "-8", "1"),
    "load_engaged_before_horizon": ("4", "text"),
    "load_past_reach": ("4", "text", "text", "text"),
    "load_ids": ("4", "text", "-8"),
    "load_touches": ("4", "text", "text", "text", "-8", "text", "text"),
    "load_past_conversions": ("4", "text", "text", "text", "text"),
    "load_transactions": ("4", "text", "-8", "text", "text", "text?", "-8", "-8?", "-8?", "text"),
    "load_credits": ("4", "text", "-8", "text", "text", "text", "-8", "text", "-8", "-8", "-8", "1"),
}


def row_binary(name: str) -> Callable[[Sequence[Any]], bytes]:
    """Return what writes a row of a query."""
    types = TYPES[name]
    return lambda row: b"".join(_written(kind, value) for kind, value in zip(types, row, strict=True))


def read_row_binary(name: str, answer: bytes) -> Iterator[list[Any]]:
    """Yield the rows of a query's answer."""
    source = BytesIO(answer)
    while source.tell() < len(answer):
        yield [_read(kind, source) for kind in TYPES[name]]


def _written(kind: str, value: Any) -> bytes:
    if kind.endswith("?"):
        return b"\1" if value is None else b"\0" + _written(kind[:-1], value)
    if kind == "text":
        text: bytes = value.encode()
        return _length(len(text)) + text
    return int(value).to_bytes(abs(int(kind)), "little", signed=kind.startswith("-"))


def _length(count: int) -> bytes:
    return bytes([count]) if count < 128 else bytes([count & 127 | 128]) + _length(count >> 7)


def _read(kind: str, source: BytesIO) -> Any:
    if kind.endswith("?"):
        return None if source.read(1)[0] else _read(kind[:-1], source)
    if kind == "text":
        count = shift = 0
        while (byte := source.read(1)[0]) & 128:
            count |= (byte & 127) << shift
            shift += 7
        return source.read(count | byte << shift).decode()
    return int.from_bytes(source.read(abs(int(kind))), "little", signed=kind.startswith("-"))
