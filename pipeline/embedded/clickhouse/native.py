"""The one Native reply this endpoint writes itself: clickhouse-go's hello.

The Go client decodes the answer to its first query at the protocol version it asks for (54460): every block then starts
with BlockInfo, and every column has a byte for custom serialization. Telling it revision 0 makes every later reply
plain Native, which is what chDB writes. Without frames it would see no columns, and no error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.clickhouse.native import text_bytes, varint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.embedded.clickhouse.tokens import Token

FRAMED_SINCE: Final = 54454
_BLOCK_INFO: Final = bytes.fromhex("01 00 02 ff ff ff ff 00")
_HELLO: Final = "select displayname ( ) , version ( ) , revision ( ) , timezone ( )"


def is_hello(tokens: Sequence[Token], protocol_version: int) -> bool:
    """Tell whether the statement is the Go client's hello, at a protocol whose blocks are framed."""
    return protocol_version >= FRAMED_SINCE and " ".join(token.text.lower() for token in tokens) == _HELLO


def hello(display_name: str, version: str, timezone: str) -> bytes:
    """Return the framed one-row answer, with revision 0."""
    columns = (
        ("displayName()", "String", text_bytes(display_name)),
        ("version()", "String", text_bytes(version)),
        ("revision()", "UInt32", (0).to_bytes(4, "little")),
        ("timezone()", "String", text_bytes(timezone)),
    )
    block = bytearray(_BLOCK_INFO + varint(len(columns)) + varint(1))
    for name, kind, value in columns:
        block += text_bytes(name) + text_bytes(kind) + b"\0" + value
    return bytes(block)
