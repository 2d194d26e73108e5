"""Running queries under the names their clients gave them.

chDB gives every query an id of its own. The endpoint puts ``roi:<token>:<user>:<query id>`` (the last two in hex) into
the query's ``log_comment``, and reads it back wherever a statement looks at system.processes or kills by it. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.embedded.clickhouse.engine import quote
from pipeline.embedded.clickhouse.errors import QueryError
from pipeline.embedded.clickhouse.statement import splice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.embedded.clickhouse.statement import Statement
    from pipeline.embedded.clickhouse.tokens import Token

COMMENT: Final = "Settings['log_comment']"
_QUERY_ID: Final = f"unhex(splitByChar(':', {COMMENT})[4])"
_USER: Final = f"unhex(splitByChar(':', {COMMENT})[3])"
PROCESSES: Final = (
    f"(SELECT * REPLACE ({_QUERY_ID} AS query_id, {_QUERY_ID} AS initial_query_id, "  # noqa: S608 - constants only
    f"{_USER} AS user, {_USER} AS initial_user) FROM system.processes WHERE startsWith({COMMENT}, 'roi:'))"
)
# Under readonly=1 every setting calls itself read-only, and clients then refuse to send any.
SETTINGS: Final = "(SELECT * REPLACE (toUInt8(name = 'readonly') AS readonly) FROM system.settings)"
_VIRTUAL: Final = {"processes": PROCESSES, "settings": SETTINGS}
_CLAUSES: Final = frozenset(
    {
        "WHERE",
        "PREWHERE",
        "GROUP",
        "ORDER",
        "LIMIT",
        "FORMAT",
        "SETTINGS",
        "JOIN",
        "LEFT",
        "RIGHT",
        "INNER",
        "FULL",
        "CROSS",
        "GLOBAL",
        "ANY",
        "ALL",
        "ASOF",
        "SEMI",
        "ANTI",
        "PASTE",
        "ARRAY",
        "ON",
        "USING",
        "HAVING",
        "WINDOW",
        "QUALIFY",
        "OFFSET",
        "FETCH",
        "UNION",
        "INTERSECT",
        "EXCEPT",
        "FINAL",
        "SAMPLE",
        "WITH",
    }
)


def comment(token: str, user: str, query_id: str) -> str:
    """Return the ``log_comment`` of a query."""
    return f"{token}:{user.encode().hex()}:{query_id.encode(errors='surrogateescape').hex()}"


def with_client_names(statement: Statement) -> str:
    """Return the SQL with system tables replaced by what the client should see in them."""
    edits = []
    for index in range(1, len(statement.tokens) - 2):
        before, database, dot, table = statement.tokens[index - 1 : index + 3]
        if (
            dot.is_symbol(".")
            and database.is_name
            and database.value.lower() == "system"
            and table.is_name
            and (before.is_word("FROM", "JOIN") or before.is_symbol(","))
            and table.value.lower() in _VIRTUAL
        ):
            following = statement.tokens[index + 3 : index + 4]
            alias = "" if _is_alias(following) else f" AS {table.value.lower()}"
            edits.append((database.start, table.end, _VIRTUAL[table.value.lower()] + alias))
    return splice(statement, edits) if edits else statement.body


def _is_alias(following: Sequence[Token]) -> bool:
    return bool(following) and following[0].is_name and not following[0].is_word(*_CLAUSES)


def kill_condition(statement: Statement) -> tuple[str, bool]:
    """Return the condition of a KILL QUERY and whether it waits for the end (SYNC).

    Raises:
        QueryError: (62) the statement is not ``KILL QUERY WHERE … [SYNC | ASYNC]``.
    """
    tokens = list(statement.tokens)
    if len(tokens) < 4 or not tokens[1].is_word("QUERY") or not tokens[2].is_word("WHERE"):
        raise QueryError(62, "Syntax error: expected KILL QUERY WHERE condition [SYNC | ASYNC]")
    sync = tokens[-1].is_word("SYNC")
    if tokens[-1].is_word("SYNC", "ASYNC"):
        tokens.pop()
    first = tokens[0].start
    body = statement.body.encode(errors="surrogateescape")
    return body[tokens[3].start - first : tokens[-1].end - first].decode(errors="surrogateescape"), sync


def victims_sql(condition: str) -> str:
    """Return the SELECT of the log comment, query id, user and text of the queries a KILL means."""
    return (
        f"SELECT {COMMENT}, query_id, user, query FROM {PROCESSES} AS processes "  # noqa: S608 - the writer's own condition
        f"WHERE ({condition})"
    )


def kill_sql(comments: Sequence[str], *, sync: bool) -> str:
    """Return the KILL of the queries with these log comments."""
    return f"KILL QUERY WHERE {COMMENT} IN ({', '.join(map(quote, comments))}) {'SYNC' if sync else 'ASYNC'}"


def killed_sql(rows: Sequence[Sequence[str]], *, sync: bool) -> str:
    """Return the SELECT that answers a KILL as a server does."""
    status = quote("finished" if sync else "waiting")
    columns = "kill_status String, query_id String, user String, query String"
    values = ", ".join(f"({status}, {', '.join(map(quote, row[1:]))})" for row in rows)
    source = f"values('{columns}', {values})" if rows else f"null('{columns}')"
    return f"SELECT * FROM {source}"  # noqa: S608 - everything is quoted
