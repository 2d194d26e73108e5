"""The `roi` command: one module per command, each adding itself with ``register(app)``.

Command modules import nothing heavy at their top, so `roi --help` answers at once; Kafka, ClickHouse and pydantic
come in when a command runs.
"""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.boundary import OneLineErrors


def build_app() -> typer.Typer:
    """Return the whole command line, assembled anew."""
    from pipeline.cli import (
        ab,
        alerts,
        archive,
        backtest,
        campaigns,
        demo,
        diff,
        dlq,
        doctor,
        drain,
        erase,
        explain,
        forecast,
        ingest,
        migrate,
        plans,
        replay,
        report,
        resume,
        runs,
        schema,
        simulate,
        sql,
        status,
        token,
        up,
        worker,
    )

    app = typer.Typer(
        name="roi",
        cls=OneLineErrors,
        help="Live return on investment of bank marketing campaigns.",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_without_command)
    commands = (
        up,
        demo,
        worker,
        migrate,
        report,
        ingest,
        replay,
        runs,
        diff,
        archive,
        simulate,
        campaigns,
        drain,
        status,
        forecast,
        explain,
        ab,
        alerts,
        backtest,
        plans,
        token,
        erase,
        sql,
        dlq,
        resume,
        doctor,
        schema,
    )
    for command in commands:
        command.register(app)
    return app


def _without_command(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the versions of the main parts.")] = False,
) -> None:
    if version:
        from pipeline.cli.versions import versions

        typer.echo("\n".join(f"{name} {number}" for name, number in versions().items()))
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def main() -> None:
    """Run the command line on this process's arguments and exit with its code."""
    from pipeline.ending import Ending
    from pipeline.interrupts import end_interrupted

    # while this imports and assembles, Ctrl-C is still the caller's to handle: it would tear an import in two
    command = typer.main.get_command(build_app())
    try:
        Ending(catch=False)  # Ctrl-C that a library does not heed ends a command all the same
        command(prog_name="roi")
    except KeyboardInterrupt:  # before or behind what the command itself answers for
        end_interrupted()
