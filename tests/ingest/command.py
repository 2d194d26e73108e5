"""The commands of this folder in an application of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from typer.testing import CliRunner

from pipeline.cli import ingest, simulate
from pipeline.cli.boundary import OneLineErrors

if TYPE_CHECKING:
    from typer.testing import Result


def run(*arguments: str, stdin: bytes | None = None, environment: dict[str, str] | None = None) -> Result:
    app = typer.Typer(name="roi", cls=OneLineErrors, pretty_exceptions_enable=False)
    app.callback()(lambda: None)
    for command in (ingest, simulate):
        command.register(app)
    return CliRunner().invoke(app, list(arguments), input=stdin, env=environment, prog_name="roi")
