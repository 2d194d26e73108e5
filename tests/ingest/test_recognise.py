from __future__ import annotations

import io
import json
from random import Random
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.ingest.recognise import foreign_format
from pipeline.ingest.records import parser_for
from pipeline.ingest.run import Ingestion
from pipeline.ingest.sources import text_chunks
from schemas.topics import LOGINS
from tests.ingest.recording import RecordingProducer
from tests.support.depth import depth

EVENT = {"event_id": "l", "occurred_at": "2026-03-03T10:00:00Z", "customer_id": "c", "channel": "app"}
LINE = json.dumps(EVENT)
CARRIAGE_RETURNS = "text whose lines end with a carriage return alone"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (f"[{LINE},\n{LINE}]".encode(), "one JSON array"),
        (b"\n  [\n  {}\n]", "one JSON array"),
        (json.dumps(EVENT, indent=2).encode(), "JSON spread over several lines"),
        (b'{"topic": "bank.logins.v1",\n "value": {}}\n', "JSON spread over several lines"),
        (LINE.encode("utf-16"), "text in UTF-16"),
        (LINE.encode("utf-16-le"), "text in UTF-16LE"),
        (LINE.encode("utf-16-be"), "text in UTF-16BE"),
        (LINE.encode("utf-32"), "text in UTF-32"),
        (LINE.encode("utf-32-le"), "text in UTF-32LE"),
        (LINE.encode("utf-32-be"), "text in UTF-32BE"),
        (b"PAR1\x15\x04", "a Parquet file"),
        (b"PK\x03\x04\x14", "a ZIP archive or an Excel workbook"),
        (b"(\xb5/\xfd\x04", "packed with zstd"),
        (b"BZh91AY", "packed with bzip2"),
        (b"event_id,occurred_at,customer_id\n1,2026-03-03,c\n", "a table with separators (CSV)"),
        ("客户,时间;渠道\r\n1,2,3\r\n".encode("gbk"), "a table with separators (CSV)"),
        (b"<?xml version='1.0'?>", "XML or HTML"),
        (b'"event:id","occurred_at"\r\n"1,2","2026-03-01T00:00:00Z"\r\n', "a table with separators (CSV)"),
        (b"e1,2026-03-01T00:00:00Z,c1\ne2,2026-03-01T00:00:01Z,c2\n", "a table with separators (CSV)"),
        (b'event_id,payload\n1,"{""a"":1}"\n', "a table with separators (CSV)"),
        (f"{LINE},\n{LINE},\n".encode(), "objects with commas between them"),
        (b'{ "topic": "bank.logins.v1", "value": {\n  "a": 1}\n}\n', "JSON spread over several lines"),
        (b'{\r\n  "campaigns": [\r\n {"a": 1}]}\r\n', "JSON spread over several lines"),
        (f"\x1e{LINE}\n\x1e{LINE}\n".encode(), "a JSON text sequence"),
        (b"{'event_id': 'l'}\n", "objects that JSON would quote otherwise"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "an old Excel workbook"),
        (b"\x1f\x8b\x08\x00", "packed with gzip twice"),
        (b"events.ndjson".ljust(257, b"\0") + b"ustar\0", "a tar archive"),
        (bytes(range(1, 9)) + bytes(100), "binary data"),
        (b"2026-01-01 INFO started\n" * 20, "text without objects"),
        (f"c1\t{LINE}\nc2\t{LINE}\n".encode(), "events with their keys before them"),
        (f"CreateTime:1772532000000\tc1\t{LINE}\r\nc2\tnull\r\n".encode(), "events with their keys before them"),
        (f'"客户"\t{LINE}'.encode(), "events with their keys before them"),
        (b'event_id\tpayload\n1\t{"a":1}\n', "a table with separators (CSV)"),
        (f"data: {LINE}\n\ndata: {LINE}\n\n".encode(), "a stream of server-sent events"),
        (f": welcome\n\nevent: login\nid: 7\ndata:{LINE}\n\n".encode(), "a stream of server-sent events"),
        (f"{LINE}\r{LINE}\r".encode(), CARRIAGE_RETURNS),
        (f"{LINE}\r\r{LINE[:40]}".encode(), CARRIAGE_RETURNS),
        (f"broken\r{LINE}\r{LINE}\r".encode(), CARRIAGE_RETURNS),
        (f"c1\t{LINE}\rc2\t{LINE}\r".encode(), CARRIAGE_RETURNS),
        (b"event_id,occurred_at,customer_id\r1,2026-03-03,c\r", "a table with separators (CSV)"),
        ("客户,时间;渠道\r1,2,3".encode("gbk"), "a table with separators (CSV)"),
        (f'{{"name":"客户",{LINE[1:]}\n'.encode("gbk") * 11, "text in another encoding than UTF-8"),
    ],
)
def test_another_format_is_recognised(head: bytes, kind: str) -> None:
    found = foreign_format(head)
    assert found is not None
    assert found[0] == kind


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\n\n",
        LINE.encode(),
        f"{LINE}\n{LINE}\n".encode(),
        b"nonsense\n{}",
        b"{}\n{}\n",
        b"7\nnull",
        b'{"a": "}{"}',
        f"{LINE[:30]}\n{LINE}\n".encode(),  # the first line was cut
        f"{LINE},\n{LINE}\n".encode(),
        f"a,b\n{LINE}\n".encode(),
        b"\0" * 100 + f"\n{LINE}\n".encode(),  # a hole that a crash left
        b"nonsense\n" * 9 + LINE.encode(),
        f"c1\t{LINE}\n{LINE}\n".encode(),
        f"data: {LINE}\n{LINE}\n".encode(),
        json.dumps(EVENT, indent=2).replace("\n", "\r").encode(),  # one line, for a carriage return is white space
        f'\r{{"of":\r[{LINE},\r{LINE}]}}\r'.encode(),
        f"{LINE}\r{LINE}\r\n{LINE}\n".encode(),
        f"{LINE}\r".encode(),
        f"{LINE}\r{LINE}\n".encode(),  # a pipe may give the good lines behind it later
        '{"name":"客户"}\n'.encode("gbk") * 10 + f"{LINE}\n".encode(),
        '{"name":"客户"}\n'.encode() * 200,  # a character is cut where what is looked at ends
    ],
)
def test_lines_of_json_and_broken_ones_are_left_to_the_parser(head: bytes) -> None:
    assert foreign_format(head) is None


def odd_line(random: Random) -> str:
    """Return an object as a producer may write it that knows JSON well."""
    fields: list[tuple[str, Any]] = [*EVENT.items()]
    others: list[tuple[str, Any]] = [("客户", "a,b;c|d"), ("data", {"id": ["\t"]}), (":", "<x>"), ("event", [{}, "{"])]
    fields += random.sample(others, 2)
    random.shuffle(fields)
    forms: list[dict[str, Any]] = [{"indent": 1}, {"separators": (" , ", ":")}, {"ensure_ascii": False}]
    text = json.dumps(dict(fields), **random.choice(forms)).replace("\n", random.choice(["\r", "\t", " "]))
    return random.choice(["", " ", "\t", "\r"]) + text + random.choice(["", " ", "\r", "\t\r"])


@pytest.mark.parametrize("seed", range(depth(60)))
def test_no_text_with_good_lines_alone_or_a_broken_one_before_them_is_another_format(seed: int) -> None:
    random = Random(seed)
    for _ in range(100):
        lines = [odd_line(random) for _ in range(random.choice([1, 1, 2, 3, 30]))]
        if random.random() < 0.3:
            broken = ["", "\r", "c1\t{}", "data: {}", "id: 1", "a,b", '{"cut":', "null", "123", ": x", "a\rb"]
            lines.insert(0, random.choice(broken))
        text = "\n".join(lines).encode()
        assert foreign_format(text) is None, text


def test_a_recognised_file_sends_nothing_even_in_pieces_of_a_byte() -> None:
    class OneByte(io.BytesIO):
        def read1(self, size: int | None = -1, /) -> bytes:
            return super().read1(min(1, size or 0))

    producer = RecordingProducer()
    ingestion = Ingestion(producer, parser_for(LOGINS), lambda _sentence: None)
    with pytest.raises(UserError, match="one JSON array"):
        ingestion.read("array.json", text_chunks(OneByte(f"[{LINE}]".encode()), lambda _size: None))
    assert not producer.calls
