"""`roi resume`: a halted topic is read on."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from pipeline.cli import options


def register(app: typer.Typer) -> None:
    """Add the command."""
    example = options.example("roi resume bank.touches.v1 --skip-bad --data data")
    app.command(name="resume", epilog=example)(_resume)


def _resume(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", show_default=False, help="A halted topic (roi status).")],
    skip_bad: Annotated[
        bool,
        typer.Option(
            "--skip-bad",
            help="Bad events go to the dead letters, without halting the topic again, until a good stretch is read.",
        ),
    ] = False,
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Read a halted topic on, within seconds and without a restart; exit code 1 if it is not halted."""
    from pipeline.operations.halts import resume
    from schemas.topics import INPUT_TOPICS

    if topic not in INPUT_TOPICS:
        raise typer.BadParameter(f"{topic!r} is none of {', '.join(INPUT_TOPICS)}", param_hint="TOPIC")
    found = resume(options.settings_for(data), topic, skip_bad=skip_bad)
    if as_json:
        causes = [{"kind": halt.kind, "cause": halt.cause} for halt in found]
        typer.echo(json.dumps({"topic": topic, "skip_bad": skip_bad, "was_halted_by": causes}))
    else:
        how = "bad events go to the dead letters until a good stretch is read" if skip_bad else "as before"
        typer.echo(f"{topic} is resumed ({how}); it had been halted: {found[0].cause}")
