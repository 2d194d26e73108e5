"""Records out of files that anybody may have written: lines as `roi ingest` takes them, and tables of events."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import UserError
from pipeline.ingest.lines import batches_of_lines, stripped
from pipeline.ingest.recognise import recognised
from pipeline.ingest.records import AUTO, LONGEST_LINE, RefusedError, parser_for
from pipeline.ingest.sources import BrokenSourceError, text_chunks
from pipeline.inputs.columns import FIELDS, INSTANT, records_of, schema_of
from schemas.decode import RECORD_OF_TOPIC
from schemas.instant_batch import parse_epoch_milliseconds
from schemas.topics import CAMPAIGNS, CUSTOMERS, INPUT_TOPICS, KEY_FIELD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pipeline.ingest.ports import Record

PARQUET: Final = b"PAR1"
_ROWS: Final = 8_192
_COMPLAINTS: Final = 5
_EVENTS: Final = "events.ndjson"


@dataclass(slots=True)
class Refusals:
    """Lines that are no records, for want of a topic or a key: how many, and where the first ones are."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, place: str, reason: str) -> None:
        """Note one."""
        self.count += 1
        if len(self.first) < _COMPLAINTS:
            self.first.append(f"{place}: {reason}")


def is_parquet(path: Path) -> bool:
    """Tell whether a file is one of Parquet, by its content.

    Raises:
        UserError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(len(PARQUET)) == PARQUET
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})", "name files of events, or an archive") from error


def digest_of(paths: Iterable[Path]) -> str:
    """Return what tells files of these contents, in this order, from any others."""
    digest = hashlib.blake2b(digest_size=16)
    for path in paths:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "blake2b").digest())
    return digest.hexdigest()


def records_in(path: Path, topic: str, refusals: Refusals) -> Iterator[Record]:
    """Yield a file's records in its order: topic, key and value.

    Args:
        path: NDJSON, gzip or not, or Parquet.
        topic: of all records; `auto`: each line, or the table's column `topic`, names it.
        refusals: told of lines that are no records.

    Raises:
        UserError: the file cannot be read, or lacks a column; the message names both.
    """
    return _rows(path, topic) if is_parquet(path) else _lines(path, topic, refusals)


def _lines(path: Path, topic: str, refusals: Refusals) -> Iterator[Record]:
    parse = parser_for(topic)
    number = 0
    try:
        with path.open("rb") as file:
            text = recognised(str(path), text_chunks(file, lambda _size: None), "nothing was replayed", _EVENTS)
            for lines in batches_of_lines(text, LONGEST_LINE):
                for line in lines:
                    number += 1
                    if not (record := stripped(line)):
                        continue
                    try:
                        yield parse(record)
                    except RefusedError as error:
                        refusals.add(f"{path}:{number}", str(error))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})", "check its permissions") from error
    except BrokenSourceError as error:
        raise UserError(f"{path} {error}", "name a whole file") from error


def _rows(path: Path, topic: str) -> Iterator[Record]:
    try:
        with pq.ParquetFile(path) as opened:
            for batch in opened.iter_batches(batch_size=_ROWS):
                for name, rows in _by_topic(path, topic, batch):
                    for record in records_of(name, _shaped(path, name, rows)):
                        yield name, record.key or b"", record.value
    except (OSError, pa.ArrowException) as error:
        words = getattr(error, "strerror", None) or "it is damaged"
        raise UserError(f"{path} cannot be read ({words})", "name a whole Parquet file") from error


def _by_topic(path: Path, topic: str, batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
    if topic != AUTO:
        yield _checked(path, topic), batch
        return
    if "topic" not in batch.schema.names:
        raise UserError(f"{path} has no column topic", "name the topic of its rows: --topic bank.transactions.v1")
    names = _utf_8(path, "topic", batch.column("topic").cast(pa.string()))
    for name in names.unique().to_pylist():
        yield _checked(path, name), batch.filter(pc.equal(names, name))


def _checked(path: Path, topic: str | None) -> str:
    if topic not in INPUT_TOPICS or topic == CAMPAIGNS:
        known = ", ".join(name for name in INPUT_TOPICS if name != CAMPAIGNS)
        raise UserError(f"{path}: rows of {topic!r} are not read from Parquet", f"name one of {known}")
    return topic


def _shaped(path: Path, topic: str, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return rows with the columns that an archive's have."""
    needed = {KEY_FIELD[topic]}
    if topic != CUSTOMERS:
        needed |= {one.encode_name for one in msgspec.structs.fields(RECORD_OF_TOPIC[topic]) if one.required}
    missing = [name for name, _ in FIELDS[topic] if name in needed and name not in batch.schema.names]
    if missing:
        raise UserError(
            f"{path} has no column {' and no column '.join(missing)}, which {topic} needs", "add it, or rename it so"
        )
    schema, size = schema_of(topic), len(batch)
    given = {name: batch.column(name) for name, _ in FIELDS[topic] if name in batch.schema.names}
    arrays = [
        _cast(path, one, given[one.name])
        if one.name in given
        else pa.array([0] * size, one.type)
        if one.name == "offset"
        else pa.nulls(size, one.type)
        for one in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _cast(path: Path, wanted: pa.Field, column: pa.Array) -> pa.Array:
    kind = wanted.type
    try:
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if kind == INSTANT:
            if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                texts = _utf_8(path, wanted.name, column).fill_null("").to_pylist()
                return pa.array(parse_epoch_milliseconds(texts), INSTANT)
            if not pa.types.is_timestamp(column.type) or column.type.tz is None:
                raise UserError(
                    f"{path}: column {wanted.name} is {column.type}, which names no instant",
                    "make it a timestamp with a time zone",
                )
            return pc.floor_temporal(column, unit="millisecond").cast(INSTANT)
        if pa.types.is_floating(column.type):
            column = pc.if_else(pc.is_nan(column), None, column)  # what pandas calls no number
        return _utf_8(path, wanted.name, column.cast(kind))
    except pa.ArrowException as error:
        raise UserError(
            f"{path}: column {wanted.name} is {column.type} and cannot be read as {kind}", "convert it"
        ) from error


def _utf_8(path: Path, name: str, column: pa.Array) -> pa.Array:
    """Return a column as it is; of text Arrow takes any bytes until somebody reads them."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        try:
            column.validate(full=True)
        except pa.ArrowInvalid as error:
            raise UserError(f"{path}: column {name} holds text that is not UTF-8", "write the table again") from error
    return column
