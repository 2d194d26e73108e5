"""Reads ClickHouse's Native format, value by value: written from the format's description, not from the encoder."""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pipeline.clickhouse.native import Body

_NUMBERS: Final = {"UInt8": "<B", "UInt32": "<I", "UInt64": "<Q", "Int64": "<q"}


class NativeReader:
    """Reads one body of concatenated blocks; a body that is not whole raises ValueError."""

    def __init__(self, body: bytes | Body) -> None:
        self._body = bytes(body)
        self._at = 0

    def blocks(self) -> list[tuple[list[tuple[str, str]], list[tuple[Any, ...]]]]:
        """Return each block's columns as (name, type), and its rows."""
        found = []
        while self._at < len(self._body):
            width, height = self._varint(), self._varint()
            heads, columns = [], []
            for _ in range(width):
                head = (self._text(), self._text())
                heads.append(head)
                columns.append(self._column(head[1], height))
            found.append((heads, list(zip(*columns, strict=True))))
        return found

    def _column(self, kind: str, height: int) -> list[Any]:
        if kind == "String":
            return [self._text() for _ in range(height)]
        if kind == "Array(Int64)":
            ends = [self._number("<Q") for _ in range(height)]
            return [[self._number("<q") for _ in range(end - start)] for start, end in pairwise([0, *ends])]
        if kind not in _NUMBERS:
            raise ValueError("a column of a type that is not known")
        return [self._number(_NUMBERS[kind]) for _ in range(height)]

    def _take(self, size: int) -> bytes:
        taken = self._body[self._at : self._at + size]
        if len(taken) < size:
            raise ValueError("the body ends in the middle of a value")
        self._at += size
        return taken

    def _number(self, code: str) -> int:
        number: int = struct.unpack(code, self._take(struct.calcsize(code)))[0]
        return number

    def _varint(self) -> int:
        number = shift = 0
        while True:
            byte = self._take(1)[0]
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7

    def _text(self) -> str:
        return self._take(self._varint()).decode()
