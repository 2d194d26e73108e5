"""From a request and its statement to the job that may run, or the refusal. Pure."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pipeline.embedded.clickhouse.access import Role, User, check, check_settings
from pipeline.embedded.clickhouse.engine import new_token
from pipeline.embedded.clickhouse.errors import QueryError
from pipeline.embedded.clickhouse.execution import ExternalTable, Job
from pipeline.embedded.clickhouse.plan import View, capped, make_plan
from pipeline.embedded.clickhouse.quoting import quote
from pipeline.embedded.clickhouse.statement import MAX_STATEMENT_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.embedded.clickhouse.request import Query
    from pipeline.embedded.clickhouse.sessions import ClientSession
    from pipeline.embedded.clickhouse.spool import Spool
    from pipeline.embedded.clickhouse.statement import Statement

_DEFAULT_DATABASE: Final = "default"
_FALLBACK_DATABASE: Final = "system"  # exists always, and unqualified names in it are no files


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may cost; ``read_seconds`` holds for readers only."""

    body_bytes: int = 2 * 2**30
    statement_bytes: int = MAX_STATEMENT_BYTES
    read_seconds: int = 60
    memory_bytes: int = 4 * 2**30


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, taken apart: ``data`` is the path of an INSERT's rows, ``tables`` are those that came along."""

    query: Query
    statement: Statement
    user: User
    session: ClientSession
    data: str
    tables: Mapping[str, Spool]


def admit(asked: Asked, database: str, limits: Limits) -> Job:
    """Return what to run in ``database``, the one that users work in.

    Raises:
        QueryError: the user may not.
    """
    query, statement, user, session = asked.query, asked.statement, asked.user, asked.session
    databases = _databases(query.database or session.database, database)
    parameters = {**session.parameters, **query.parameters}
    check(statement, user, database, databases[0], parameters)
    check_settings(query.settings.items(), user)
    if query.read_only and not statement.is_read and statement.verb not in {"SET", "USE"}:
        raise QueryError(
            164,
            f"{user.name}: Cannot execute query in readonly mode. For queries over HTTP, method GET "
            "implies readonly. You should use method POST for modifying queries",
        )
    settings = session.settings | {name: quote(value) for name, value in query.settings.items()}
    owner = None if user.role is Role.WRITER else user.name
    plan = make_plan(statement, settings, query.format, asked.data, View(owner, databases[0]))
    if query.waits_for_end:
        plan = replace(plan, streamed=False)
    return Job(
        plan=plan.with_settings(capped(plan.settings, _caps(user, limits))),
        user=user.name,
        own_only=owner is not None,
        query_id=query.query_id or str(uuid.uuid4()),
        token=new_token(),
        databases=databases,
        parameters=parameters,
        tables=[_external_table(name, query.external[name], spool) for name, spool in asked.tables.items()],
    )


def _databases(wanted: str, own: str) -> Sequence[str]:
    """Return the candidates for the current database.

    ``default`` means the application's own, as for a user with that default database: in the engine's ``default``
    every file of the machine is a table.
    """
    return (wanted,) if wanted not in {"", _DEFAULT_DATABASE} else (own, _FALLBACK_DATABASE)


def _caps(user: User, limits: Limits) -> dict[str, int]:
    caps = {"max_memory_usage": limits.memory_bytes}
    return caps if user.role is Role.WRITER else caps | {"max_execution_time": limits.read_seconds}


def _external_table(name: str, about: Mapping[str, str], spool: Spool) -> ExternalTable:
    types = enumerate(about.get("types", "").split(","), 1)
    structure = about.get("structure") or ", ".join(f"_{position} {kind}" for position, kind in types)
    return ExternalTable(name, about.get("format", "TabSeparated"), structure, spool.path)
