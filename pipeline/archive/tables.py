"""Records of a topic as Arrow rows: what the schemas make of them, with pseudonyms in place of customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.inputs.columns import FIELDS, schema_of
from pipeline.transport.partitioner import misplaced
from pipeline.worker.placement import decode_placed, place_expected
from schemas.decode import decode, decode_campaign, decode_customer
from schemas.judge import RejectedError
from schemas.parser_limits import decode_at_any_depth
from schemas.topics import CAMPAIGNS, CUSTOMER_KEYED_TOPICS, CUSTOMERS, DIMENSION_TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.transport.ports import RecordBatch
    from schemas.columns import Columns

_ALWAYS: Final = -(1 << 62)
_CURRENCY: Final = "unsupported_currency"
Refused = tuple[int, str, str]  # offset, reason, detail


class _Stated(msgspec.Struct):
    currency: str = ""


_STATED: Final = msgspec.json.Decoder(_Stated)


class Rows(NamedTuple):
    """A batch's records as rows by increasing offset.

    Attributes:
        table: of the columns that `schema_of` the topic names.
        times: when each event occurred; None where a record is refused, or no event.
    """

    table: pa.Table
    times: list[int | None]


def rows_of(batch: RecordBatch, currency: str, pseudonym: Callable[[str], str]) -> Rows:
    """Return the rows of a batch; verdicts that settings decide are left to whoever replays them."""
    if batch.topic in DIMENSION_TOPICS:
        return _dimension_rows(batch, pseudonym)
    columns, refused = _judged(batch, currency)
    parts = [_events(batch, found, pseudonym) for found in columns if len(found)]
    times: list[int | None] = [at for found in columns for at in found.occurred_at]
    if refused:
        parts.append(_refusals(batch, refused, pseudonym))
        times += [None] * len(refused)
    table = pa.concat_tables(parts) if parts else schema_of(batch.topic).empty_table()
    if len(parts) > 1:
        order = pc.sort_indices(table.column("offset"))
        table, times = table.take(order), [times[place] for place in order.to_pylist()]
    return Rows(table, times)


def _judged(batch: RecordBatch, currency: str) -> tuple[list[Columns], list[Refused]]:
    """Return a batch's events, those in other currencies apart, and the records that are none under any settings."""
    found, _ = decode_placed(
        batch,
        (batch.offsets, batch.keys, batch.values),
        lambda *columns: decode(*columns, currency=currency, earliest_ms=_ALWAYS),
    )
    columns: list[Columns] = [found.columns]
    refused: list[Refused] = []
    place = {offset: at for at, offset in enumerate(batch.offsets)} if found.rejected else {}
    for item in found.rejected:
        key, value = batch.keys[place[item.offset]], batch.values[place[item.offset]]
        if item.reason == _CURRENCY and not misplaced([key], batch.partition, batch.partition_count):
            own = decode_at_any_depth(_STATED, value or b"").currency
            event = decode(batch.topic, [item.offset], [key], [value], currency=own, earliest_ms=_ALWAYS)
            if len(event.columns):
                columns.append(event.columns)
                continue
        refused.append((item.offset, str(item.reason), item.detail))
    return columns, refused


def _events(batch: RecordBatch, columns: Columns, pseudonym: Callable[[str], str]) -> pa.Table:
    lists: dict[str, Sequence[Any]] = {name: getattr(columns, name) for name, _ in FIELDS[batch.topic]}
    if "customer_id" in lists:
        lists["customer_id"] = [pseudonym(identifier) for identifier in lists["customer_id"]]
    if "currency" in lists:
        lists["currency"] = [stated or None for stated in lists["currency"]]
    return _table(batch, {"offset": columns.offset, **lists})


def _refusals(batch: RecordBatch, refused: list[Refused], pseudonym: Callable[[str], str]) -> pa.Table:
    """Return rows of refused records: place, reason, and whose they seem to be, but nothing of what they hold."""
    lists: dict[str, Sequence[Any]] = {
        "offset": [offset for offset, _, _ in refused],
        "refused": [reason for _, reason, _ in refused],
        "detail": [detail for _, _, detail in refused],
    }
    if batch.topic in CUSTOMER_KEYED_TOPICS:
        keys = dict(zip(batch.offsets, batch.keys, strict=True))
        owners = [keys[offset] for offset, _, _ in refused]
        lists["customer_id"] = [None if key is None else pseudonym(key.decode(errors="replace")) for key in owners]
    return _table(batch, lists)


def _dimension_rows(batch: RecordBatch, pseudonym: Callable[[str], str]) -> Rows:
    rows: list[dict[str, Any]] = []
    refused: list[Refused] = []
    for offset, key, value in zip(batch.offsets, batch.keys, batch.values, strict=True):
        try:
            rows.append({"offset": offset, **_dimension(batch, key, value, pseudonym)})
        except RejectedError as error:
            refused.append((offset, str(error.reason), error.detail))
    names = ("offset", *(name for name, _ in FIELDS[batch.topic]))
    table = _table(batch, {name: [row[name] for row in rows] for name in names})
    if refused:
        table = pa.concat_tables([table, _refusals(batch, refused, pseudonym)]).sort_by("offset")
    return Rows(table, [None] * len(table))


def _dimension(
    batch: RecordBatch, key: bytes | None, value: bytes | None, pseudonym: Callable[[str], str]
) -> dict[str, Any]:
    name = (key or b"").decode(errors="replace")
    if batch.topic == CAMPAIGNS:
        decode_campaign(key, value)
        return {"campaign_id": name, "definition": None if value is None else value.decode()}
    profile = decode_customer(key, value)
    if batch.topic == CUSTOMERS and misplaced([key], batch.partition, batch.partition_count):
        raise RejectedError("misplaced_key", place_expected(key or b"", batch.partition_count))
    opened = None if profile is None else profile.opened_at
    return {
        "customer_id": pseudonym(name),
        "tier": None if profile is None else profile.tier,
        "segment": None if profile is None else profile.segment,
        "opened_at": None if opened is None else round(opened.timestamp() * 1000),
        "retired": profile is None,
    }


def _table(batch: RecordBatch, lists: dict[str, Sequence[Any]]) -> pa.Table:
    """Return a table of the topic's columns; those not given are null."""
    schema = schema_of(batch.topic)
    size = len(lists["offset"])
    arrays = [
        pa.array([batch.partition] * size, field.type)
        if field.name == "partition"
        else pa.array(lists[field.name], field.type)
        if field.name in lists
        else pa.nulls(size, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
