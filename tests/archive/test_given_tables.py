"""Tables of events that anybody may have written, read without an installation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import UserError
from pipeline.ingest.records import AUTO
from pipeline.inputs.given import Refusals, records_in
from schemas.topics import LOGINS

if TYPE_CHECKING:
    from pathlib import Path

ROWS: dict[str, list[Any]] = {
    "topic": [LOGINS] * 2,
    "event_id": ["1", "2"],
    "occurred_at": ["2026-03-01T00:00:00Z"] * 2,
    "customer_id": ["客户", "c"],
    "channel": ["app"] * 2,
}


@pytest.mark.parametrize("column", ROWS)
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())], ids=str)
def test_a_column_whose_text_is_not_utf_8_is_named(tmp_path: Path, column: str, kind: pa.DataType) -> None:
    table = pa.table(ROWS)
    damaged = pa.array([b"a", "客户".encode("gbk")], pa.binary()).view(pa.string())
    place = table.schema.get_field_index(column)
    changed = damaged.dictionary_encode() if pa.types.is_dictionary(kind) else damaged.cast(kind)
    path = tmp_path / "events.parquet"
    pq.write_table(table.set_column(place, column, changed), path)
    with pytest.raises(UserError, match=f"events.parquet: column {column} holds text that is not UTF-8"):
        list(records_in(path, AUTO, Refusals()))


def test_texts_in_utf_8_are_read(tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    pq.write_table(pa.table(ROWS), path)
    assert [key for _, key, _ in records_in(path, AUTO, Refusals())] == ["客户".encode(), b"c"]
