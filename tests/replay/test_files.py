from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import UserError
from pipeline.replay.files import read_profiles

if TYPE_CHECKING:
    from pathlib import Path

LINE = json.dumps({"customer_id": "客户", "tier": "growth"}, ensure_ascii=False)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (LINE.encode("gbk"), "customers:1: not UTF-8 text; .*iconv -f GBK"),
        (f'\n{{"customer_id":"c","note":"{LINE[18]}"}}'.encode("gbk"), "customers:2: not UTF-8 text; .*iconv"),
        ('{"customer_id":"é"}'.encode("latin-1"), "customers:1: not UTF-8 text"),
        (LINE.encode("utf-16"), "is text in UTF-16, .*nothing was replayed; .*> customers.ndjson"),
        (f"[{LINE}]".encode(), "is one JSON array, .*nothing was replayed; .*> customers.ndjson"),
        (b"customer_id,tier\nc1,growth\n", r"is a table with separators \(CSV\)"),
        (b"PAR1\x00\xff\xfe", "is a Parquet file"),
        (b"(\xb5/\xfd\x00", "is packed with zstd, .*zstd -dc FILE > customers.ndjson"),
        (b'{"customer_id":"\\ud800"}', "customers:1: not JSON"),
        (b'{"customer_id":"c"}\n{"tier":"growth"}', "customers:2: no usable customer_id .*nothing was replayed"),
        (b'{"customer_id":"","tier":"growth"}', "customers:1: customer_id is empty"),
        (b'{"customer_id":"c","note":"' + "é".encode() * 40_000 + b'"}', "customers:1: longer than 65,536 bytes"),
    ],
)
def test_what_are_no_profiles_is_named_with_the_remedy(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "customers"
    for stored in (content, gzip.compress(content)):
        path.write_bytes(stored)
        with pytest.raises(UserError, match=complaint) as caught:
            read_profiles(path)
        assert "客户" not in str(caught.value)


def test_profiles_come_as_their_topic_carries_them(tmp_path: Path) -> None:
    path = tmp_path / "customers"
    path.write_bytes(f"\ufeff {LINE}\r\n\n{LINE}\n\ufeff{LINE}\n \ufeff \n".encode())
    assert read_profiles(path) == [("客户".encode(), LINE.encode())] * 3
