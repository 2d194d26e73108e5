"""Records as Arrow columns and back: an event's fields, where it stood in its log, and a reason if it was refused.

Reading gives the record that the topic would give, as the same decoder reads it: fields of no schema are gone, and
the customer's id is the pseudonym.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from schemas.decode import RECORD_OF_TOPIC
from schemas.topics import CAMPAIGNS, COSTS, CUSTOMERS, KEY_FIELD, LOGINS, TOUCHES, TRANSACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

INSTANT: Final = pa.timestamp("ms", tz="UTC")
_EVENT: Final = (("event_id", pa.string()), ("occurred_at", INSTANT))
_MONEY: Final = (*_EVENT, ("currency", pa.string()))
FIELDS: Final[dict[str, tuple[tuple[str, pa.DataType], ...]]] = {
    LOGINS: (
        *_EVENT,
        ("customer_id", pa.string()),
        ("channel", pa.string()),
        ("session_seconds", pa.float64()),
        ("automated", pa.bool_()),
    ),
    TRANSACTIONS: (
        *_MONEY,
        ("customer_id", pa.string()),
        ("kind", pa.string()),
        ("amount_minor", pa.int64()),
        ("channel", pa.string()),
        ("product", pa.string()),
        ("revenue_minor", pa.int64()),
        ("aum_delta_minor", pa.int64()),
        ("cross_bank", pa.bool_()),
        ("scenario", pa.string()),
        ("reverses", pa.string()),
    ),
    TOUCHES: (
        *_MONEY,
        ("customer_id", pa.string()),
        ("campaign_id", pa.string()),
        ("variant", pa.string()),
        ("channel", pa.string()),
        ("kind", pa.string()),
        ("cost_minor", pa.int64()),
        ("automated", pa.bool_()),
        ("recommended", pa.bool_()),
    ),
    COSTS: (
        *_MONEY,
        ("campaign_id", pa.string()),
        ("variant", pa.string()),
        ("category", pa.string()),
        ("amount_minor", pa.int64()),
    ),
    CAMPAIGNS: (("campaign_id", pa.string()), ("definition", pa.string())),
    CUSTOMERS: (
        ("customer_id", pa.string()),
        ("tier", pa.string()),
        ("segment", pa.string()),
        ("opened_at", INSTANT),
        ("retired", pa.bool_()),
    ),
}
_PLACE: Final = (("partition", pa.int32()), ("offset", pa.int64()))
_REFUSAL: Final = (("refused", pa.string()), ("detail", pa.string()))


class Stored(NamedTuple):
    """A record of a file; a refused one has no value, and its key is at most a pseudonym."""

    offset: int
    key: bytes | None
    value: bytes | None
    refusal: tuple[str, str] | None = None


def schema_of(topic: str) -> pa.Schema:
    """Return the columns of a topic's files."""
    return pa.schema([*_PLACE, *FIELDS[topic], *_REFUSAL])


def records_of(topic: str, batch: pa.RecordBatch) -> Iterator[Stored]:
    """Yield the records of some rows in their order."""
    columns = {name: batch.column(name) for name in batch.schema.names}
    refused = columns["refused"].to_pylist()
    details = columns["detail"].to_pylist()
    identifiers = columns[KEY_FIELD[topic]].to_pylist()
    keys = [None if identifier is None else identifier.encode() for identifier in identifiers]
    values = _values(topic, columns, refused)
    for offset, key, value, reason, detail in zip(
        columns["offset"].to_pylist(), keys, values, refused, details, strict=True
    ):
        if reason is None:
            yield Stored(offset, key, value)
        else:
            yield Stored(offset, key, None, (reason, detail))


def instant_texts(column: pa.Array) -> list[str | None]:
    """Return instants as RFC 3339."""
    known = column.is_valid().to_numpy(zero_copy_only=False)
    numbers = column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    texts = np.datetime_as_string(numbers.astype("datetime64[ms]"), timezone="UTC").tolist()
    return [text if there else None for text, there in zip(texts, known, strict=True)]


def _values(topic: str, columns: dict[str, Any], refused: Sequence[str | None]) -> list[bytes | None]:
    if topic == CAMPAIGNS:
        return [None if text is None else text.encode() for text in columns["definition"].to_pylist()]
    lists = {
        name: instant_texts(columns[name]) if kind == INSTANT else columns[name].to_pylist()
        for name, kind in FIELDS[topic]
    }
    encode = msgspec.json.Encoder().encode
    if topic == CUSTOMERS:
        retired = lists.pop("retired")
        return [
            None if gone or reason is not None else encode(dict(zip(lists, row, strict=True)))
            for gone, reason, row in zip(retired, refused, zip(*lists.values(), strict=True), strict=True)
        ]
    record = RECORD_OF_TOPIC[topic]
    shaped = msgspec.defstruct(f"Stored{record.__name__}", [(name, Any, None) for name in lists], omit_defaults=True)
    return [
        None if reason is not None else encode(shaped(*row))
        for reason, row in zip(refused, zip(*lists.values(), strict=True), strict=True)
    ]
