"""Content-Encoding of requests and replies."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

import lz4.frame
import zstandard

from pipeline.embedded.clickhouse.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_PIECE_BYTES: Final = 2**20
_REFUSALS: Final = frozenset({"q=0", "q=0.0", "q=0.00", "q=0.000"})


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


def wants_gzip(headers: Mapping[str, str]) -> bool:
    """Tell whether the client takes gzip."""
    offers = (offer.partition(";") for offer in headers.get("Accept-Encoding", "").lower().split(","))
    return any(name.strip() == "gzip" and quality.replace(" ", "") not in _REFUSALS for name, _, quality in offers)


class Encoder:
    """Gzips a reply as it streams. Level 1: higher ones cost many times what the engine needs to make the rows."""

    def __init__(self, *, gzip: bool) -> None:
        self._inner = zlib.compressobj(1, zlib.DEFLATED, _GZIP_WINDOW) if gzip else None
        self.headers = {"Content-Encoding": "gzip"} if gzip else {}

    def feed(self, data: bytes) -> bytes:
        """Return the bytes to send for ``data``; there may be none yet."""
        return self._inner.compress(data) if self._inner else data

    def finish(self, data: bytes = b"") -> bytes:
        """Return the bytes for the last ``data`` and the end."""
        return self._inner.compress(data) + self._inner.flush() if self._inner else data
