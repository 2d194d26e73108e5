"""Bytes out of files and stdin, unpacked where they are gzip (told by content, not by name)."""

from __future__ import annotations

import zlib
from itertools import chain
from typing import TYPE_CHECKING, Final, Protocol

from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

CHUNK_BYTES: Final = 1 << 18
_GZIP_MAGIC: Final = b"\x1f\x8b"
_GZIP_CONTAINER: Final = 31  # zlib's window bits for "gzip header and checksum"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class BrokenSourceError(PipelineError):
    """The rest of a source cannot be read; everything before has been passed on."""


class Readable(Protocol):
    """A binary stream that can return what is there without waiting for more, such as ``sys.stdin.buffer``."""

    def read1(self, size: int, /) -> bytes:
        """Return up to ``size`` bytes, at least one unless the stream has ended."""


def text_chunks(stream: Readable, on_read: Callable[[int], None]) -> Iterator[bytes]:
    """Yield a stream's text in pieces of at most `CHUNK_BYTES`, without a byte order mark.

    Args:
        stream: plain text, or gzip of one or more members.
        on_read: called with the number of bytes taken from the stream (compressed ones, if so).

    Raises:
        BrokenSourceError: the stream cannot be read on, or its gzip data is cut or damaged.
    """
    packed = _with_whole_head(_raw_chunks(stream, on_read))
    head = next(packed)
    packed = chain((head,), packed)
    text = _with_whole_head(_unpacked(packed) if head.startswith(_GZIP_MAGIC) else packed)
    yield next(text).removeprefix(_BYTE_ORDER_MARK)
    yield from text


def _raw_chunks(stream: Readable, on_read: Callable[[int], None]) -> Iterator[bytes]:
    try:
        while chunk := stream.read1(CHUNK_BYTES):
            on_read(len(chunk))
            yield chunk
    except OSError as error:
        raise BrokenSourceError(f"cannot be read on ({error.strerror or error})") from error


def _with_whole_head(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Pass the pieces on, the first one filled up to what tells the format; a pipe may begin with a single byte."""
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= len(_BYTE_ORDER_MARK):
            break
    yield head
    yield from pieces


def _unpacked(packed: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack gzip members one after the other, never more than `CHUNK_BYTES` at once (a small file may hold much)."""
    member = zlib.decompressobj(_GZIP_CONTAINER)
    for chunk in packed:
        rest = chunk
        while rest:
            if member.eof:
                rest = rest.lstrip(b"\0")  # padding between or after members is allowed
                member = zlib.decompressobj(_GZIP_CONTAINER) if rest else member
                continue
            try:
                text = member.decompress(rest, CHUNK_BYTES)
            except zlib.error as error:
                raise BrokenSourceError(f"damaged gzip data ({error})") from error
            if text:
                yield text
            rest = member.unused_data if member.eof else member.unconsumed_tail
    if not member.eof:
        raise BrokenSourceError("the gzip data ends too early: the file was cut")
