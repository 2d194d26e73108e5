"""Panels' numbers as Grafana's ClickHouse plugin gets them: Native over HTTP, in types that it has converters for."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from dashboards.definitions.macros import TimeRange, expand

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dashboards.definitions.panel import Panel, Unit

_NUMBER: Final = r"U?Int(8|16|32|64)|Int128|Float(32|64)"
_TEXT: Final = r"String|LowCardinality\((Nullable\()?String\)?\)"
_OF_UNIT: Final[dict[Unit, str]] = {
    "text": _TEXT,
    "state": _TEXT,
    "time": r"DateTime|DateTime64\([03], 'UTC'\)",
    "day": "Date(32)?",
    "series": r"Array\(Nullable\(Float64\)\)",
}
"""Types of grafana-clickhouse-datasource 4.20.0, pkg/converters: LowCardinality of a number, for one, has none."""


def asked(
    client: Any, panel: Panel, times: TimeRange, values: Mapping[str, Sequence[str]]
) -> tuple[list[str], list[Any]]:
    """Return types and rows, values written as ClickHouse's JSON writes them.

    Args:
        client: a reader's, of clickhouse-connect, which asks for Native as the plugin's Go client does.
        panel: whose SQL is asked.
        times: for its macros.
        values: of its variables.
    """
    answer = client.query(expand(panel.sql, times, values))
    if not answer.result_rows:  # Native without rows has no columns either
        return [], []
    assert list(answer.column_names) == [column.name for column in panel.columns]
    types = [kind.name for kind in answer.column_types]
    rows = [tuple(_plain(kind, cell) for kind, cell in zip(types, row, strict=True)) for row in answer.result_rows]
    return types, rows


def check_types(panel: Panel, types: Sequence[str]) -> None:
    """Hold each column's type against its unit; what time and place are read from is never null."""
    for column, kind in zip(panel.columns, types, strict=True):
        bare = re.sub(r"^Nullable\((.*)\)$", r"\1", kind)
        assert re.fullmatch(_OF_UNIT.get(column.unit, _NUMBER), bare), f"{column.name} is {kind}"
        if column.role in {"time", "x", "y", "end"}:
            assert bare == kind, f"{column.name} may be null"


def _plain(kind: str, cell: Any) -> Any:
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=None).isoformat(" ", "milliseconds" if "64(3" in kind else "seconds")
    if isinstance(cell, date):
        return cell.isoformat()
    return list(cell) if isinstance(cell, tuple) else cell
