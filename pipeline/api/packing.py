"""Bytes that are packed once and sent to many: pieces of deflate that may follow one another in any order.

A piece refers to nothing before it and ends at a whole byte (RFC 1951, 3.2.4: an empty stored block; zlib's sync
flush), so pieces one after another are deflate again, and a gzip file (RFC 1952) is a header before them and their
checksum after them. A stream that never ends has no checksum; browsers unpack it as it comes.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

GZIP_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LAST: Final = b"\x03\x00"
"""The last block of deflate, with nothing in it."""
_LEVEL: Final = 5
_NOT_WORTH_IT: Final = 400
"""Bytes: what is shorter is only wrapped."""
_MOST_STORED: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class Packed:
    """Bytes, and the same as a piece of deflate."""

    plain: bytes
    deflated: bytes

    @classmethod
    def of(cls, plain: bytes) -> Packed:
        """Pack bytes; takes milliseconds for hundreds of kilobytes."""
        if len(plain) < _NOT_WORTH_IT:
            return cls.wrapped(plain)
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        return cls(plain, packer.compress(plain) + packer.flush(zlib.Z_SYNC_FLUSH))

    @classmethod
    def wrapped(cls, plain: bytes) -> Packed:
        """Return bytes as blocks that are stored as they are: as good as nothing to do."""
        pieces = [plain[start : start + _MOST_STORED] for start in range(0, len(plain), _MOST_STORED)]
        stored = (struct.pack("<BHH", 0, len(piece), len(piece) ^ _MOST_STORED) + piece for piece in pieces)
        return cls(plain, b"".join(stored))


def joined(pieces: Sequence[Packed]) -> Packed:
    """Return pieces as one."""
    return Packed(b"".join(one.plain for one in pieces), b"".join(one.deflated for one in pieces))


def gzip_file(packed: Packed) -> bytes:
    """Return a whole gzip file of what is packed already."""
    check = struct.pack("<II", zlib.crc32(packed.plain), len(packed.plain) & 0xFFFFFFFF)
    return GZIP_HEADER + packed.deflated + _LAST + check


def takes_gzip(accepted: str) -> bool:
    """Return whether a header `Accept-Encoding` has gzip in it, or else `*`, and not with a weight of 0."""
    wanted: dict[str, bool] = {}
    for one in accepted.lower().split(","):
        name, *parameters = (part.strip() for part in one.split(";"))
        wanted[name] = not any(part.startswith("q=") and not part[2:].strip("0.") for part in parameters)
    return wanted.get("gzip", wanted.get("*", False))
