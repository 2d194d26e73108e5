"""`roi up`: everything on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from pipeline.cli import options

KAFKA_PORT: Final = 19092
CLICKHOUSE_PORT: Final = 18123
BOARD_PORT: Final = 8080
LONGEST_SECONDS: Final = 9.5  # the parts are stopped in order before, and killed where they hang
DEFAULT_DIRECTORY: Final = Path("data")


def _port_option(name: str) -> Any:
    return typer.Option(name, min=0, max=65535, help="0 = any free one.")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="up", epilog=options.example("roi up --embedded --data data --workers 2"))(_up)


def _up(
    embedded: Annotated[
        bool,
        typer.Option("--embedded", help="Also run a broker and ClickHouse, where their addresses are not configured."),
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="DIR",
            parser=options.named_directory,
            help=f"Directory of the embedded instance, {DEFAULT_DIRECTORY} if not given; several may run at once.",
        ),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=0, help="0 = none, start them with `roi worker`.")] = 1,
    kafka_port: Annotated[int, _port_option("--kafka-port")] = KAFKA_PORT,
    clickhouse_port: Annotated[int, _port_option("--clickhouse-port")] = CLICKHOUSE_PORT,
    board_port: Annotated[int, _port_option("--board-port")] = BOARD_PORT,
) -> None:
    """Run workers and the board, with --embedded also a broker and ClickHouse, until Ctrl-C."""
    from pipeline.ending import Ending, leave

    ending = Ending(LONGEST_SECONDS)  # first of all: what comes now takes a moment

    import asyncio

    from pipeline.alerts.delivery.receivers import receivers_of
    from pipeline.embedded.directory import InstanceDirectory
    from pipeline.embedded.instance import Ports, run_clients, run_embedded
    from pipeline.embedded.supervisor import Supervisor

    if embedded:
        # a directory that runs nothing yet has no addresses to load: only the environment counts
        settings = options.settings_for(None)
        receivers_of(settings)  # said here, not in the log of a part that cannot start
        directory = InstanceDirectory(data or DEFAULT_DIRECTORY)
        supervisor = Supervisor(directory.logs, typer.echo, ending=ending)
        ports = Ports(kafka_port, clickhouse_port, board_port)
        running = run_embedded(directory, settings, ports, workers, supervisor)
    else:
        supervisor = Supervisor(None, typer.echo, ending=ending)
        settings = options.settings_for(data)
        receivers_of(settings)
        running = run_clients(settings, board_port, workers, supervisor)

    options.warn_of_unknown_settings()

    async def run() -> None:
        await running
        leave(0)  # a health check may still wait for an answer

    asyncio.run(run())
