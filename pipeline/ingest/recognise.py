"""Files that are no lines of JSON, told by their first bytes: one sentence instead of a complaint for every line."""

from __future__ import annotations

import re
from typing import Final

_SIGNATURES: Final = (
    (b"PAR1", "a Parquet file", "pandas.read_parquet(FILE).to_json(OUT, orient='records', lines=True)"),
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook", "unzip -p FILE | roi ingest -, or save the sheet as NDJSON"),
    (b"(\xb5/\xfd", "packed with zstd", "zstd -dc FILE | roi ingest -"),
    (b"BZh", "packed with bzip2", "bzip2 -dc FILE | roi ingest -"),
    (b"\xfd7zXZ", "packed with xz", "xz -dc FILE | roi ingest -"),
    (b'\x04"M\x18', "packed with lz4", "lz4 -dc FILE | roi ingest -"),
    (b"7z\xbc\xaf", "a 7z archive", "7z x -so FILE | roi ingest -"),
    (b"Obj\x01", "an Avro file", "avro-tools tojson FILE > events.ndjson"),
    (b"ORC", "an ORC file", "pandas.read_orc(FILE).to_json(OUT, orient='records', lines=True)"),
    (b"SQLite format 3", "an SQLite database", "export the table as one JSON object per line"),
    (b"\xff\xfe\0\0", "text in UTF-32", "iconv -f UTF-32 -t UTF-8 FILE > events.ndjson"),
    (b"\0\0\xfe\xff", "text in UTF-32", "iconv -f UTF-32 -t UTF-8 FILE > events.ndjson"),
    (b"\xff\xfe", "text in UTF-16", "iconv -f UTF-16 -t UTF-8 FILE > events.ndjson"),
    (b"\xfe\xff", "text in UTF-16", "iconv -f UTF-16 -t UTF-8 FILE > events.ndjson"),
)
_UTF_16_WITHOUT_MARK: Final = (
    (re.compile(rb"\s?(?:[\x20-\x7e]\0){2}"), "UTF-16LE"),
    (re.compile(rb"(?:\0[\x20-\x7e]){2}"), "UTF-16BE"),
)
_SEPARATED: Final = re.compile(rb"[^{}\[\]:,;\t|]+(?:[,;\t|][^{}\[\]:,;\t|]*)+\r?", re.ASCII)
_SPREAD_OBJECT: Final = re.compile(rb'\{\s*(?:"[^"\n]*"\s*:\s*(?:[^{}\n]*,)?\s*)?\r?')
HEAD_BYTES: Final = 4096
"""How much of the beginning is looked at."""


def foreign_format(head: bytes) -> tuple[str, str] | None:
    """Return what a text is that is no NDJSON, and how to turn it into NDJSON; None for NDJSON or what looks like it.

    Args:
        head: the first bytes (`HEAD_BYTES` are enough), unpacked, without a byte order mark of UTF-8.
    """
    return _by_signature(head) or _by_first_line(head[:HEAD_BYTES].lstrip())


def _by_signature(head: bytes) -> tuple[str, str] | None:
    for signature, kind, how in _SIGNATURES:
        if head.startswith(signature):
            return kind, f"convert it first: {how}"
    for pattern, name in _UTF_16_WITHOUT_MARK:
        if pattern.match(head):
            return f"text in {name}", f"convert it first: iconv -f {name} -t UTF-8 FILE > events.ndjson"
    return None


def _by_first_line(text: bytes) -> tuple[str, str] | None:
    line, end, _ = text.partition(b"\n")
    if text.startswith(b"["):
        return "one JSON array", "write one object per line: jq -c '.[]' FILE > events.ndjson"
    if text.startswith(b"{") and end and _SPREAD_OBJECT.fullmatch(line):
        return "JSON spread over several lines", "write one object per line: jq -c . FILE > events.ndjson"
    if text.startswith(b"<"):
        return "XML or HTML", "export it as one JSON object per line"
    if end and _SEPARATED.fullmatch(line):
        how = "pandas.read_csv(FILE).to_json(OUT, orient='records', lines=True)"
        return "a table with separators (CSV)", f"convert it first, with the contract's field names: {how}"
    return None
