"""What a board, a panel and a column of it are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

SQL: Final = Path(__file__).resolve().parents[2] / "sql"
WIDTH: Final = 24
"""Columns of a board's grid, as in Grafana."""

Chart = Literal["figures", "table", "time", "bars", "line", "funnel", "heatmap", "regions"]
"""figures: headline numbers, one row; time: lines over time; line: over a number; regions: states over time."""

Unit = Literal[
    "text",
    "state",
    "time",
    "day",
    "minor",
    "count",
    "share",
    "ratio",
    "p",
    "days",
    "hours",
    "seconds",
    "rate",
    "bytes",
    "series",
]
"""minor: money in minor units of the reporting currency; share: 0..1, shown in percent; ratio: a multiple, as 2.1 of
1:2.1; p: of a test; rate: per second; series: an array of numbers, shown as a sparkline; text, state: words."""

Role = Literal["time", "x", "y", "label", "value", "low", "high", "limit", "previous", "end", "counted", "hidden"]
"""What a chart takes a column for. low, high: a band around the value before them; limit: what the value before it is
held against; previous: the same of the period before; end: of a region that began at `time`; label: tells series or
bars apart; counted: when the row was counted, null = at the question; hidden: for a drill-down only."""

Source = Literal["clickhouse", "prometheus"]


@dataclass(frozen=True, slots=True)
class Text:
    """A text for people, in English and in Chinese (zh-CN)."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a panel's answer.

    Attributes:
        name: of the column in the SQL.
        label: what is written above it.
        unit: how its values are written.
        role: what the chart takes it for.
        steps: (from which value on, colour) in rising order, the first from None on; empty = not coloured. Colours are
            ``red``, ``amber``, ``green``, ``grey``, ``blue``.
        language: of its texts: only readers of that language see it; '' = all do.
        doubts: names of columns that count what is left out of this one because nobody can tell yet. While one of them
            is not 0, they are told beside the value, and it is no all-clear: grey instead of green.
    """

    name: str
    label: Text
    unit: Unit
    role: Role = "value"
    steps: tuple[tuple[float | None, str], ...] = ()
    language: Literal["", "en", "zh"] = ""
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drill:
    """Where a row leads: a board, and which of its variables takes the value of which column."""

    board: str
    takes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel; its SQL is ``sql/panels/ID.sql`` with ``-`` written ``_``.

    Attributes:
        id: unique among all boards: ``board-name``.
        title: heading.
        description: what it shows, how it is counted, what it is good for; shown beside the title.
        chart: how it is drawn.
        columns: all columns of the answer, in the SQL's order.
        width: columns of the board's grid, of 24.
        height: rows of the grid, of about 38 pixels each.
        drill: where a click on a row, bar or point leads.
        empty: what it means that there is no row; None = there are no data in the range.
        explains: column of the campaign whose evidence (`roi explain`) a click on a number opens; '' = none.
        source: Prometheus panels hold a PromQL expression a line instead of SQL, and show on Grafana only.
    """

    id: str
    title: Text
    description: Text
    chart: Chart
    columns: tuple[Column, ...]
    width: int = WIDTH
    height: int = 8
    drill: Drill | None = None
    empty: Text | None = None
    explains: str = ""
    source: Source = "clickhouse"

    @property
    def sql(self) -> str:
        """Its query, with macros and variables as Grafana's plugin knows them."""
        return _text(self.id)


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice on a board; the values come from ``sql/variables/NAME.sql`` (columns value, text).

    Attributes:
        name: in SQL ``${name:singlequote}``.
        label: before the choice.
        multiple: several values at once; none chosen = all.
        default: of a choice of one; where there is none, the newest is shown.
    """

    name: str
    label: Text
    multiple: bool
    default: str = ""

    @property
    def sql(self) -> str:
        """The query for its values."""
        return (SQL / "variables" / f"{self.name}.sql").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Board:
    """A page of panels.

    Attributes:
        id: in URLs; Grafana's uid is ``roi-ID``.
        title: of the page.
        description: for whom it is and which question it answers.
        variables: names of its variables, in their order.
        panels: in reading order.
        latest: the time range it opens with: this long up to the run's newest event.
    """

    id: str
    title: Text
    description: Text
    variables: tuple[str, ...]
    panels: tuple[Panel, ...]
    latest: str = "30d"


@cache
def _text(panel: str) -> str:
    return (SQL / "panels" / f"{panel.replace('-', '_')}.sql").read_text(encoding="utf-8")
