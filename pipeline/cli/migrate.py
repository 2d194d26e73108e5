"""`roi migrate`: topics and tables."""

from __future__ import annotations

import json
import socket
import time
from contextlib import closing
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

import typer

from pipeline.cli import options

if TYPE_CHECKING:
    from pipeline.settings import Settings

_POLL_SECONDS: Final = 0.05
_CONNECT_SECONDS: Final = 1.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="migrate", epilog=options.example("roi migrate --data data"))(_migrate)


def _migrate(
    as_json: options.Json = False,
    data: options.Data = None,
    wait: Annotated[
        float, typer.Option("--wait", min=0, metavar="SECONDS", help="Wait so long for Kafka and ClickHouse to answer.")
    ] = 0.0,
    tables: Annotated[
        Path | None,
        typer.Option(
            "--tables",
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="Where ClickHouse on this machine keeps them: new ones are written to disk all at once.",
        ),
    ] = None,
) -> None:
    """Create the topics and bring the tables up to date; running it again changes nothing."""
    settings = options.settings_for(data)

    from pipeline.clickhouse.migrations import migrate
    from pipeline.transport.admin import TopicAdmin
    from pipeline.transport.reading import answering

    if wait:
        _await_answers(settings, wait)
    with answering(settings), TopicAdmin(settings) as admin:
        created = admin.create_missing()
    applied = migrate(settings, tables)
    if as_json:
        typer.echo(json.dumps({"created_topics": created, "applied_migrations": applied}))
    else:
        typer.echo(f"topics: {_listed(created)} created; migrations: {_listed(applied)} applied")


def _await_answers(settings: Settings, seconds: float) -> None:
    """Return once both answer, or when time is up: whoever is asked next says then who does not."""
    deadline = time.monotonic() + seconds
    while not _both_answer(settings) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _both_answer(settings: Settings) -> bool:
    from pipeline.clickhouse.ping import ping
    from pipeline.errors import UnreachableError

    host, _, port = settings.kafka_bootstrap_servers.partition(",")[0].strip().rpartition(":")
    try:
        with closing(socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS)):
            ping(urlsplit(settings.clickhouse_url))
    except (OSError, ValueError, UnreachableError):
        return False
    return True


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"
