"""From a board's definition and its panels' answers to a document."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from dashboards.definitions.panel import Text
from pipeline.metrics.registry import METRICS
from pipeline.report.document import Cell, Figures, Section, Table, Words
from pipeline.report.formats import NOTHING, colour_of, is_number, limit_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from dashboards.definitions.panel import Column, Panel
    from pipeline.report.document import Block
    from pipeline.report.formats import Style

    Rows = Sequence[Sequence[Any]]
    Shown = Sequence[tuple[Panel, Rows]]

_MOST_ROWS: Final = 40
_DEFINITIONS: Final = Text("Definitions used", "所用定义")
_DEFINED: Final = (Text("Number", "指标"), Text("How it comes about", "计算方法"), Text("Source", "出处"))
_EMPTY: Final = Text("There is nothing to show for this period.", "该时间段内没有数据。")


def without(panel: Panel, rows: Rows, names: Collection[str]) -> tuple[Panel, Rows]:
    """Return a panel and its rows without these columns: what a page says once needs not stand in every row."""
    kept = [place for place, column in enumerate(panel.columns) if column.name not in names]
    columns = tuple(panel.columns[place] for place in kept)
    return replace(panel, columns=columns), [tuple(row[place] for place in kept) for row in rows]


def read_in(panel: Panel, rows: Rows, language: str) -> tuple[Panel, Rows]:
    """Return a panel and its rows for readers of one language: the same text in another is left out."""
    foreign = {column.name for column in panel.columns if column.language not in {"", language}}
    return without(panel, rows, foreign)


def section(panel: Panel, rows: Rows, style: Style) -> Section:
    """Return one panel on paper."""
    return Section(style.say(panel.title), style.say(panel.description), _block(panel, rows, style))


def _block(panel: Panel, rows: Rows, style: Style) -> Block:
    from pipeline.report.plots import DRAWN, plot

    if not rows:
        return Words((style.say(_EMPTY),))
    if panel.chart == "figures":
        return _figures(panel, rows[0], style)
    if panel.chart in DRAWN:
        return plot(panel, rows, style)
    return _table(panel, rows, style)


def _figures(panel: Panel, row: Sequence[Any], style: Style) -> Figures:
    items: list[tuple[str, Cell, str]] = []
    limit = limit_of(panel, row)
    for column, value in zip(panel.columns, row, strict=True):
        if column.role == "previous" and items:
            label, cell, _ = items[-1]
            before = style.written(value, column.unit)
            items[-1] = (label, cell, "" if before == NOTHING else before)
        elif column.role != "hidden":
            items.append((style.say(column.label), _cell(column, value, style, limit), ""))
    return Figures(tuple(items))


def _cell(column: Column, value: Any, style: Style, limit: float | None) -> Cell:
    return Cell(style.written(value, column.unit, limit), colour_of(column, value))


def _line(panel: Panel, kept: Sequence[int], row: Sequence[Any], style: Style) -> tuple[Cell, ...]:
    limit = limit_of(panel, row)
    return tuple(_cell(panel.columns[place], row[place], style, limit) for place in kept)


def _table(panel: Panel, rows: Rows, style: Style) -> Table:
    kept = [place for place, column in enumerate(panel.columns) if column.role != "hidden" and column.unit != "series"]
    columns = [panel.columns[place] for place in kept]
    return Table(
        tuple(style.say(column.label) for column in columns),
        tuple(is_number(column) for column in columns),
        tuple(_line(panel, kept, row, style) for row in rows[:_MOST_ROWS]),
        max(0, len(rows) - _MOST_ROWS),
    )


def definitions(shown: Shown, style: Style) -> Section:
    """Return what the numbers of these panels mean, in the registry's words, which are English."""
    labels: Mapping[str, str] = {column.name: style.say(column.label) for panel, _ in shown for column in panel.columns}
    rows = tuple(
        (Cell(labels[found.name]), Cell(found.formula), Cell(found.source)) for found in METRICS if found.name in labels
    )
    headings = tuple(style.say(text) for text in _DEFINED)
    return Section(style.say(_DEFINITIONS), "", Table(headings, (False, False, False), rows))
