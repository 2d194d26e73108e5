"""Content-Encoding of requests and replies."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, Any, Final

import cramjam
import lz4.frame
import zstandard

from pipeline.embedded.clickhouse.blocks import compressed
from pipeline.embedded.clickhouse.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_PIECE_BYTES: Final = 2**20
_INLINE_BYTES: Final = 2**18  # 5 ms of gzip
# fastest first: zstd and lz4 cost a tenth of gzip
_ENCODINGS: Final = ("zstd", "lz4", "gzip", "br", "deflate")


class Decoder:
    """Undoes one request body's Content-Encoding, chunk by chunk.

    Raises:
        QueryError: (48) the encoding is not known; (271) the body is not what the header says.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding.strip().lower()
        self._inner: Any = self._make()
        self._started = False

    def _make(self) -> Any:
        match self._encoding:
            case "" | "identity":
                return None
            case "gzip" | "x-gzip":
                return zlib.decompressobj(_GZIP_WINDOW)
            case "deflate":
                return zlib.decompressobj()
            case "lz4":
                return lz4.frame.LZ4FrameDecompressor()
            case "zstd":
                return zstandard.ZstdDecompressor().decompressobj()
        raise QueryError(48, f"unknown Content-Encoding {self._encoding}; known are gzip, deflate, lz4 and zstd")

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what ``data`` stands for, in pieces where the format allows it, so that a bomb is seen early."""
        if self._inner is None:
            yield data
            return
        self._started = self._started or bool(data)
        try:
            while data:
                if self._inner.eof:
                    self._inner = self._make()  # frames may follow one another
                yield from self._pieces(data)
                data = self._inner.unused_data or b""
        except (zlib.error, RuntimeError, zstandard.ZstdError, EOFError) as error:
            raise QueryError(271, f"Cannot decompress the request's body as {self._encoding}: {error}") from error

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        match self._encoding:
            case "gzip" | "x-gzip" | "deflate":
                while data:
                    yield self._inner.decompress(data, _PIECE_BYTES)
                    data = self._inner.unconsumed_tail
            case "lz4":
                yield self._inner.decompress(data, _PIECE_BYTES)
                while not self._inner.needs_input and not self._inner.eof:
                    yield self._inner.decompress(b"", _PIECE_BYTES)
            case _:
                yield self._inner.decompress(data)

    def finish(self) -> None:
        """Check that the body ended where its encoding says."""
        if self._started and not self._inner.eof:
            raise QueryError(271, f"Cannot decompress the request's body as {self._encoding}: it ends too early")


def accepted(headers: Mapping[str, str]) -> str:
    """Return the encoding to answer in: of those the client takes, with the highest quality, the cheapest to make."""
    offers: dict[str, float] = {}
    for offer in headers.get("Accept-Encoding", "").lower().split(","):
        name, _, quality = (part.strip() for part in offer.partition(";"))
        try:
            offers[name] = float(quality.replace(" ", "").removeprefix("q=") or "1")
        except ValueError:
            continue
    # ties go to the first of the list
    best = max(_ENCODINGS, key=lambda name: offers.get(name, 0.0))
    return best if offers.get(best, 0.0) > 0 else ""


class Encoder:
    """Compresses a reply as it streams: into ClickHouse's own blocks if asked, then for HTTP.

    The lowest levels: higher ones cost many times what the engine needs to make the rows.
    """

    def __init__(self, encoding: str, *, blocks: bool) -> None:
        self._blocks = blocks
        self._stream = _Stream(encoding) if encoding else None
        self.headers = {"Content-Encoding": encoding} if encoding else {}

    @classmethod
    def of(cls, headers: Mapping[str, str], *, blocks: bool) -> Encoder:
        """Return the encoder of the reply to a request with these headers."""
        return cls(accepted(headers), blocks=blocks)

    async def next(self, data: bytes) -> bytes:
        """Return the bytes to send for ``data``; much work is done beside the event loop."""
        return await asyncio.to_thread(self.feed, data) if len(data) > _INLINE_BYTES else self.feed(data)

    async def last(self, data: bytes = b"") -> bytes:
        """Return the bytes for the last ``data`` and the end, likewise."""
        return await asyncio.to_thread(self.finish, data) if len(data) > _INLINE_BYTES else self.finish(data)

    def feed(self, data: bytes) -> bytes:
        """Return the bytes to send for ``data``; there may be none yet."""
        data = compressed(data) if self._blocks else data
        return self._stream.feed(data) if self._stream else data

    def finish(self, data: bytes = b"") -> bytes:
        """Return the bytes for the last ``data`` and the end."""
        data = self.feed(data)
        return data + self._stream.finish() if self._stream else data


class _Stream:
    """The five encodings' libraries behind one interface."""

    def __init__(self, encoding: str) -> None:
        self._inner: Any
        self._head = b""
        match encoding:
            case "gzip":
                self._inner = zlib.compressobj(1, zlib.DEFLATED, _GZIP_WINDOW)
            case "deflate":
                self._inner = zlib.compressobj(1)
            case "zstd":
                self._inner = zstandard.ZstdCompressor(level=1).compressobj()
            case "lz4":
                self._inner = lz4.frame.LZ4FrameCompressor()
                self._head = self._inner.begin()
            case _:
                self._inner = cramjam.brotli.Compressor(level=1)
        self._is_brotli = encoding == "br"

    def feed(self, data: bytes) -> bytes:
        if self._is_brotli:
            self._inner.compress(data)
            return bytes(self._inner.flush())
        head, self._head = self._head, b""
        return head + bytes(self._inner.compress(data))

    def finish(self) -> bytes:
        return bytes(self._inner.finish() if self._is_brotli else self._inner.flush())
