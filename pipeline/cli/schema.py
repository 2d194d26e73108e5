"""`roi schema`: the messages as JSON Schema and AsyncAPI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import options


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="The messages as JSON Schema and AsyncAPI.", no_args_is_help=False)
    group.command(name="export", epilog=options.example("roi schema export --output build/schemas"))(_export)
    group.callback()(_group)
    app.add_typer(group, name="schema")


def _group() -> None:
    """Describe the messages for other tools."""


def _export(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", file_okay=False, help="Directory to write to.")
    ] = Path("build/schemas"),
    as_json: options.Json = False,
    data: options.Data = None,
) -> None:
    """Write a JSON Schema for each topic and an AsyncAPI 3 document."""
    del data  # accepted by every command; the messages are the same for all instances
    from schemas.export import export

    written = export(output)
    if as_json:
        typer.echo(json.dumps([str(path) for path in written]))
    else:
        typer.echo("\n".join(str(path) for path in written))
