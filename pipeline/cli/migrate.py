"""`roi migrate`: topics and tables."""

from __future__ import annotations

import json
import socket
import time
from contextlib import closing
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

import typer

from pipeline.cli import options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.settings import Settings

_WAIT_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.05
_CONNECT_SECONDS: Final = 1.0
_KAFKA_PORT: Final = 9092  # which clients take where none is given


class Part(StrEnum):
    """What tables and topics need, where it may just have been started."""

    KAFKA = "kafka"
    CLICKHOUSE = "clickhouse"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="migrate", epilog=options.example("roi migrate --data data"))(_migrate)


def _migrate(
    as_json: options.Json = False,
    data: options.Data = None,
    wait_for: Annotated[
        list[Part] | None, typer.Option("--wait-for", help="Wait up to a minute until it answers; may be repeated.")
    ] = None,
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
    from pipeline.operations.continuing import check_new_topics, counted_partitions
    from pipeline.transport.admin import TopicAdmin
    from pipeline.transport.reading import answering

    _await_answers(settings, wait_for or [])
    counted = counted_partitions(settings)
    with answering(settings), TopicAdmin(settings) as admin:
        check_new_topics(admin.topics(), counted, settings.kafka_partitions)
        created = admin.create_missing()
    applied = migrate(settings, tables, lambda text: typer.echo(text, err=True))
    if as_json:
        typer.echo(json.dumps({"created_topics": created, "applied_migrations": applied}))
    else:
        typer.echo(f"topics: {_listed(created)} created; migrations: {_listed(applied)} applied")


def _await_answers(settings: Settings, parts: Sequence[Part]) -> None:
    """Return once they answer, or when time is up: whoever is asked next says then who does not."""
    deadline = time.monotonic() + _WAIT_SECONDS
    for part in parts:
        while not _ANSWERS[part](settings) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)


def _kafka_answers(settings: Settings) -> bool:
    return any(map(_is_listened_on, settings.kafka_bootstrap_servers.split(",")))


def _is_listened_on(address: str) -> bool:
    url = urlsplit(f"//{address.strip()}")
    try:
        with closing(socket.create_connection((url.hostname or "", url.port or _KAFKA_PORT), _CONNECT_SECONDS)):
            return True
    except (OSError, ValueError):
        return False


def _clickhouse_answers(settings: Settings) -> bool:
    from pipeline.clickhouse.ping import ping
    from pipeline.errors import UnreachableError

    try:
        ping(urlsplit(settings.clickhouse_url))
    except UnreachableError:
        return False
    return True


_ANSWERS: Final[dict[Part, Callable[[Settings], bool]]] = {
    Part.KAFKA: _kafka_answers,
    Part.CLICKHOUSE: _clickhouse_answers,
}


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"
