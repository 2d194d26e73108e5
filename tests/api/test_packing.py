"""What is packed once and sent to many: any browser unpacks it as it comes."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.api.packing import GZIP_HEADER, Packed, gzip_file, joined, takes_gzip

PIECES = st.lists(st.binary(max_size=3_000) | st.sampled_from([b"", b"campaign " * 20_000, bytes(70_000)]), max_size=6)


@given(PIECES, st.booleans())
def test_pieces_in_any_order_are_one_gzip_file(contents: list[bytes], wraps: bool) -> None:  # noqa: FBT001 - drawn
    pieces = [Packed.wrapped(one) if wraps else Packed.of(one) for one in contents]
    whole = joined(pieces)
    assert whole.plain == b"".join(contents)
    assert gzip.decompress(gzip_file(whole)) == whole.plain


@given(PIECES)
def test_each_piece_is_readable_before_the_next_one_comes(contents: list[bytes]) -> None:
    reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
    assert reader.decompress(GZIP_HEADER) == b""
    for one in contents:
        assert reader.decompress(Packed.of(one).deflated) == one


def test_what_repeats_becomes_shorter() -> None:
    packed = Packed.of(b'["spring",1200,0.5],' * 500)
    assert len(packed.deflated) < len(packed.plain) / 10


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip, deflate, br", True),
        ("GZIP;q=0.5", True),
        ("*", True),
        ("*;q=0, gzip", True),
        ("", False),
        ("identity", False),
        ("br, gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("*, gzip;q=0", False),
        ("*;q=0", False),
    ],
)
def test_a_visitor_who_does_not_take_gzip_is_not_sent_it(accepted: str, takes: bool) -> None:  # noqa: FBT001 - a case
    assert takes_gzip(accepted) is takes
