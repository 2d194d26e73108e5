"""`roi alerts run`: the evaluator as a process."""

from __future__ import annotations

import typer

from pipeline.cli import options


def register(group: typer.Typer) -> None:
    """Add the commands."""
    group.command(name="run", epilog=options.example("roi alerts run --data data"))(_run)


def _run(data: options.Data = None) -> None:
    """Judge the campaigns, keep their alerts and tell who is to act, until SIGTERM or Ctrl-C.

    One instance decides; more of them stand by and take over.
    """
    from pipeline.ending import Ending

    ending = Ending()  # first of all: what comes now takes a moment
    settings = options.settings_for(data)

    from pipeline.evaluator.main import run

    raise typer.Exit(run(settings, ending))
