"""Files that are no lines of JSON, told by their first bytes: one sentence instead of a complaint for every line."""

from __future__ import annotations

import codecs
import re
from itertools import chain
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SIGNATURES: Final = (
    (b"PAR1", "a Parquet file", "pandas.read_parquet(FILE).to_json(OUT, orient='records', lines=True)"),
    (b"PARE", "an encrypted Parquet file", "decrypt it, then write one JSON object per line"),
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook", "unzip -p FILE | roi ingest -, or save the sheet as NDJSON"),
    (b"PK\x05\x06", "an empty ZIP archive", "name the file that holds the events"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save the sheet as CSV, then write one JSON object per line"),
    (b"%PDF", "a PDF", "name the file that holds the events"),
    (b"ARROW1", "an Arrow file", "pandas.read_feather(FILE).to_json(OUT, orient='records', lines=True)"),
    (b"\x89HDF", "an HDF5 file", "pandas.read_hdf(FILE).to_json(OUT, orient='records', lines=True)"),
    (b"\x1f\x8b", "packed with gzip twice", "gzip -dc FILE | roi ingest -"),
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
_WIDE_WITHOUT_MARK: Final = (
    (re.compile(rb"\s?(?:[\x20-\x7e]\0){2}"), "UTF-16LE"),
    (re.compile(rb"(?:\0[\x20-\x7e]){2}"), "UTF-16BE"),
    (re.compile(rb"(?:[\x20-\x7e]\0{3}){2}"), "UTF-32LE"),
    (re.compile(rb"(?:\0{3}[\x20-\x7e]){2}"), "UTF-32BE"),
)
_CELL: Final = rb'(?:"(?:[^"\r\n]|"")*"|[^"{}\[\],;\t|\r\n]*)'
_SEPARATED: Final = re.compile(rb"(?!\s*[\w\"]+\s*:\s)" + _CELL + rb"(?:[,;\t|]" + _CELL + rb")+\r?")
_SPREAD_OBJECT: Final = re.compile(rb'\{\s*(?:"[^"\n]*"\s*:\s*(?:[^{}\n]*,)?\s*)?\r?')
_KEYED: Final = re.compile(rb"(?:[^\t{}\[\]]*\t)+[ ]*\{.*")  # a consumer's key, perhaps its time, a tab, the event
_EVENT_STREAM: Final = re.compile(rb"(?:data|event|id|retry)?:.*")
_DATA: Final = re.compile(rb"data: ?[\[{].*")
_INSIDE: Final = (b'"', b"}", b"]", b",")  # how a line begins that goes on with the value of the line before
_EXPORT: Final = "export it as one JSON object per line"
_INTO_INGEST: Final = "| roi ingest -"
_CONVERTED: Final = "events.ndjson"
_TAR_MARK: Final = slice(257, 262)
_FEWEST_LINES: Final = 10  # so many without one object are another format and not a few broken lines
HEAD_BYTES: Final = 4096
"""How much of the beginning is looked at."""


def foreign_format(head: bytes) -> tuple[str, str] | None:
    """Return what a text is that is no NDJSON, and how to turn it into NDJSON; None for NDJSON or what looks like it.

    Args:
        head: the first bytes (`HEAD_BYTES` are enough), unpacked, without a byte order mark of UTF-8.
    """
    head = head[:HEAD_BYTES]
    found = _by_signature(head)
    if found is None and (ends := _by_line_ends(head)) is not None:
        return ends
    first, *others = map(bytes.strip, head.lstrip().split(b"\n"))
    if found is None and first.startswith((b"{", b"[")):
        rest = [line for line in others if line]
        return _by_first_object(first, rest) or _by_encoding([first, *rest])
    if found is None and not any(line.startswith(b"{") for line in others):
        return _by_first_line(first, others)  # else a broken line before good ones, which the parser names
    return found


def _by_signature(head: bytes) -> tuple[str, str] | None:
    for signature, kind, how in _SIGNATURES:
        if head.startswith(signature):
            return kind, f"convert it first: {how}"
    if head[_TAR_MARK] == b"ustar":
        return "a tar archive", "convert it first: tar -xOf FILE | roi ingest -"
    for pattern, name in _WIDE_WITHOUT_MARK:
        if pattern.match(head):
            return f"text in {name}", f"convert it first: iconv -f {name} -t UTF-8 FILE > events.ndjson"
    return None


def _by_line_ends(head: bytes) -> tuple[str, str] | None:
    """Tell lines that end with a carriage return alone: they are one line here, and white space within it to JSON."""
    text = head.lstrip()
    if b"\n" in text or b"\r" not in text.rstrip():
        return None
    first, *others = [line.strip() for line in text.split(b"\r") if line.strip()]
    if first.startswith((b"{", b"[")):
        if not (_is_object(first) and others[0].startswith(b"{")):
            return None  # one object that is spread over several such lines is one line here, and good
    elif _SEPARATED.fullmatch(first) or not any(b"{" in line for line in others):
        return _by_first_line(first, others)
    remedy = "convert it first: tr '\\r' '\\n' < FILE > events.ndjson"
    return "text whose lines end with a carriage return alone", remedy


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _by_encoding(lines: list[bytes]) -> tuple[str, str] | None:
    if len(lines) < _FEWEST_LINES or any(map(_may_be_utf_8, lines)):
        return None  # the lines in UTF-8 are good
    how = "where it is in GBK, iconv -f GBK -t UTF-8 FILE > events.ndjson"
    return "text in another encoding than UTF-8", f"convert it first: {how}"


def _may_be_utf_8(text: bytes) -> bool:
    try:
        codecs.utf_8_decode(text, "strict", False)
    except UnicodeDecodeError:
        return False
    return True


def _by_first_object(line: bytes, others: list[bytes]) -> tuple[str, str] | None:
    if line.startswith(b"["):
        return "one JSON array", "write one object per line: jq -c '.[]' FILE > events.ndjson"
    if line.startswith((b"{'", b'{\\"')):
        return "objects that JSON would quote otherwise", 'write them as JSON: {"name": "value"}'
    if not others:
        return None
    inside = others[0].startswith(_INSIDE) and not line.endswith((b"}", b"},"))
    if inside or (_SPREAD_OBJECT.fullmatch(line) and not others[0].startswith(b"{")):
        return "JSON spread over several lines", "write one object per line: jq -c . FILE > events.ndjson"
    if all(text.startswith(b"{") and text.endswith(b"},") for text in (line, others[0])):
        return "objects with commas between them", "write one object per line: sed 's/,\\s*$//' FILE > events.ndjson"
    return None


def _by_first_line(line: bytes, others: list[bytes]) -> tuple[str, str] | None:
    if line.startswith(b"\x1e"):
        return "a JSON text sequence", "write one object per line: tr -d '\\036' < FILE > events.ndjson"
    if line.startswith(b"<"):
        return "XML or HTML", _EXPORT
    if any(b"\0" in text for text in (line, *others)):
        return "binary data", _EXPORT
    return _by_form(line, others)


def _by_form(line: bytes, others: list[bytes]) -> tuple[str, str] | None:
    if _KEYED.fullmatch(line) and (others or line.endswith(b"}")):
        columns = line[: line.index(b"{")].count(b"\t") + 1
        return "events with their keys before them", f"leave the keys out: cut -f{columns}- FILE > events.ndjson"
    if _EVENT_STREAM.fullmatch(line) and any(map(_DATA.fullmatch, (line, *others))):
        return "a stream of server-sent events", "write their data alone: sed -n 's/^data: *//p' FILE > events.ndjson"
    if others and _SEPARATED.fullmatch(line):
        how = "pandas.read_csv(FILE).to_json(OUT, orient='records', lines=True)"
        return "a table with separators (CSV)", f"convert it first, with the contract's field names: {how}"
    if sum(map(bool, (line, *others[:-1]))) >= _FEWEST_LINES:
        return "text without objects", _EXPORT
    return None


def recognised(name: str, chunks: Iterable[bytes], so: str, into: str = "") -> Iterator[bytes]:
    """Return a text as it is, once its beginning is seen not to be another format.

    Only a whole first line tells the formats apart that have no signature: what is there of it is looked at.

    Args:
        name: of the source.
        chunks: its text, as `pipeline.ingest.sources.text_chunks` gives it.
        so: what follows from another format, for its error.
        into: the file that its remedy writes, for who does not read it by `roi ingest`.

    Raises:
        UserError: it is another format, which the message names with the way to convert it.
    """
    rest = iter(chunks)
    held: list[bytes] = []
    size = 0
    for chunk in rest:
        held.append(chunk)
        size += len(chunk)
        if size >= HEAD_BYTES or b"\n" in chunk:
            break
    found = foreign_format(b"".join(held)[:HEAD_BYTES])
    if found is not None:
        kind, remedy = found
        if into:
            remedy = remedy.replace(_INTO_INGEST, f"> {into}").replace(_CONVERTED, into)
        raise UserError(f"{name} is {kind}, not one JSON object per line; {so}", remedy)
    return chain(held, rest)
