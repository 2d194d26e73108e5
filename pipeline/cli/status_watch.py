"""`roi status --watch`: the same again and again, drawn in place on a terminal and as lines in a log."""

from __future__ import annotations

import json
import shutil
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import typer

from pipeline.cli import options
from pipeline.cli.faults import fault_lines
from pipeline.cli.streams import stop_if_unread
from pipeline.cli.terminal import printable
from pipeline.errors import UserError
from pipeline.ratios import written_ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.console import RenderableType

    from pipeline.cli.status_look import StatusLook

_COLOURS: Final = {"firing": "bold red", "acknowledged": "red", "pending": "yellow", "blocked": "magenta"}


class Rates:
    """Events a second between two looks; None before the second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._before: tuple[float, int] | None = None

    def since_before(self, events: int) -> float | None:
        """Return the rate since the look before."""
        now = self._clock()
        before, self._before = self._before, (now, events)
        if before is None or now <= before[0]:
            return None
        return max(0.0, (events - before[1]) / (now - before[0]))


def watch_status(look: Callable[[], StatusLook], every: float, *, as_json: bool) -> None:
    """Look until Ctrl-C or until nobody reads; what does not answer is told and asked again.

    Args:
        look: reads everything once.
        every: seconds between the ends and the beginnings of looks.
        as_json: one object a line instead of a picture.
    """
    rates = Rates()
    try:
        if as_json:
            _repeat(lambda: typer.echo(json.dumps(_looked(look))), every)
        elif sys.stdout.isatty() and not options.is_plain_terminal():
            _on_screen(look, rates, every)
        else:
            _repeat(lambda: typer.echo("\n".join(log_lines(_tried(look), rates))), every)
    except KeyboardInterrupt:
        return


def _looked(look: Callable[[], StatusLook]) -> dict[str, Any]:
    found = _tried(look)
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    if isinstance(found, UserError):
        return {"at": at, "error": found.cause, "remedy": found.remedy}
    return {"at": at, **found.as_dict()}


def _tried(look: Callable[[], StatusLook]) -> StatusLook | UserError:
    try:
        return look()
    except UserError as error:
        return error


def _repeat(draw: Callable[[], None], every: float) -> None:
    while True:
        draw()
        stop_if_unread()
        time.sleep(every)


def _on_screen(look: Callable[[], StatusLook], rates: Rates, every: float) -> None:
    from rich.live import Live

    with Live(auto_refresh=False) as live:

        def draw() -> None:
            size = shutil.get_terminal_size()
            live.update(picture(_tried(look), rates, size.lines, size.columns), refresh=True)

        _repeat(draw, every)


def log_lines(found: StatusLook | UserError, rates: Rates) -> list[str]:
    """Return a look as lines of a log: one that tells how it goes, and one for each fault."""
    head = datetime.now(UTC).isoformat(timespec="seconds")
    if isinstance(found, UserError):
        return [f"{head} {found}"]
    return [f"{head} {_headline(found, rates)}", *fault_lines(found.faults)]


def _headline(found: StatusLook, rates: Rates) -> str:
    rate = rates.since_before(found.events)
    lag = sum(topic["lag"] for topic in found.topics)
    letters = sum(topic["dead_letters"] for topic in found.topics)
    last = "no block yet" if found.age is None else f"last block {found.age:.1f} s ago"
    parts = (
        f"events {found.events:,}",
        f"in {'-' if rate is None else f'{rate:,.0f}/s'}",
        f"lag {lag:,}",
        f"dead letters {letters:,}",
        found.workers_text,
        last,
        f"alerts {sum(alert['state'] in {'firing', 'acknowledged'} for alert in found.alerts)}",
    )
    return " · ".join(parts)


def picture(found: StatusLook | UserError, rates: Rates, height: int, width: int) -> RenderableType:
    """Return what the terminal shows: faults first, then topics, then the alerts that there is room for.

    Args:
        found: a look, or why there is none.
        rates: of the looks before.
        height: lines of the terminal.
        width: characters in a line; a narrow one shows fewer columns, never a part of a figure.
    """
    from rich.console import Group
    from rich.text import Text

    from pipeline.cli.output import table_of
    from pipeline.cli.status_look import topic_columns

    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(found, UserError):
        return Group(Text(f"{now} · asking again", style="dim"), Text(printable(str(found)), style="bold red"))
    headline = Text(f"{now} · {_headline(found, rates)}", style="bold")
    wrong = [
        Text(printable(line), style="bold red" if line.startswith("FAULT") else "yellow")
        for line in fault_lines(found.faults)
    ]
    shown: list[RenderableType] = [headline, *wrong, table_of(found.topics, topic_columns(), width)]
    room = height - 8 - len(wrong) - len(found.topics)
    return Group(*shown, *_alerts(found.alerts, room), Text("Ctrl-C ends", style="dim"))


def _alerts(alerts: Sequence[Mapping[str, Any]], room: int) -> list[RenderableType]:
    from rich.text import Text

    if room < 1 or not alerts:
        return []
    listed = alerts if len(alerts) <= room else alerts[: room - 1]
    lines = [Text(_alert_line(alert), style=_COLOURS.get(alert["state"], ""), no_wrap=True) for alert in listed]
    if len(listed) < len(alerts):
        lines.append(Text(f"… and {len(alerts) - len(listed)} more (roi alerts list)", style="dim"))
    return [*lines]


def _alert_line(alert: Mapping[str, Any]) -> str:
    found, required = alert["return_ratio"], alert["required_ratio"]
    ratio = "-" if found is None else written_ratio(found, required, 2)
    is_unknown = alert["money_at_risk_minor"] is None or alert["state"] == "blocked"  # nothing is judged while it is
    risk = "-" if is_unknown else f"{alert['money_at_risk_minor'] / 100:,.0f}"
    name = printable(str(alert["name"] or alert["campaign_id"]))
    return f"{alert['state']:<12} ratio {ratio:>6}   at risk {risk:>12}   {name}"
