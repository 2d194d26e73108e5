from __future__ import annotations

import gzip
import io
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import pytest

from pipeline.ingest.sources import CHUNK_BYTES, BrokenSourceError, text_chunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.ingest.sources import Readable

MARK = b"\xef\xbb\xbf"
TEXT = b"".join(b'{"customer_id":"c-%d"}\n' % number for number in range(50_000))


class Dripping:
    """A pipe that gives few bytes at a time."""

    def __init__(self, content: bytes, size: int) -> None:
        self._pieces = iter([content[at : at + size] for at in range(0, len(content), size)])

    def read1(self, _size: int, /) -> bytes:
        return next(self._pieces, b"")


class Failing:
    def __init__(self, content: bytes) -> None:
        self._pieces: Iterator[bytes] = iter([content])

    def read1(self, _size: int, /) -> bytes:
        for piece in self._pieces:
            return piece
        raise OSError(5, "Input/output error")


def collect(stream: Readable, into: bytearray) -> None:
    for chunk in text_chunks(stream, lambda _size: None):
        into += chunk


def read(content: bytes) -> bytes:
    return b"".join(text_chunks(io.BytesIO(content), lambda _size: None))


@pytest.mark.parametrize("content", [b"", b"a", b"ab", b"{}\n", TEXT, b"\x1f", b"\xef\xbb"])
def test_plain_text_passes_unchanged(content: bytes) -> None:
    assert read(content) == content


def test_gzip_is_told_by_its_content() -> None:
    assert read(gzip.compress(TEXT)) == TEXT


def test_several_gzip_members_and_padding_are_one_text() -> None:
    content = gzip.compress(b"one\n") + b"\0" * 600 + gzip.compress(b"") + gzip.compress(b"two\n") + b"\0"
    assert read(content) == b"one\ntwo\n"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_byte_order_mark_is_dropped_at_the_beginning_only(pack: Callable[[bytes], bytes]) -> None:
    assert read(pack(MARK + b"a" + MARK)) == b"a" + MARK


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1_000])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_slow_pipe_gives_the_same_text(size: int, pack: Callable[[bytes], bytes]) -> None:
    pipe = Dripping(pack(MARK + TEXT[:4_000]), size)
    assert b"".join(text_chunks(pipe, lambda _size: None)) == TEXT[:4_000]


@pytest.mark.parametrize("cut", [3, 9, 15, 1_000, -1, -8])
def test_cut_gzip_gives_what_is_there_and_says_so(cut: int) -> None:
    packed = gzip.compress(TEXT)[:cut]
    got = bytearray()
    with pytest.raises(BrokenSourceError, match="cut"):
        collect(io.BytesIO(packed), got)
    assert got == zlib.decompressobj(31).decompress(packed)
    assert TEXT.startswith(got)


@pytest.mark.parametrize("damage", [slice(40, 60), slice(-8, -4)])
def test_damaged_gzip_is_an_error(damage: slice) -> None:
    packed = bytearray(gzip.compress(TEXT))
    packed[damage] = bytes(byte ^ 0x5A for byte in packed[damage])
    with pytest.raises(BrokenSourceError, match="damaged"):
        read(bytes(packed))


def test_text_after_gzip_is_an_error() -> None:
    with pytest.raises(BrokenSourceError, match="damaged"):
        read(gzip.compress(b"one\n") + b"two\n")


def test_failing_disk_is_an_error_after_what_was_read() -> None:
    got = bytearray()
    with pytest.raises(BrokenSourceError, match="Input/output error"):
        collect(Failing(b"one\ntwo"), got)
    assert got == b"one\ntwo"


def test_progress_counts_the_bytes_of_the_file() -> None:
    packed, sizes = gzip.compress(TEXT), list[int]()
    for _ in text_chunks(io.BytesIO(packed), sizes.append):
        pass
    assert sum(sizes) == len(packed)


def test_small_gzip_of_much_text_needs_little_memory() -> None:
    packed = gzip.compress(bytes(50_000_000))
    tracemalloc.start()
    try:
        largest = max(len(chunk) for chunk in text_chunks(io.BytesIO(packed), lambda _size: None))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert largest <= CHUNK_BYTES
    assert peak < 4_000_000
