"""ClickHouse's own compression (``compress=1``, ``decompress=1``): checksummed blocks, as its drivers speak by default.

A block is CityHash128 (version 1.0.2) of what follows, then a method byte, the size of header and data, the size of the
plain data, and the data. Nothing marks the end of a stream: it ends between two blocks.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import lz4.block
import zstandard
from clickhouse_cityhash.cityhash import CityHash128

from pipeline.embedded.clickhouse.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHECKSUM: Final = struct.Struct("<QQ")
_HEADER: Final = struct.Struct("<BII")
_BEFORE_DATA: Final = _CHECKSUM.size + _HEADER.size
_PLAIN_BYTES: Final = 2**20  # ClickHouse's max_compress_block_size
_LARGEST_BLOCK: Final = 2**27  # what clickhouse-go reads at most; a server takes up to 1 GiB


def compressed(data: bytes) -> bytes:
    """Return ``data`` as LZ4 blocks, as a server answers whatever method its client writes with."""
    view = memoryview(data)
    return b"".join(_block(view[start : start + _PLAIN_BYTES]) for start in range(0, len(view), _PLAIN_BYTES))


def _block(plain: memoryview) -> bytes:
    data: bytes = lz4.block.compress(plain, store_size=False)
    checked = _HEADER.pack(Method.LZ4, _HEADER.size + len(data), len(plain)) + data
    return _checksum(checked) + checked


def _checksum(checked: bytes) -> bytes:
    number: int = CityHash128(checked)
    return _CHECKSUM.pack(number >> 64, number & (2**64 - 1))


class Method(IntEnum):
    """How a block's data is compressed: the codecs that drivers write. LZ4HC reads as LZ4."""

    NONE = 0x02
    LZ4 = 0x82
    ZSTD = 0x90


class BlockReader:
    """Undoes a stream of blocks that arrives in any pieces; holds at most one block."""

    def __init__(self, *, check: bool = True) -> None:
        self._check = check
        self._waiting = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the plain bytes of every block that ``data`` completes.

        Raises:
            QueryError: 40 a checksum does not match, 131 a block is too large, 432 its method is unknown, 271 it does
                not decompress.
        """
        self._waiting += data
        while len(self._waiting) >= _BEFORE_DATA:
            method, packed_size, plain_size = _HEADER.unpack_from(self._waiting, _CHECKSUM.size)
            if packed_size > _LARGEST_BLOCK or plain_size > _LARGEST_BLOCK:
                raise QueryError(
                    131, f"Too large size of a compressed block: {packed_size} bytes. Most likely corrupted data"
                )
            if packed_size < _HEADER.size:
                raise QueryError(271, f"Cannot decompress the request's body: a block of {packed_size} bytes")
            end = _CHECKSUM.size + packed_size
            if len(self._waiting) < end:
                return
            block = bytes(self._waiting[:end])
            del self._waiting[:end]
            if self._check and _checksum(block[_CHECKSUM.size :]) != block[: _CHECKSUM.size]:
                raise QueryError(40, "Checksum doesn't match: corrupted data in the request's body (decompress=1)")
            yield _plain(method, block[_BEFORE_DATA:], plain_size)

    def finish(self) -> None:
        """Check that the stream ended between two blocks."""
        if self._waiting:
            raise QueryError(271, "Cannot decompress the request's body: its last block ends too early")


def _plain(method: int, data: bytes, size: int) -> bytes:
    try:
        match method:
            case Method.NONE:
                plain = data
            case Method.LZ4:
                plain = lz4.block.decompress(data, uncompressed_size=size) if size else b""
            case Method.ZSTD:
                # read() and not decompress(): that one believes the frame's own size, whatever it is
                plain = zstandard.ZstdDecompressor(max_window_size=_LARGEST_BLOCK).stream_reader(data).read(size + 1)
            case _:
                raise QueryError(432, f"Unknown codec family code: {method}; known are NONE, LZ4 and ZSTD")
    except (lz4.block.LZ4BlockError, zstandard.ZstdError) as error:
        raise QueryError(271, f"Cannot decompress the request's body: {error}") from error
    if len(plain) != size:
        raise QueryError(271, f"Cannot decompress the request's body: a block of {len(plain)} bytes instead of {size}")
    return plain
