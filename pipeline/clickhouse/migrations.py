"""Numbered SQL migrations: applied in order, each once, the same on a server and in the embedded engine."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final

from clickhouse_connect.driver.exceptions import DatabaseError

from pipeline.clickhouse import sql
from pipeline.clickhouse.connection import connect
from pipeline.clickhouse.superseded import superseded
from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.settings import Settings

_ACCESS_DENIED: Final = 497
_LONGEST_SECONDS: Final = 86_400  # a migration may count every stored row again
_NAME: Final = re.compile(r"\d{4}_[a-z0-9_]+\.sql")


def scripts() -> list[Path]:
    """Return the migration files in order.

    Raises:
        ValueError: a file's name is not ``NNNN_name.sql``, or two have one number.
    """
    files = sorted(sql.MIGRATIONS.glob("*.sql"))
    for expected, file in enumerate(files, start=1):
        if not _NAME.fullmatch(file.name) or int(file.name[:4]) != expected:
            raise ValueError(f"migration {file.name!r} must be named {expected:04d}_name.sql")
    return files


def migrate(settings: Settings) -> list[str]:
    """Bring the database to this version; return the names of the migrations applied now.

    Raises:
        UserError: an applied migration's file has changed since, so the database is not what the files say; or the
            writer has no rights on the database.
    """
    database, writer = settings.clickhouse_database, settings.clickhouse_writer_user
    client = connect(settings, "writer", silence_seconds=_LONGEST_SECONDS)
    try:
        return _apply(client, database)
    except DatabaseError as error:
        if f"code: {_ACCESS_DENIED}," not in str(error):
            raise
        raise UserError(
            f"ClickHouse does not let {writer} write to database {database}",
            "grant both users their rights on it (docs/growing.md), or correct ROI_CLICKHOUSE_DATABASE",
        ) from error
    finally:
        client.close()


def _apply(client: Any, database: str) -> list[str]:
    client.command(f"CREATE DATABASE IF NOT EXISTS {database}")
    client.command(sql.query("create_migrations", database))
    done: dict[str, str] = dict(client.query(sql.query("applied_migrations", database)).result_rows)
    applied: list[str] = []
    files = scripts()
    left_out = set() if done else _superseded(files)
    for file in files:
        script = file.read_text()
        digest = hashlib.sha256(script.encode()).hexdigest()
        if file.name in done:
            if done[file.name] != digest:
                raise UserError(
                    f"migration {file.name} is not the one that was applied to database {database}",
                    "put the file back as it was and write the change as a new migration",
                )
            continue
        for place, statement in enumerate(sql.statements(script)):
            if (file, place) not in left_out:
                client.command(statement.replace("{database}", database))
        client.command(sql.query("record_migration", database), parameters={"name": file.name, "digest": digest})
        applied.append(file.name)
    return applied


def _superseded(files: Sequence[Path]) -> set[tuple[Path, int]]:
    """Return the statements that a new database can do without, by file and place."""
    places = [(file, place, text) for file in files for place, text in enumerate(sql.statements(file.read_text()))]
    return {places[number][:2] for number in superseded([text for _, _, text in places])}
