from __future__ import annotations

import random
import struct
import zlib

import lz4.block
import pytest
import zstandard
from clickhouse_cityhash.cityhash import CityHash128

from pipeline.embedded.clickhouse.blocks import BlockReader, compressed
from pipeline.embedded.clickhouse.errors import QueryError
from tests.embedded.clickhouse.client import Client

_ROWS = b"".join(b"%d\n" % number for number in range(400_000))
_METHODS = {0x02: bytes, 0x82: lambda data: lz4.block.compress(data, store_size=False), 0x90: zstandard.compress}


def _block(method: int, plain: bytes, *, size: int | None = None, data: bytes | None = None) -> bytes:
    packed = _METHODS.get(method, bytes)(plain) if data is None else data
    checked = struct.pack("<BII", method, 9 + len(packed), len(plain) if size is None else size) + packed
    number = CityHash128(checked)
    return struct.pack("<QQ", number >> 64, number & (2**64 - 1)) + checked


def _plain(blocks: bytes) -> bytes:
    reader = BlockReader()
    plain = b"".join(reader.feed(blocks))
    reader.finish()
    return plain


@pytest.mark.parametrize("method", _METHODS)
def test_blocks_arrive_whole_in_any_pieces(method: int) -> None:
    cuts = random.Random(7)
    stream = b"".join(_block(method, plain) for plain in (_ROWS[:100_000], b"", b"x", _ROWS[100_000:300_000]))
    reader, plain, position = BlockReader(), b"", 0
    while position < len(stream):
        step = cuts.choice((1, 5, 25, 4096, 70_000))
        plain += b"".join(reader.feed(stream[position : position + step]))
        position += step
    reader.finish()
    assert plain == _ROWS[:100_000] + b"x" + _ROWS[100_000:300_000]


@pytest.mark.parametrize("size", [0, 1, 2**20, 2**20 + 1, 3_000_000])
def test_what_is_written_can_be_read(size: int) -> None:
    data = random.Random(size).randbytes(size)
    assert _plain(compressed(data)) == data


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (_block(0x82, b"abc")[:-1], 271),
        (_block(0x82, b"abc")[:10], 271),
        (bytes(16) + _block(0x82, b"abc")[16:], 40),
        (_block(0x82, b"abc")[:-1] + b"!", 40),
        (_block(0x91, b"abc"), 432),
        (_block(0x82, b"abc", size=2**31), 131),
        (_block(0x82, b"abc" * 99, size=5), 271),
        (_block(0x82, b"abc", size=500), 271),
        (_block(0x90, b"abc", data=b"not zstd"), 271),
        (_block(0x90, bytes(2**27), size=3), 271),  # a bomb: its frame says another size
        (_block(0x02, b"abc", size=4), 271),
        (bytes(16) + struct.pack("<BII", 0x82, 3, 3) + bytes(9), 271),
    ],
)
def test_damaged_blocks_are_refused(stream: bytes, code: int) -> None:
    with pytest.raises(QueryError) as refused:
        _plain(stream)
    assert refused.value.code == code


@pytest.mark.parametrize("rows", [0, 1, 500_000])
@pytest.mark.parametrize("output", ["TSV", "JSON", "Native"])
def test_replies_are_blocks_where_the_client_asks(reader: Client, rows: int, output: str) -> None:
    sql = f"SELECT number FROM numbers({rows})"
    packed = reader.send(sql, compress="1", default_format=output, output_format_write_statistics="0")
    assert _plain(packed.body) == reader.send(sql, default_format=output, output_format_write_statistics="0").body
    assert "Content-Encoding" not in packed.headers


def test_blocks_and_an_encoding_of_http_may_be_asked_for_together(reader: Client) -> None:
    reply = reader.send("SELECT 1", compress="1", headers={"Accept-Encoding": "deflate"})
    assert _plain(zlib.decompress(reply.body)) == b"1\n"


def test_errors_are_blocks_but_those_of_access(reader: Client) -> None:
    for sql, code in (("SELECT nope", 47), ("SELEC", 62)):
        reply = reader.send(sql, compress="1")
        assert reply.code == code
        assert _plain(reply.body).startswith(b"Code: %d. DB::Exception: " % code)
    assert reader.send("SELECT file('/x')", compress="1").text.startswith("Code: 497. ")
    wrong = Client(reader.url, ("roi_reader", "wrong")).send("SELECT 1", compress="1")
    assert (wrong.status, wrong.text[:10]) == (401, "Code: 516.")


@pytest.mark.parametrize("method", _METHODS)
def test_bodies_of_blocks_are_inserted(writer: Client, method: int) -> None:
    table = f"roi.blocks_{method}"
    writer.query(f"CREATE TABLE {table} (a UInt64) ENGINE = MergeTree ORDER BY a")
    stream = b"".join(_block(method, _ROWS[start : start + 2**20]) for start in range(0, len(_ROWS), 2**20))
    assert writer.query(f"INSERT INTO {table} FORMAT TSV", stream, decompress="1") == ""
    statement = _block(method, b"INSERT INTO %b FORMAT TSV\n400000\n" % table.encode())
    assert writer.send(None, statement, decompress="1").status == 200
    assert writer.query(f"SELECT count(), sum(a) FROM {table}") == "400001\t80000200000\n"
    assert writer.fails(f"INSERT INTO {table} FORMAT TSV", stream[:-3], decompress="1") == 271
    assert writer.fails(f"INSERT INTO {table} FORMAT TSV", bytes(16) + stream[16:], decompress="1") == 40
    assert writer.query(f"SELECT count() FROM {table}") == "400001\n"
    unchecked = {"http_native_compression_disable_checksumming_on_decompress": "1"}
    assert writer.query(f"INSERT INTO {table} FORMAT TSV", bytes(16) + stream[16:], decompress="1", **unchecked) == ""
