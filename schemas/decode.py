"""Kafka records to columns of events, a fetch at a time: the hot path.

A batch is read by msgspec and checked column by column. A record that fails there is judged again by the pydantic
models (`schemas.judge`), which have the last word and give the reason; so both accept and reject the same records.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from msgspec import MsgspecError, defstruct
from msgspec.json import Decoder
from pydantic_core import from_json

from schemas import TOPIC_MODELS, Campaign, Customer, topics
from schemas.columns import Columns, CostColumns, LoginColumns, MoneyEventColumns, TouchColumns, TransactionColumns
from schemas.common import DEFAULT_EARLIEST_MS, END_MS
from schemas.instant_batch import parse_epoch_milliseconds
from schemas.judge import MAX_VALUE_BYTES, Reason, RejectedError, judge, judge_tombstone
from schemas.records import CostRecord, EventRecord, LoginRecord, TouchRecord, TransactionRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from schemas import Message

Rows_co = TypeVar("Rows_co", covariant=True)
_Item = TypeVar("_Item")
_UNREADABLE: Final = (MsgspecError, ValueError, RecursionError)

RECORD_OF_TOPIC: Final[dict[str, type[EventRecord]]] = {
    topics.LOGINS: LoginRecord,
    topics.TRANSACTIONS: TransactionRecord,
    topics.TOUCHES: TouchRecord,
    topics.COSTS: CostRecord,
}
COLUMNS_OF_TOPIC: Final[dict[str, type[Columns]]] = {
    topics.LOGINS: LoginColumns,
    topics.TRANSACTIONS: TransactionColumns,
    topics.TOUCHES: TouchColumns,
    topics.COSTS: CostColumns,
}


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record for the dead-letter topic; neither reason nor detail holds anything of the record itself."""

    offset: int
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Decoded(Generic[Rows_co]):
    """A batch taken apart: each record is a row of the columns or rejected, both in the order of the records."""

    columns: Rows_co
    rejected: list[Rejected]


@dataclass(frozen=True, slots=True)
class _Batch:
    topic: str
    offsets: Sequence[int]
    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]
    currency: str
    earliest_ms: int


@dataclass(frozen=True, slots=True)
class _Reader:
    """How one topic's values are read, and the columns that hold only certain texts."""

    exact: Callable[[bytes], EventRecord]  # rejects unknown fields
    tolerant: Callable[[bytes], EventRecord]
    patterns: dict[str, re.Pattern[str]]


def decode(  # noqa: PLR0913 - a fetch as columns, and the settings it is judged by
    topic: str,
    offsets: Sequence[int],
    keys: Sequence[bytes | None],
    values: Sequence[bytes | None],
    *,
    currency: str,
    earliest_ms: int = DEFAULT_EARLIEST_MS,
) -> Decoded[Columns]:
    """Decode one fetch of an event topic; never raises for what the records hold.

    Args:
        topic: one of `schemas.topics.EVENT_TOPICS`.
        offsets: offset of each record.
        keys: key of each record, None for a record without one.
        values: value of each record, None for a tombstone.
        currency: the reporting currency.
        earliest_ms: events before it are implausible, as those are from `schemas.common.END_MS` on.
    """
    batch = _Batch(topic, offsets, keys, values, currency, earliest_ms)
    records, unread = _read(_reader(topic), values)
    read = _all_but(len(values), unread)
    columns = _columns(topic, _pick(offsets, read), records)
    suspects = {read[row] for row in _suspect_rows(batch, columns, _pick(keys, read))}
    rejected, accepted = _judge_again(batch, sorted(suspects.union(unread)))
    if suspects or accepted:
        kept = {at: record for at, record in zip(read, records, strict=True) if at not in suspects} | accepted
        rows = sorted(kept)
        columns = _columns(topic, [offsets[at] for at in rows], [kept[at] for at in rows])
    return Decoded(columns, rejected)


def decode_campaign(key: bytes | None, value: bytes | None) -> Campaign | None:
    """Decode a record of ``bank.campaigns.v1``; None: the campaign that the key names is retired.

    Raises:
        RejectedError: the record belongs in the dead-letter topic.
    """
    message = _decode_dimension(topics.CAMPAIGNS, key, value)
    return message if isinstance(message, Campaign) else None


def decode_customer(key: bytes | None, value: bytes | None) -> Customer | None:
    """Decode a record of ``bank.customers.v1``; None: the customer that the key names is erased.

    Raises:
        RejectedError: the record belongs in the dead-letter topic.
    """
    message = _decode_dimension(topics.CUSTOMERS, key, value)
    return message if isinstance(message, Customer) else None


def _decode_dimension(topic: str, key: bytes | None, value: bytes | None) -> Message | None:
    if value is None:
        judge_tombstone(topic, key)
        return None
    return judge(topic, key, value)


@cache
def _reader(topic: str) -> _Reader:
    record = RECORD_OF_TOPIC[topic]
    exact = defstruct(f"Exact{record.__name__}", [], bases=(record,), forbid_unknown_fields=True, gc=False)
    decode_exact = Decoder(cast("type[EventRecord]", exact)).decode
    decode_tolerant = Decoder(record).decode

    def tolerant(value: bytes) -> EventRecord:
        # msgspec hardly looks at what it skips: bad UTF-8 or endless nesting there would pass
        from_json(value, allow_inf_nan=False)
        return decode_tolerant(value)

    return _Reader(decode_exact, tolerant, _patterns(topic))


def _patterns(topic: str) -> dict[str, re.Pattern[str]]:
    """Return the patterns of the model's text fields that a struct leaves unchecked."""
    patterns = {}
    for name, schema in TOPIC_MODELS[topic].model_json_schema()["properties"].items():
        for variant in schema.get("anyOf", [schema]):
            if "pattern" in variant and name not in {"occurred_at", "currency"}:
                patterns[name] = re.compile(variant["pattern"])
    return patterns


def _read(reader: _Reader, values: Sequence[bytes | None]) -> tuple[list[EventRecord], list[int]]:
    """Return the records that msgspec could read, and the positions of the values it could not."""
    records: list[EventRecord] = []
    unread: list[int] = []
    read = reader.exact
    for position, value in enumerate(values):
        if value is None or len(value) > MAX_VALUE_BYTES:
            unread.append(position)
            continue
        try:
            records.append(read(value))
        except _UNREADABLE as error:
            if read is reader.exact and "unknown field" in str(error):
                read = reader.tolerant  # slower, but a producer that adds a field adds it to every event
                if (record := _read_or_none(read, value)) is not None:
                    records.append(record)
                    continue
            unread.append(position)
    return records, unread


def _read_or_none(read: Callable[[bytes], EventRecord], value: bytes) -> EventRecord | None:
    try:
        return read(value)
    except _UNREADABLE:
        return None


def _columns(topic: str, offsets: list[int], records: list[Any]) -> Columns:
    instants: list[Any] = parse_epoch_milliseconds([record.occurred_at for record in records])
    return COLUMNS_OF_TOPIC[topic].of(offsets, instants, records)


def _suspect_rows(batch: _Batch, columns: Columns, keys: list[bytes | None]) -> set[int]:
    """Return the rows with a wrong or implausible instant, or a wrong currency, key or text."""
    suspects: set[int] = set()
    instants: list[Any] = columns.occurred_at
    earliest = batch.earliest_ms
    if None in instants or (instants and (min(instants) < earliest or max(instants) >= END_MS)):
        suspects.update(
            row for row, instant in enumerate(instants) if instant is None or not earliest <= instant < END_MS
        )
    if isinstance(columns, MoneyEventColumns):
        stated = columns.currency
        if stated.count("") + stated.count(batch.currency) != len(columns):
            suspects.update(row for row, currency in enumerate(stated) if currency not in {"", batch.currency})
    identifiers = [identifier.encode() for identifier in getattr(columns, topics.KEY_FIELD[batch.topic])]
    if identifiers != keys:
        suspects.update(row for row, key in enumerate(keys) if key != identifiers[row])
    for name, pattern in _reader(batch.topic).patterns.items():
        texts = getattr(columns, name)
        wrong = {text for text in set(texts) if text is not None and not pattern.fullmatch(text)}
        if wrong:
            suspects.update(row for row, text in enumerate(texts) if text in wrong)
    return suspects


def _judge_again(batch: _Batch, doubtful: list[int]) -> tuple[list[Rejected], dict[int, EventRecord]]:
    """Return the rejections among the doubtful positions, and the records there that the models accept after all."""
    rejected: list[Rejected] = []
    accepted: dict[int, EventRecord] = {}
    for at in doubtful:
        try:
            message = judge(
                batch.topic, batch.keys[at], batch.values[at], currency=batch.currency, earliest_ms=batch.earliest_ms
            )
        except RejectedError as error:
            rejected.append(Rejected(batch.offsets[at], error.reason, error.detail))
        else:
            accepted[at] = RECORD_OF_TOPIC[batch.topic](**message.model_dump(mode="json"))
    return rejected, accepted


def _all_but(count: int, left_out: list[int]) -> Sequence[int]:
    if not left_out:
        return range(count)
    excluded = set(left_out)
    return [position for position in range(count) if position not in excluded]


def _pick(items: Sequence[_Item], positions: Sequence[int]) -> list[_Item]:
    # all of them is the usual case, and cheaper
    return list(items) if len(positions) == len(items) else [items[position] for position in positions]
