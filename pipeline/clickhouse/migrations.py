"""Numbered SQL migrations: applied in order, each once, the same on a server and in the embedded engine."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from clickhouse_connect.driver.exceptions import DatabaseError

from pipeline.clickhouse import sql
from pipeline.clickhouse.codes import ACCESS_DENIED, has_code
from pipeline.clickhouse.connection import connect
from pipeline.clickhouse.migration_lock import SILENT_SECONDS, migration_lock
from pipeline.clickhouse.superseded import for_new_database
from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pipeline.clickhouse.migration_lock import MigrationLock
    from pipeline.settings import Settings

_BEAT_ANSWER_SECONDS: Final = 5
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


def migrate(settings: Settings, folder: Path | None = None, say: Callable[[str], None] = lambda _: None) -> list[str]:
    """Bring the database to this version; return the names of the migrations applied now.

    Args:
        settings: address, login and name of the database.
        folder: where a ClickHouse of this machine keeps its tables, if it does. The definitions in a new database are
            then written to disk all at once: each of its own waits for the disk several times.
        say: is told what is waited for.

    Raises:
        UserError: an applied migration's file has changed since, so the database is not what the files say; or the
            writer has no rights on the database.
    """
    database = settings.clickhouse_database
    client = connect(settings, "writer", silence_seconds=_LONGEST_SECONDS)
    try:
        client.command(f"CREATE DATABASE IF NOT EXISTS {database}")
        client.command(sql.query("create_migrations", database))
        if not _waiting(client, database)[0]:
            return []

        def connected() -> Any:
            return connect(settings, "writer", silence_seconds=_BEAT_ANSWER_SECONDS)

        # who keeps its ClickHouse on this machine has started it, and has ended it when it was killed itself
        is_of_server = folder is not None
        with migration_lock(client, database, connected, SILENT_SECONDS, say, is_of_server=is_of_server) as held:
            return _apply(client, database, folder, held)
    except DatabaseError as error:
        if not has_code(error, ACCESS_DENIED):
            raise
        raise without_rights(settings) from error
    finally:
        client.close()


def without_rights(settings: Settings) -> UserError:
    """Return the error for a database on which the writer has no rights."""
    return UserError(
        f"ClickHouse does not let {settings.clickhouse_writer_user} write to database {settings.clickhouse_database}",
        "grant both users their rights on it (docs/growing.md), or correct ROI_CLICKHOUSE_DATABASE",
    )


class _Migration(NamedTuple):
    """A file, its digest, and those of its statements that are to be run."""

    name: str
    digest: str
    statements: list[str]


def _waiting(client: Any, database: str) -> tuple[list[_Migration], bool]:
    """Return the migrations that the database lacks, and whether it lacks all of them."""
    done: dict[str, str] = dict(client.query(sql.query("applied_migrations", database)).result_rows)
    found = [(file, file.read_text()) for file in scripts()]
    migrations = [
        _Migration(file.name, hashlib.sha256(text.encode()).hexdigest(), sql.statements(text)) for file, text in found
    ]
    for each in migrations:
        if done.get(each.name, each.digest) != each.digest:
            raise UserError(
                f"migration {each.name} is not the one that was applied to database {database}",
                "put the file back as it was and write the change as a new migration",
            )
    return [each for each in migrations if each.name not in done], not done


def _apply(client: Any, database: str, folder: Path | None, held: MigrationLock) -> list[str]:
    waiting, is_new = _waiting(client, database)  # another one may have migrated meanwhile
    if is_new and not _has_tables(client, database):
        return _make_new(client, database, waiting, folder, held)
    for each in waiting:
        _run(client, database, each.statements, held)
        _record(client, database, [each])
    return [each.name for each in waiting]


def _make_new(
    client: Any, database: str, migrations: Sequence[_Migration], folder: Path | None, held: MigrationLock
) -> list[str]:
    """Run what an empty database needs. Nothing is recorded before all is on the disk.

    Broken off, the database is not empty any more and without a record: everything is run over what is there, as a
    later release may be the one that goes on, and what this one would leave out it may need.
    """
    needed = for_new_database([statement for each in migrations for statement in each.statements])
    _run(client, database, needed, held, {} if folder is None else {"fsync_metadata": 0})
    if folder is not None:
        _write_to_disk(folder)
    _record(client, database, migrations)
    return [each.name for each in migrations]


def _has_tables(client: Any, database: str) -> bool:
    return bool(client.query(sql.query("count_tables", database), parameters={"name": database}).result_rows[0][0])


def _run(
    client: Any,
    database: str,
    statements: Sequence[str],
    held: MigrationLock,
    settings: Mapping[str, int] = MappingProxyType({}),
) -> None:
    for statement in statements:
        held.check()
        client.command(statement.replace("{database}", database), settings=dict(settings))


def _record(client: Any, database: str, migrations: Sequence[_Migration]) -> None:
    given = {"names": [each.name for each in migrations], "digests": [each.digest for each in migrations]}
    client.command(sql.query("record_migrations", database), parameters=given)


def _write_to_disk(folder: Path) -> None:
    """Wait until the definitions of databases, tables and views below a folder are on the disk, and their names.

    Views that are counted now and then exchange their tables meanwhile: what is gone again has no name to keep.
    """
    for place, _, files in os.walk(folder):
        for name in (*(name for name in files if name.endswith(".sql")), "."):
            try:
                descriptor = os.open(Path(place, name), os.O_RDONLY)
            except FileNotFoundError:
                continue
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
