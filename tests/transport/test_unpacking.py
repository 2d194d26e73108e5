"""What the compiled core unpacks is what the codecs unpack one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import lz4.frame
import numpy as np
import pytest
from aiokafka import codec
from hypothesis import given
from hypothesis import strategies as st

from pipeline.native.library import is_built
from pipeline.transport import unpacking
from pipeline.transport.unpacking import Unpacked, unpacked

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.skipif(not is_built(), reason="the native core is not built here")
Piece = tuple[int, bytes, int]  # number of the codec, what is packed, how many records its head tells
GZIP, LZ4 = 1, 3
RECORDS: Final = b'{"customer_id":"c-1"}' * 3
SIZES: Final = (lz4.frame.BLOCKSIZE_MAX64KB, lz4.frame.BLOCKSIZE_MAX256KB, lz4.frame.BLOCKSIZE_MAX4MB)


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    text = draw(st.binary(max_size=60)) * draw(st.sampled_from((1, 1, 1, 7, 5_000)))
    return bytes(
        lz4.frame.compress(
            text,
            block_size=draw(st.sampled_from(SIZES)),
            block_linked=draw(st.booleans()),
            content_checksum=draw(st.booleans()),
            block_checksum=draw(st.booleans()),
            store_size=draw(st.booleans()),
        )
    )


@st.composite
def pieces(draw: st.DrawFn) -> Piece:
    packed = draw(frames())
    match draw(
        st.sampled_from(("whole", "whole", "whole", "whole", "cut", "more", "two", "spoilt", "gzip", "unknown"))
    ):
        case "cut":
            packed = packed[: draw(st.integers(0, len(packed)))]
        case "more":
            packed += draw(st.binary(min_size=1, max_size=9))
        case "two":
            packed += draw(frames())
        case "spoilt":
            place = draw(st.integers(0, len(packed) - 1))
            packed = packed[:place] + bytes([packed[place] ^ draw(st.integers(1, 255))]) + packed[place + 1 :]
        case "gzip":
            return GZIP, codec.gzip_encode(RECORDS), 3
        case "unknown":
            return draw(st.sampled_from((0, 2, 4, 7))), packed, 1
        case _:
            pass
    return LZ4, packed, draw(st.sampled_from((0, 1, 1, 2, 40)))


def unpack(given_pieces: Sequence[Piece], before: bytes = b"") -> Unpacked:
    """Unpack batches that lie one behind another in a fetch."""
    at, heads = len(before), []
    for number, packed, count in given_pieces:
        heads.append((at, at + len(packed), number, count))
        at += len(packed)
    fetched = before + b"".join(packed for _, packed, _ in given_pieces)
    return unpacked(fetched, np.array(heads, np.uint64).reshape(-1, 4))


def one_by_one(given_pieces: Sequence[Piece]) -> Unpacked:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unpacking, "_frames", lambda: None)
        return unpack(given_pieces)


@given(st.lists(pieces(), max_size=6), st.binary(max_size=5))
def test_all_at_once_is_as_one_by_one(given_pieces: list[Piece], before: bytes) -> None:
    assert unpack(given_pieces, before) == one_by_one(given_pieces)


def test_frames_are_unpacked_by_the_core_until_one_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = bytes(lz4.frame.compress(RECORDS))
    called: list[int] = []
    real = unpacking.decompressed

    def counted(number: int, payload: memoryview) -> bytes | None:
        called.append(number)
        return real(number, payload)

    monkeypatch.setattr(unpacking, "decompressed", counted)
    assert unpack([(LZ4, frame, 3)] * 3) == (RECORDS * 3, [63, 126, 189], 9)
    assert not called
    assert unpack([(LZ4, frame, 3), (GZIP, codec.gzip_encode(RECORDS), 3), (LZ4, frame, 3)]) == (
        RECORDS * 3,
        [63, 126, 189],
        9,
    )
    assert called == [GZIP, LZ4]


@pytest.mark.parametrize("kibibytes", [1, 900, 2_000, 40_000])
def test_batches_that_hold_many_times_their_bytes_need_no_more_room_than_they_take(kibibytes: int) -> None:
    blank = (LZ4, bytes(lz4.frame.compress(bytes(kibibytes * 1024))), 5)
    small = (LZ4, bytes(lz4.frame.compress(RECORDS)), 3)
    texts, ends, records = unpack([small, blank, small])
    assert (texts, records) == (RECORDS + bytes(kibibytes * 1024) + RECORDS, 11)
    assert ends == [63, 63 + kibibytes * 1024, 126 + kibibytes * 1024]


def test_no_further_batch_is_unpacked_once_there_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "ENOUGH_UNPACKED", 100)
    gzip = (GZIP, codec.gzip_encode(RECORDS), 3)
    assert unpack([gzip] * 3).ends == [63, 126]


def test_without_the_functions_of_the_package_each_is_unpacked_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "_lz4_functions", lambda: None)
    monkeypatch.setattr(unpacking, "_of_thread", unpacking._OfThread())
    assert unpack([(LZ4, bytes(lz4.frame.compress(RECORDS)), 3)] * 2) == (RECORDS * 2, [63, 126], 6)
