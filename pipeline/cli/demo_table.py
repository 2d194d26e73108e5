"""What the demo shows: campaigns against the required return, and how fast it goes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pipeline.cli.terminal import fitting, printable, width_left
from pipeline.ratios import written_ratio
from schemas.campaign import MIN_RETURN_RATIO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import RenderableType

REQUIRED_RATIO: Final = MIN_RETURN_RATIO  # the demo's campaigns do not ask for another
FEW_CONVERTERS: Final = 30  # below this a ratio still jumps by a third or so with luck alone
_BAR_CELLS: Final = 20
_BAR_FULL_RATIO: Final = 4.0  # the required ratio stands in the middle


_ALERT_WORDS: Final = {
    "firing": "FIRING: stays below 1:2",
    "acknowledged": "acknowledged: below 1:2",
    "pending": "pending: below 1:2",
    "watching": "watching",
    "blocked": "blocked: data at fault",
    "resolved": "resolved",
}
_ALERT_COLOURS: Final = {
    "firing": "bold red",
    "acknowledged": "red",
    "pending": "yellow",
    "blocked": "magenta",
    "decided": "cyan",
    "watching": "green",
}


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the pipeline goes at one moment.

    Attributes:
        events_per_second: events made durable per second since the last look; None before the second look.
        lag: events produced but not yet durable; None while unknown.
        freshness_seconds: age of the latest block written to ClickHouse; None before the first.
    """

    events: int
    events_per_second: float | None
    lag: int | None
    freshness_seconds: float | None

    def __str__(self) -> str:
        rate = "-" if self.events_per_second is None else f"{self.events_per_second:,.0f}/s"
        lag = "-" if self.lag is None else f"{self.lag:,}"
        fresh = "-" if self.freshness_seconds is None else f"{self.freshness_seconds:.1f} s"
        return f"events {self.events:,} · in {rate} · lag {lag} · last block {fresh} ago"


def state_word(row: Mapping[str, Any]) -> str:
    """Say what the alert rule says, and where it has not looked yet no more than the numbers carry.

    Cost comes before the conversions it buys, so every word about the ratio alone is 'so far'.
    """
    if not row["cost_minor"]:
        return "no cost yet"
    if state := row.get("alert_state"):
        return _alert_word(state, row)
    if row["converters"] < FEW_CONVERTERS:
        return "few converters yet"
    return "below 1:2 so far" if row["return_ratio"] < REQUIRED_RATIO else "above 1:2 so far"


def _alert_word(state: str, row: Mapping[str, Any]) -> str:
    if state == "immature" and row.get("matured_share") is not None:
        return f"immature: {row['matured_share']:.0%} of return in"
    if state == "decided":
        return f"decided: {row.get('decision') or '-'}"
    return _ALERT_WORDS.get(state, state)


def _colour(row: Mapping[str, Any]) -> str:
    state = row.get("alert_state")
    if state:
        return _ALERT_COLOURS.get(state, "dim")
    word = state_word(row)
    return "red" if word.startswith("below") else "green" if word.startswith("above") else "dim"


def ratio_bar(ratio: float | None) -> str:
    """Return the ratio as a bar with a mark at the required one."""
    filled = 0 if ratio is None else round(min(max(ratio, 0.0), _BAR_FULL_RATIO) / _BAR_FULL_RATIO * _BAR_CELLS)
    cells = ["█"] * filled + ["·"] * (_BAR_CELLS - filled)
    cells.insert(_BAR_CELLS // 2, "│")
    return "".join(cells)


def plain_lines(rows: Sequence[Mapping[str, Any]], pace: Pace) -> str:
    """Return the table as plain lines, for a log or a pipe."""
    heading = f"{'campaign':<26} {'reached':>9} {'converters':>10} {'cost':>14} {'return':>14} {'ratio':>6}  state"
    lines = [str(pace), heading]
    lines += [
        f"{_name(row)[:26]:<26} {row['reached']:>9,} {row['converters']:>10,} {_money(row['cost_minor']):>14} "
        f"{_money(row['return_minor']):>14} {_ratio(row['return_ratio']):>6}  {state_word(row)}"
        for row in rows
    ]
    return "\n".join(lines)


def live_table(
    rows: Sequence[Mapping[str, Any]], pace: Pace, addresses: str, height: int, width: int = 160
) -> RenderableType:
    """Return what the terminal shows.

    Args:
        rows: campaigns, the most expensive first.
        pace: how fast it goes.
        addresses: where everything answers, below the table.
        height: number of lines there are.
        width: characters in a line: a narrow one shows fewer columns, never a part of a figure.
    """
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    shown = rows[: max(5, height - 6 - addresses.count("\n") - 1)]
    columns = [(heading, [cell(row) for row in shown]) for heading, cell in _COLUMNS]
    widths = [max(map(len, [heading, *cells])) for heading, cells in columns]
    kept = _kept(widths, width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=str(pace), title_justify="left", title_style="bold")
    table.add_column(columns[0][0], no_wrap=True, max_width=width_left([widths[place] for place in kept[1:]], width))
    for place in kept[1:]:
        table.add_column(columns[place][0], justify="right" if place < _FIRST_WORD else "left", no_wrap=True)
    for number, row in enumerate(shown):
        colour = _colour(row)
        table.add_row(
            *(Text(columns[place][1][number], style=colour if place >= _FIRST_WORD else "") for place in kept)
        )
    hidden = len(rows) - len(shown)
    more = [Text(f"… and {hidden} more", style="dim")] if hidden else []
    return Group(table, *more, Text(addresses, style="dim"))


def _kept(widths: Sequence[int], width: int) -> list[int]:
    """Return the places of the columns that fit, chosen by importance, in the order of the table."""
    by_importance = [0, 5, 3, 4, 7, 2, 1, 6]
    chosen = fitting([widths[place] for place in by_importance], [place == 0 for place in by_importance], width)
    return sorted(by_importance[place] for place in chosen)


def _name(row: Mapping[str, Any]) -> str:
    return printable(str(row.get("name") or row["campaign_id"]))


def _money(minor: int) -> str:
    return f"{minor / 100:,.0f}"


def _ratio(ratio: float | None) -> str:
    return "-" if ratio is None else written_ratio(ratio, REQUIRED_RATIO, 2)


# campaign and figures, and from the bar on what is coloured by the verdict
_FIRST_WORD: Final = 6
_COLUMNS: Final[tuple[tuple[str, Callable[[Mapping[str, Any]], str]], ...]] = (
    ("Campaign", _name),
    ("Reached", lambda row: f"{row['reached']:,}"),
    ("Converters", lambda row: f"{row['converters']:,}"),
    ("Cost", lambda row: _money(row["cost_minor"])),
    ("Return", lambda row: _money(row["return_minor"])),
    ("Ratio", lambda row: _ratio(row["return_ratio"])),
    ("0       1:2       4", lambda row: ratio_bar(row["return_ratio"])),
    ("State", state_word),
)
