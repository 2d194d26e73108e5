"""`roi worker`: one worker process."""

from __future__ import annotations

import typer

from pipeline.cli import options


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="worker", epilog=options.example("roi worker --data data"))(_worker)


def _worker(data: options.Data = None) -> None:
    """Read the topics, keep the state and write the results, until SIGTERM or Ctrl-C."""
    from pipeline.ending import Ending

    ending = Ending()  # first of all: what comes now takes a moment
    settings = options.settings_for(data)
    options.warn_of_unknown_settings()

    from pipeline.worker.main import run

    raise typer.Exit(run(settings, ending))
