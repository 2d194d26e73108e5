"""Which runs there are and how they were begun, for commands that show one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.clickhouse.sql import query
from pipeline.errors import UserError
from pipeline.ledger.rows import LIVE

if TYPE_CHECKING:
    from pipeline.clickhouse.reader import Reader

_NAMED: Final = 10


def load_run(reader: Reader, database: str, run: str) -> list[list[str]]:
    """Return fingerprint, settings and rules that a run was begun under; no row where nobody began it."""
    return reader.lists(query("load_run", database), {"run": run})


def begun_under(reader: Reader, database: str, run: str) -> dict[str, str]:
    """Return the settings that a run was begun under by their names; none where nobody began it."""
    from pipeline.policies import recorded_settings

    rows = load_run(reader, database, run)
    return recorded_settings(rows[0][1]) if rows else {}


def check_run(reader: Reader, database: str, run: str) -> None:
    """Return if a run is there; the live one may have counted nothing yet.

    Raises:
        UserError: it is not; the message names those that are.
    """
    if run == LIVE:
        return
    known = [row["run"] for row in reader.rows(query("known_runs", database))]
    if run not in known:
        more = f" and {len(known) - _NAMED} more" if len(known) > _NAMED else ""
        names = ", ".join(known[:_NAMED]) or LIVE
        raise UserError(f"there is no run {run!r}", f"there are {names}{more}; roi replay --run {run} makes it")
