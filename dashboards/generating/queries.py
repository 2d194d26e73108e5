"""A panel's SQL as Grafana asks it: the panel's own text, within a SELECT only where Grafana cannot show what it gives.

Grafana scales no unit down by a hundred, draws no array of numbers in a cell, moves a day to the day before west of
Greenwich, has no place for the period before, knows no end of a region, and writes every ratio with two digits, one of
1.9999 as if it were at a limit of 2. The SELECT around the panel's own text does these and changes no number otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dashboards.definitions.panel import Column, Panel

CHANGE: Final = "_change"
"""Ends the names of columns that hold a figure's change against the period before."""

_IN_TIME: Final = frozenset({"time", "regions"})
_BELOW: Final = "if({ratio} < {limit} AND {ratio_shown} >= {limit_shown}, ({limit_shown} - 1) / 100, {ratio})"
_SHOWN: Final = "floor(100 * {name} + 0.5)"  # in hundredths, as browsers round
_BAR: Final = (
    "if(isNull(value), ' ', substringUTF8('▁▂▃▄▅▆▇█', 1 + toUInt8(round(7 * (assumeNotNull(value) - arrayMin({known}))"
    " / greatest(arrayMax({known}) - arrayMin({known}), 1e-9))), 1))"
)


def asked(panel: Panel) -> str:
    """Return the SQL of a panel's own target: money in major units, days and small series as text."""
    sql = panel.sql.strip()
    columns = figures(panel) if panel.chart == "figures" else panel.columns
    end = next((column for column in panel.columns if panel.chart == "regions" and column.role == "end"), None)
    expressions = {
        column.name: _expression(panel, column, ended=end is not None) for column in columns if column is not end
    }
    if [f"answer.{column.name}" for column in panel.columns] == list(expressions.values()):
        return sql
    text = _around(sql, expressions)
    if end is not None:
        text += _edges(panel, end)
    if panel.chart in _IN_TIME:
        text += f"\nORDER BY {next(column.name for column in panel.columns if column.role == 'time')}"
    return text


def changes(panel: Panel) -> str:
    """Return the SQL of figures' changes against the period before, one column a figure.

    A change is a share of what was before; of a share it is percentage points. Null where nothing or zero was before,
    and for a figure without a period before: so each change stands below its figure.
    """
    texts = {}
    for column in figures(panel):
        before = before_of(panel, column)
        change = "CAST(NULL AS Nullable(Float64))"
        if before is not None:
            difference = f"answer.{column.name} - answer.{before.name}"
            change = f"({difference}) / abs(nullIf(answer.{before.name}, 0))"
            if column.unit == "share":
                change = f"100 * ({difference})"
        texts[column.name + CHANGE] = change
    return _around(panel.sql.strip(), texts)


def figures(panel: Panel) -> tuple[Column, ...]:
    """Return the columns that are tiles of a panel of figures."""
    return tuple(column for column in panel.columns if column.role not in {"previous", "hidden", "label", "counted"})


def values_of(panel: Panel) -> list[Column]:
    """Return the columns that a panel of Prometheus has an expression for, in their order."""
    return [column for column in panel.columns if column.role not in {"time", "label", "x", "hidden"}]


def before_of(panel: Panel, column: Column) -> Column | None:
    """Return the column with the same of the period before: the one that follows it, if it is such."""
    place = panel.columns.index(column) + 1
    following = panel.columns[place] if place < len(panel.columns) else None
    return following if following is not None and following.role == "previous" else None


def _around(sql: str, expressions: dict[str, str]) -> str:
    listed = ",\n    ".join(f"{expression} AS {name}" for name, expression in expressions.items())
    return f"SELECT\n    {listed}\nFROM (\n{sql}\n) AS answer"


def _expression(panel: Panel, column: Column, *, ended: bool) -> str:
    name = f"answer.{column.name}"
    if ended and column.role == "time":
        return "assumeNotNull(edge.1)"
    if ended and column.role == "value":
        return "edge.2"
    if column.unit == "minor":
        return f"{name} / 100"
    if column.unit == "series":
        known = f"arrayMap(one -> assumeNotNull(one), arrayFilter(one -> isNotNull(one), {name}))"
        return f"arrayStringConcat(arrayMap(value -> {_BAR.format(known=known)}, {name}))"
    if column.unit == "day" and panel.chart not in _IN_TIME:
        return f"toString({name})"
    return _on_its_side(panel, column)


def _on_its_side(panel: Panel, column: Column) -> str:
    """Return a column, and a ratio so that it stays below its row's limit where it is rounded to two digits."""
    name = f"answer.{column.name}"
    limit = next((f"answer.{one.name}" for one in panel.columns if one.role == "limit" and one.unit == "ratio"), name)
    if column.unit != "ratio" or limit == name:
        return name
    ratio_shown, limit_shown = _SHOWN.format(name=name), _SHOWN.format(name=limit)
    return _BELOW.format(ratio=name, limit=limit, ratio_shown=ratio_shown, limit_shown=limit_shown)


def _edges(panel: Panel, end: Column) -> str:
    """Return what makes two rows of a region: its state from its beginning on, and none from its end on."""
    began = next(column for column in panel.columns if column.role == "time")
    state = next(column for column in panel.columns if column.role == "value")
    return (
        "\nARRAY JOIN arrayFilter(one -> isNotNull(one.1), [\n"
        f"    (toNullable(answer.{began.name}), toNullable(toString(answer.{state.name}))),\n"
        f"    (toNullable(answer.{end.name}), NULL)\n]) AS edge"
    )
