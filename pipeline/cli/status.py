"""`roi status`: how far each topic is, who works, how fresh the numbers are, and who is alarmed; once or on and on."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from pipeline.cli import options
from pipeline.cli.faults import fault_lines, print_faults
from pipeline.errors import ForbiddenError, UnreachableError

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.settings import Settings

_EVERY_SECONDS: Final = 2.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="status", epilog=options.example("roi status --watch --data data"))(_status)


def _status(
    watch: Annotated[
        bool, typer.Option("--watch", help="Look again and again until Ctrl-C; with --json one line a look.")
    ] = False,
    every: Annotated[
        float, typer.Option("--every", min=0.2, max=3600, metavar="SECONDS", help="How long between looks.")
    ] = _EVERY_SECONDS,
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Show how far behind topics are, what became of events, and alarms; exit code 1 if anything is at fault."""
    from pipeline.cli.output import print_rows
    from pipeline.cli.status_look import look, summary_lines, topic_columns
    from pipeline.cli.status_watch import watch_status
    from pipeline.operations.health import failed

    settings = options.settings_for(data)
    if watch:
        watch_status(lambda: look(settings, data), every, as_json=as_json)
        return
    try:
        found = look(settings, data)
    except (UnreachableError, ForbiddenError) as error:
        _tell_unreachable(error, settings, data, as_json=as_json)
    if as_json:
        typer.echo(json.dumps(found.as_dict(), indent=2))
    else:
        print_rows(found.topics, topic_columns(), as_json=False, empty="no topic")
        for line in summary_lines(found):
            typer.echo(line)
        print_faults(found.faults)
    if failed(found.faults):  # as of roi doctor and /healthz: one system is not well here and ill there
        raise typer.Exit(1)


def _tell_unreachable(
    error: UnreachableError | ForbiddenError, settings: Settings, data: Path | None, *, as_json: bool
) -> NoReturn:
    """Say what else is at fault where a server does not answer, or denies it: mostly it is the same thing."""
    from pipeline.operations.health import faults
    from pipeline.operations.observing import observe

    seen = observe(settings, data, asks_parts=True)
    is_told = bool(seen.unreachable) or seen.is_broker_frozen
    wrong = faults(seen if is_told else replace(seen, unreachable=(("Kafka", error.cause, error.remedy),)))
    if as_json:
        typer.echo(json.dumps({"faults": [fault.as_dict() for fault in wrong]}, indent=2))
    for line in fault_lines(wrong):
        typer.echo(line, err=True)
    raise typer.Exit(1)
