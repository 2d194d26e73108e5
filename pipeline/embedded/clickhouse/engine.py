"""chDB for many clients: one engine per process, one chDB Session per request, every query cancellable.

A Session is never used again after an error: chDB puts the bytes of a query that failed part-way in front of
the next answer on the same Session, so one client's rows would reach another.
"""

from __future__ import annotations

import json
import secrets
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any, Final

from chdb import ChdbError
from chdb.session import Session

from pipeline.embedded.clickhouse.errors import from_engine
from pipeline.embedded.clickhouse.quoting import identifier, quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# Formats whose chunks concatenate to what the whole answer would be; the others have headers or footers.
STREAMED_FORMATS: Final = frozenset(
    {"native", "jsoneachrow", "jsoncompacteachrow", "tsv", "tabseparated", "csv", "rowbinary", "msgpack", "sqlinsert"}
)


# chDB raises its own errors and bare RuntimeErrors; text that is no UTF-8 does not reach it at all
_ENGINE_ERRORS: Final = (ChdbError, RuntimeError, UnicodeEncodeError)


@dataclass(frozen=True, slots=True)
class About:
    """What the engine says about itself."""

    display_name: str
    version: str
    timezone: str


class Engine:
    """The chDB engine on one directory, of which a process can have one.

    Raises:
        QueryError: (76) another process has the directory open.
    """

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._path = str(path)
        try:
            self._anchor = Session(self._path)  # keeps the engine open between requests
        except RuntimeError as error:
            raise from_engine(error) from error

    def close(self) -> None:
        """Close the engine; running queries are cancelled."""
        self._anchor.close()

    def about(self) -> About:
        """Ask the engine for its name, version and time zone."""
        with self.connection() as connection:
            answer = connection.run("SELECT displayName(), version(), timezone()", "JSONCompactEachRow")
        return About(*json.loads(answer.data))

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Yield a fresh connection that is closed at the end, whatever happened on it."""
        connection = self.connect()
        try:
            yield connection
        finally:
            connection.close()

    def connect(self) -> Connection:
        """Return a fresh connection."""
        return Connection(Session(self._path))

    def kill(self, token: str) -> None:
        """Ask the query that carries ``token`` to stop; returns at once, also when there is none."""
        with self.connection() as connection:
            condition = f"startsWith(Settings['log_comment'], {quote(token)})"
            connection.run(f"KILL QUERY WHERE {condition} ASYNC", "Null")


class Connection:
    """One chDB Session: SET, USE and temporary tables are private to it. Every error is a `QueryError`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def close(self) -> None:
        """Close it; a query still running on it is cancelled."""
        self._session.close()

    def run(self, sql: str, output_format: str, parameters: Mapping[str, str] | None = None) -> Result:
        """Run one statement and return its whole answer."""
        try:
            answer = self._session.query(sql, output_format, params=dict(parameters or {}))
            return Result(answer.bytes() or b"", Figures.of(answer))
        except _ENGINE_ERRORS as error:
            raise from_engine(error) from error

    def stream(self, sql: str, output_format: str, parameters: Mapping[str, str]) -> Stream:
        """Start one SELECT; errors appear with the first chunk at the earliest."""
        try:
            return Stream(self._session.send_query(sql, output_format, params=dict(parameters)))
        except _ENGINE_ERRORS as error:
            raise from_engine(error) from error

    def set(self, settings: Mapping[str, str]) -> None:
        """Change settings (values are SQL literals) for what runs on this connection from now on."""
        if settings:
            self.run("SET " + ", ".join(f"{identifier(name)} = {value}" for name, value in settings.items()), "Null")

    def use(self, database: str) -> None:
        """Make ``database`` the current one; it must exist."""
        self.run(f"USE {identifier(database)}", "Null")


@dataclass(frozen=True, slots=True)
class Figures:
    """What a statement, or a part of it, has cost."""

    rows_read: int = 0
    bytes_read: int = 0
    rows_written: int = 0
    bytes_written: int = 0
    rows_returned: int = 0
    seconds: float = 0.0

    @classmethod
    def of(cls, answer: Any) -> Figures:
        """Return the figures of an answer of chDB, whose ``rows_read`` are those that a client reads from it."""
        return cls(
            answer.storage_rows_read(),
            answer.storage_bytes_read(),
            answer.rows_written(),
            answer.bytes_written(),
            answer.rows_read(),
            answer.elapsed(),
        )

    def plus(self, other: Figures) -> Figures:
        """Return the sums."""
        return Figures(*(one + two for one, two in zip(astuple(self), astuple(other), strict=True)))


NO_FIGURES: Final = Figures()


@dataclass(frozen=True, slots=True)
class Result:
    """A whole answer and what it cost."""

    data: bytes
    figures: Figures


class Stream:
    """An answer that comes in chunks."""

    __slots__ = ("_stream", "figures")

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.figures = NO_FIGURES  # of what was fetched

    def fetch(self) -> bytes | None:
        """Return the next chunk, None after the last one."""
        try:
            chunk = self._stream.fetch()
            if chunk is None:
                return None
            self.figures = self.figures.plus(Figures.of(chunk))
            return bytes(chunk.bytes())
        except _ENGINE_ERRORS as error:
            raise from_engine(error) from error


def new_token() -> str:
    """Return a name for one running query, by which it is found and killed."""
    return f"roi:{secrets.token_hex(8)}"
