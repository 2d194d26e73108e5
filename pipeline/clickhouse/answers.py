"""Whole answers of queries: columns with their types, and rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.clickhouse.reader import Reader

OPTIONS: Final[Mapping[str, object]] = {
    "output_format_json_quote_64bit_integers": 0,
    "output_format_json_quote_decimals": 0,
    # A panel reads some 10,000 rows: to share them out among threads costs up to a third more processor time, and hash
    # tables for many threads are made while a query is being prepared.
    "max_threads": 1,
    "join_algorithm": "hash",
}
"""Settings of a panel's query, which the reader may change on a server too (deploy/clickhouse/users.d/roi.xml)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A query's result.

    Attributes:
        columns: name and ClickHouse type.
        rows: values in the columns' order; integers of any width are numbers, instants text in UTC.
    """

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Any, ...], ...]


def ask(reader: Reader, query: str, most_rows: int, parameters: Mapping[str, object] | None = None) -> Answer:
    """Run one query and return its first rows; a failure is the reader's UserError."""
    options = {**OPTIONS, "max_result_rows": most_rows, "result_overflow_mode": "break"}
    _, chunks = reader.stream(query, "JSONCompact", parameters, options)
    found = json.loads(b"".join(chunks))
    columns = tuple((one["name"], one["type"]) for one in found["meta"])
    return Answer(columns, tuple(tuple(row) for row in found["data"][:most_rows]))
