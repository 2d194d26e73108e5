"""SQL lives in `.sql` files; this reads them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2] / "sql"
MIGRATIONS: Final = ROOT / "migrations"


@cache
def _text(name: str) -> str:
    return (ROOT / "queries" / f"{name}.sql").read_text()


def query(name: str, database: str) -> str:
    """Return sql/queries/NAME.sql for a database. Values are bound by the server, as ``{name:Type}``."""
    return _text(name).replace("{database}", database)


def statements(script: str) -> list[str]:
    """Return a migration's statements; a statement ends with a semicolon at the end of a line."""
    parts = script.split(";\n")
    return [part.strip() for part in parts if _says_something(part)]


def _says_something(part: str) -> bool:
    return any(line.strip() and not line.strip().startswith("--") for line in part.splitlines())
