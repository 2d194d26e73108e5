"""A database as it was before a migration, and a log of which a part had been read by then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.clickhouse import sql
from pipeline.clickhouse.migrations import migrate, scripts

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from pipeline.settings import Settings
    from tests.oracle.log import Log


def make_older(migration: str, folder: Path, settings: Settings, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the database anew with the migrations before one; ``folder`` is empty and takes copies of them."""
    client.command("DROP DATABASE IF EXISTS roi")
    for script in scripts():
        if script.name < migration:
            folder.joinpath(script.name).write_bytes(script.read_bytes())
    with monkeypatch.context() as patch:
        patch.setattr(sql, "MIGRATIONS", folder)
        migrate(settings)


def statements_of(migration: str) -> list[str]:
    """Return the statements of a migration, on the database."""
    return sql.statements((sql.MIGRATIONS / migration).read_text().replace("{database}", "roi"))


def first_half(log: Log) -> Log:
    """Return a log of which half of each partition's events has been written; definitions and profiles are whole."""
    return {
        place: records[: len(records) // 2] if "bank.c" not in place[0] else records for place, records in log.items()
    }
