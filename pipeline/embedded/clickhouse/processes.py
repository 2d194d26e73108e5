"""Running queries under the names their clients gave them.

chDB gives every query an id of its own. The endpoint puts ``roi:<token>:<user>:<query id>`` (the last two in hex) into
the query's ``log_comment``, and reads it back wherever a statement looks at system.processes or kills by it. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.embedded.clickhouse.errors import QueryError
from pipeline.embedded.clickhouse.quoting import quote
from pipeline.embedded.clickhouse.statement import splice
from pipeline.embedded.clickhouse.tokens import Kind, Token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.embedded.clickhouse.statement import Statement

COMMENT: Final = "Settings['log_comment']"
_QUERY_ID: Final = f"unhex(splitByChar(':', {COMMENT})[4])"
_USER: Final = f"unhex(splitByChar(':', {COMMENT})[3])"
_COMMENT_PARTS: Final = 4
# Under readonly=1 every setting calls itself read-only, and clients then refuse to send any.
_SETTINGS: Final = "(SELECT * REPLACE (toUInt8(name = 'readonly') AS readonly) FROM system.settings)"
# What tells readers where the server keeps its files.
_PATHS: Final = {
    "databases": {"data_path": "''", "metadata_path": "''"},
    "disks": {"path": "''", "cache_path": "''"},
    "parts": {"path": "''"},
    # as many as there are: drivers tell local tables from remote ones by it
    "tables": {"metadata_path": "''", "data_paths": "arrayMap(one -> '', data_paths)"},
}
# Tables that readers see through a filter only; a name of one that no filter can be put on is refused.
FILTERED: Final = frozenset({"processes", *_PATHS})
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


def visible(owner: str | None) -> str:
    """Return the subquery of the running queries under their clients' names: of one owner, or (None) of everybody."""
    mine = f" AND {_USER} = {quote(owner)}" if owner is not None else ""
    return (
        f"(SELECT * REPLACE ({_QUERY_ID} AS query_id, {_QUERY_ID} AS initial_query_id, "  # noqa: S608 - it is quoted
        f"{_USER} AS user, {_USER} AS initial_user) FROM system.processes WHERE startsWith({COMMENT}, 'roi:'){mine})"
    )


def with_client_names(statement: Statement, owner: str | None, current: str) -> str:
    """Return the SQL with system tables replaced by what the client should see in them.

    Args:
        statement: the parsed statement.
        owner: whose queries to show, and to whom no paths; None shows everything.
        current: the current database.

    Raises:
        QueryError: (497) a filtered table is named where no filter can be put.
    """
    tokens = (*statement.tokens, *_END)
    if tokens[0].is_word("SHOW") and tokens[1].is_word("PROCESSLIST"):
        return f"SELECT * FROM {visible(owner)} AS processes"  # noqa: S608 - constants and what is quoted
    in_system = current.lower() == "system" and owner is not None
    places = [
        (index, *place)
        for index in range(1, len(statement.tokens))
        if (place := _place(tokens, index, in_system=in_system)) is not None
    ]
    edits: list[tuple[int, int, str]] = []
    aliases: dict[str, str] = {}
    columns: list[tuple[int, int, str]] = []
    for index, start, at in places:
        before, name, end = tokens[index - 1], tokens[at].value.lower(), tokens[at].end
        shown = _shown(name, owner)
        if shown and (
            before.is_word("FROM", "JOIN")
            or (before.is_symbol(",") and at > index and not tokens[at + 1].is_symbol("."))
        ):
            alias = _alias(tokens[at + 1 : at + 3])
            aliases[name] = alias or name
            edits.append((start, end, shown if alias else f"{shown} AS {name}"))
        elif shown and at > index and tokens[at + 1].is_symbol("."):
            columns.append((start, end, name))
        elif owner is not None and name in FILTERED and not before.is_word("TABLE", "DESCRIBE", "DESC", "EXISTS"):
            raise QueryError(497, f"{owner}: Not enough privileges to read system.{name} but by FROM or JOIN")
    # a column by the full name of its table, whatever that is called in the statement
    edits += [(start, end, aliases.get(name, name)) for start, end, name in columns]
    return splice(statement, sorted(edits)) if edits else statement.body


_END: Final = (Token(Kind.SYMBOL, "", 0, 0),) * 3


def _place(tokens: Sequence[Token], index: int, *, in_system: bool) -> tuple[int, int] | None:
    """Return where a name of a table of ``system`` starts, and the index of its last token, if one is at ``index``."""
    first, dot, table = tokens[index : index + 3]
    if tokens[index - 1].is_symbol("."):
        return None
    if first.is_name and first.value.lower() == "system" and dot.is_symbol(".") and table.is_name:
        return first.start, index + 2
    return (first.start, index) if in_system and first.is_name else None


def _shown(table: str, owner: str | None) -> str:
    """Return the subquery that stands for a table of ``system``; empty: the table itself."""
    if table == "processes":
        return visible(owner)
    if table == "settings":
        return _SETTINGS
    if owner is None or table not in _PATHS:
        return ""
    hidden = ", ".join(f"{blank} AS {column}" for column, blank in _PATHS[table].items())
    return f"(SELECT * REPLACE ({hidden}) FROM system.{table})"  # noqa: S608 - constants only


def _alias(following: Sequence[Token]) -> str:
    """Return the name that a table gets by what follows it, as it is written; empty: none."""
    first, second = following
    if first.is_word("AS"):
        return second.text
    return first.text if first.is_name and not first.is_word(*_CLAUSES) else ""


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


def victims_sql(condition: str, owner: str | None) -> str:
    """Return the SELECT of the log comment, query id, user and text of the queries a KILL means, of one owner or all.

    The condition can be any SQL, brackets that end this one included: what comes back is to be checked by `owner`.
    """
    return (
        f"SELECT {COMMENT}, query_id, user, query FROM {visible(owner)} AS processes "  # noqa: S608 - the client's own
        f"WHERE ({condition})"
    )


def owner(log_comment: str) -> str:
    """Return whose query carries this log comment."""
    parts = log_comment.split(":")
    try:
        return bytes.fromhex(parts[2]).decode() if len(parts) == _COMMENT_PARTS else ""
    except ValueError:
        return ""  # not one of ours


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
