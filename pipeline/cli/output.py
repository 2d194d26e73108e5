"""How commands print: a table for people, JSON for programs, progress only on a terminal."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import typer

from pipeline.cli.terminal import SHORTEST_TEXT, fitting, printable
from pipeline.ratios import written_ratio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console, RenderableType

_PIPE_WIDTH: Final = 200  # rich assumes 80 columns where there is no terminal, and would cut cells


@dataclass(frozen=True, slots=True)
class Column:
    """A table column: the row's key, the heading, and how the cell is written.

    Text may be folded; words are never, and stand to the left; all other kinds are figures.

    Attributes:
        is_detail: whether it is the first to go where a terminal is too narrow for all.
        limit: the row's key for what a ratio is held against; '' = nothing.
    """

    key: str
    heading: str
    kind: Literal["text", "word", "value", "number", "money", "ratio"] = "text"
    is_detail: bool = False
    limit: str = ""

    def of(self, row: Mapping[str, Any]) -> str:
        """Return the printed form of a row's value."""
        return self.cell(row.get(self.key), row.get(self.limit) if self.limit else None)

    def cell(self, value: Any, limit: float | None = None) -> str:
        """Return the printed form; nothing known is a dash, money comes in minor units and goes in whole ones."""
        if value is None:
            return "-"
        if self.kind == "number":
            return f"{value:,}"
        if self.kind == "money":
            return money_text(value)
        if self.kind == "ratio":
            return written_ratio(value, limit, 3)
        return printable(str(value))


def money_text(minor: float) -> str:
    """Return minor units as whole ones; integers by integers: a double has fewer digits than a bank's sums."""
    if not isinstance(minor, int):
        return f"{minor / 100:,.2f}"
    whole, rest = divmod(abs(minor), 100)
    return f"{'-' if minor < 0 else ''}{whole:,}.{rest:02}"


def stdout_console() -> Console:
    """Return a console on stdout that is wide enough for a table also in a pipe."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=_PIPE_WIDTH)


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], *, as_json: bool, empty: str) -> None:
    """Print rows as one JSON array, or as a table; ``empty`` is the sentence for no rows."""
    if as_json:
        # control characters are escaped either way: as JSON writes them, or as `printable` does, which is JSON, too
        typer.echo(printable(json.dumps(list(rows), ensure_ascii=False, indent=2, default=str), keep="\n"))
    elif rows:
        print_renderable(table_of(rows, columns))
    else:
        typer.echo(empty)


def print_renderable(renderable: RenderableType) -> None:
    """Print anything rich can draw on stdout."""
    stdout_console().print(renderable)


def table_of(rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], width: int | None = None) -> RenderableType:
    """Return a rich table; cell text is shown as it is, never read as markup, and no figure is cut.

    Args:
        rows: what is shown, by the columns' keys.
        columns: where the terminal is too narrow, details and then later ones are left out and named below.
        width: characters in a line; default: those of stdout's terminal.
    """
    from rich import box
    from rich.cells import cell_len
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    cells = [[column.of(row) for column in columns] for row in rows]
    widths = [max(map(cell_len, [columns[at].heading, *(line[at] for line in cells)])) for at in range(len(columns))]
    texts = [column.kind == "text" for column in columns]
    chosen = sorted(range(len(columns)), key=lambda at: columns[at].is_detail)
    fit = fitting([widths[at] for at in chosen], [texts[at] for at in chosen], width or stdout_console().width)
    kept = sorted(chosen[place] for place in fit)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for at in kept:
        if texts[at]:
            table.add_column(columns[at].heading, overflow="fold", min_width=min(widths[at], SHORTEST_TEXT))
        else:
            side: Literal["left", "right"] = "left" if columns[at].kind == "word" else "right"
            table.add_column(columns[at].heading, justify=side, no_wrap=True, min_width=widths[at])
    for line in cells:
        table.add_row(*(Text(line[at]) for at in kept))
    hidden = [column.heading for at, column in enumerate(columns) if at not in kept]
    if not hidden:
        return table
    return Group(table, Text(f"not shown for want of width: {', '.join(hidden)} (--json has all)", style="dim"))
