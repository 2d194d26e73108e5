"""From a statement to what the engine is told: settings and the SQL that reads a spooled body. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from pipeline.embedded.clickhouse import processes
from pipeline.embedded.clickhouse.engine import STREAMED_FORMATS
from pipeline.embedded.clickhouse.quoting import quote
from pipeline.embedded.clickhouse.statement import splice
from pipeline.embedded.clickhouse.tokens import tokenize

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.embedded.clickhouse.statement import Statement

_UNLIMITED: Final = str(2**40)
# One INSERT is one block: a malformed body then inserts nothing, and a table without partitions gets one part.
_ONE_BLOCK: Final = {
    "async_insert": "0",
    "max_insert_block_size": _UNLIMITED,
    "min_insert_block_size_rows": _UNLIMITED,
    "min_insert_block_size_bytes": _UNLIMITED,
    "max_insert_threads": "1",
    "max_threads": "1",
}


# FINAL merges what it reads: with this, only rows that conditions on the sorting key leave (it moves no others).
# deploy/clickhouse/users.d/roi.xml sets the same.
_READING: Final = {"optimize_move_to_prewhere_if_final": "1"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What runs on a connection: its settings (SQL literals), then the SQL, answered in ``format``.

    ``kill`` is the condition of a KILL QUERY and whether it waits. The client's session remembers the ``session_…``
    parts when the statement has succeeded.
    """

    settings: Mapping[str, str]
    sql: str
    format: str
    has_result: bool = False
    streamed: bool = False
    read_only: bool = False
    kill: tuple[str, bool] | None = None
    keeps_connection: bool = False
    session_settings: Mapping[str, str] = field(default_factory=dict)
    session_parameters: Mapping[str, str] = field(default_factory=dict)
    session_database: str = ""

    def with_settings(self, settings: Mapping[str, str]) -> Plan:
        """Return the same plan under other settings."""
        return replace(self, settings=settings)


@dataclass(frozen=True, slots=True)
class View:
    """What a client sees of `system`: queries of ``owner`` only (None: everybody's), from the database ``current``."""

    owner: str | None
    current: str


def make_plan(statement: Statement, settings: Mapping[str, str], default_format: str, path: str, view: View) -> Plan:
    """Return how to run ``statement``, which must be allowed already.

    Args:
        statement: the parsed statement.
        settings: the request's settings, as SQL literals.
        default_format: the format of rows whose statement names none.
        path: where an INSERT's data is.
        view: what of the server's own tables the client sees.
    """
    settings = {**settings, **dict(statement.settings)}
    output_format = statement.format or default_format
    if statement.takes_data:
        return Plan(_ONE_BLOCK | settings, insert_sql(statement, default_format, path), "Null")
    if statement.verb in {"INSERT", "WITH INSERT"}:
        return Plan(
            {"async_insert": "0"} | settings, processes.with_client_names(statement, view.owner, view.current), "Null"
        )
    if statement.verb == "KILL" and statement.tokens[1].is_word("QUERY"):
        return Plan(settings, statement.body, output_format, has_result=True, kill=processes.kill_condition(statement))
    if statement.verb in {"SET", "USE"}:
        return _session_change(statement, settings)
    return Plan(
        _READING | settings if statement.is_read else settings,
        processes.with_client_names(statement, view.owner, view.current),
        output_format,
        has_result=statement.is_read or statement.verb == "KILL",
        streamed=statement.verb == "SELECT" and output_format.lower() in STREAMED_FORMATS,
        read_only=statement.is_read,
        keeps_connection=statement.verb == "CREATE" and any(one.is_word("TEMPORARY") for one in statement.tokens[:4]),
    )


def _session_change(statement: Statement, settings: Mapping[str, str]) -> Plan:
    """Return the plan of SET and USE: tried on the request's connection, then remembered by the session."""
    parameters = {
        name.removeprefix("param_"): next(tokenize(value.encode(errors="surrogateescape"))).value
        for name, value in statement.settings
        if name.startswith("param_")
    }
    return Plan(
        settings,
        "SELECT 1" if statement.verb == "SET" else statement.body,
        "Null",
        session_settings={name: value for name, value in statement.settings if not name.startswith("param_")},
        session_parameters=parameters,
        session_database=statement.tokens[-1].value if statement.verb == "USE" else "",
    )


def insert_sql(statement: Statement, default_format: str, path: str) -> str:
    """Return the INSERT that reads its rows from ``path``, by ``file(…)`` for ``input('…')``, else by FROM INFILE."""
    data_format = statement.format or default_format
    if statement.input_span is None:
        return f"{statement.body} FROM INFILE {quote(path)} FORMAT {data_format}"
    source = f"file({quote(path)}, {quote(data_format)}, {statement.input_structure})"
    return splice(statement, [(*statement.input_span, source)])


def capped(settings: Mapping[str, str], caps: Mapping[str, int]) -> dict[str, str]:
    """Return ``settings`` with numbers at or below ``caps``; absent ones and 0, meaning no limit, become the cap."""
    out = dict(settings)
    for name, cap in caps.items():
        try:
            value = float(out.get(name, "0").strip("'"))
        except ValueError:
            continue  # the engine says what is wrong with it
        if not 0 < value <= cap:
            out[name] = str(cap)
    return out
