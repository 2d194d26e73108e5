"""How commands print: a table for people, JSON for programs, progress only on a terminal."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console, RenderableType

_PIPE_WIDTH: Final = 200  # rich assumes 80 columns where there is no terminal, and would cut cells


@dataclass(frozen=True, slots=True)
class Column:
    """A table column: the row's key, the heading, and how the cell is written."""

    key: str
    heading: str
    kind: Literal["text", "value", "number", "money", "ratio"] = "text"

    def cell(self, value: Any) -> str:
        """Return the printed form; nothing known is a dash, money comes in minor units and goes in whole ones."""
        if value is None:
            return "-"
        if self.kind == "number":
            return f"{value:,}"
        if self.kind == "money":
            return f"{value / 100:,.2f}"
        if self.kind == "ratio":
            return f"{value:.3f}"
        return str(value)


def stdout_console() -> Console:
    """Return a console on stdout that is wide enough for a table also in a pipe."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=_PIPE_WIDTH)


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], *, as_json: bool, empty: str) -> None:
    """Print rows as one JSON array, or as a table; ``empty`` is the sentence for no rows."""
    if as_json:
        typer.echo(json.dumps(list(rows), ensure_ascii=False, indent=2, default=str))
    elif rows:
        print_renderable(table_of(rows, columns))
    else:
        typer.echo(empty)


def print_renderable(renderable: RenderableType) -> None:
    """Print anything rich can draw on stdout."""
    stdout_console().print(renderable)


def table_of(rows: Iterable[Mapping[str, Any]], columns: Sequence[Column]) -> RenderableType:
    """Return a rich table; cell text is shown as it is, never read as markup."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column.heading, justify="left" if column.kind == "text" else "right")
    for row in rows:
        table.add_row(*(Text(column.cell(row.get(column.key))) for column in columns))
    return table
