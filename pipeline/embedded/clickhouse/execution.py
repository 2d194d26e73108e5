"""One statement's life on its own chDB connection. Blocking: runs in the endpoint's worker threads."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pipeline.embedded.clickhouse import processes
from pipeline.embedded.clickhouse.engine import NO_FIGURES, Connection, Engine, Figures, Result, Stream
from pipeline.embedded.clickhouse.errors import QueryError
from pipeline.embedded.clickhouse.quoting import identifier, quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import ExitStack

    from pipeline.embedded.clickhouse.plan import Plan
    from pipeline.embedded.clickhouse.sessions import ClientSession


_KILL_LOOKS_SECONDS: Final = 5  # for the condition of a reader's KILL, which is any SQL
_BUFFERED_BYTES: Final = 2**20  # ClickHouse's http_response_buffer_size


@dataclass(frozen=True, slots=True)
class ExternalTable:
    """A temporary table that came with the request."""

    name: str
    format: str
    structure: str
    path: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The first bytes of an answer; ``more`` tells whether `Execution.fetch` has others."""

    data: bytes
    more: bool
    figures: Figures = NO_FIGURES


@dataclass(frozen=True, slots=True)
class Job:
    """What to run, for whom, and under which names."""

    plan: Plan
    user: str
    own_only: bool  # sees and kills no queries but its own
    query_id: str
    token: str
    databases: Sequence[str]  # the first that exists becomes the current one
    parameters: Mapping[str, str]
    tables: Sequence[ExternalTable] = ()


@dataclass(slots=True, eq=False)
class Execution:
    """One job: `start`, then `fetch` while there is more, then `close`, whatever happened before.

    The job's ``token`` is in the query's log comment, so that `cancel` can stop it from another thread, also before it
    has started. ``resources`` are closed with it: the engine may read a spooled body until the query has ended.
    """

    engine: Engine
    job: Job
    session: ClientSession
    resources: ExitStack
    _cancelled: threading.Event = field(default_factory=threading.Event)
    _connection: Connection | None = None
    _stream: Stream | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing runs any more and the connection is given back; only `close` is left to do."""
        return self._connection is None

    def start(self) -> Answer:
        """Run the statement up to its first bytes."""
        if self._cancelled.is_set():
            raise QueryError(394, "Query was cancelled. (QUERY_WAS_CANCELLED)")
        try:
            self._connection = self.session.connection or self.engine.connect()
            answer = self._run(self._connection)
        except QueryError:
            self._give_back(failed=True)
            raise
        if not answer.more:
            self._give_back()
        return answer

    def fetch(self) -> bytes | None:
        """Return the next chunk, None after the last one."""
        try:
            chunk = self._stream.fetch() if self._stream else None
        except QueryError:
            self._give_back(failed=True)
            raise
        if chunk is None:
            self._give_back()
        return chunk

    def cancel(self) -> None:
        """Stop the statement as soon as the engine looks up; never blocks for long."""
        self._cancelled.set()
        self.engine.kill(self.job.token)

    def close(self) -> None:
        """Free everything; what still runs is cancelled."""
        if not self.is_over:
            self.engine.kill(self.job.token)
            self._give_back(failed=True)
        self.resources.close()

    def _give_back(self, *, failed: bool = False) -> None:
        """Close the connection, or keep it for the session's temporary tables."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if connection is not self.session.connection and (failed or not self.job.plan.keeps_connection):
            connection.close()
            return
        if failed:
            connection.run("SELECT 1", "Null")  # takes away what a failed query leaves in front of the next answer
        connection.set(dict.fromkeys({*self.session.settings, *self.job.plan.settings}, "DEFAULT"))
        self.session.connection = connection

    def _run(self, connection: Connection) -> Answer:
        plan = self.job.plan
        self._prepare(connection)
        if plan.kill is not None:
            return _answer(self._kill(connection, *plan.kill))
        if plan.streamed:
            self._stream = connection.stream(plan.sql, plan.format, self.job.parameters)
            return self._first_chunks(self._stream)
        answer = _answer(connection.run(plan.sql, plan.format, self.job.parameters))
        self.session.settings.update(plan.session_settings)
        self.session.parameters.update(plan.session_parameters)
        self.session.database = plan.session_database or self.session.database
        return answer

    def _prepare(self, connection: Connection) -> None:
        job = self.job
        _use_first(connection, job.databases)
        comment = quote(processes.comment(job.token, job.user, job.query_id))
        settings = {**self.session.settings, **job.plan.settings, "log_comment": comment, "implicit_select": "0"}
        if job.tables:
            connection.set(settings)
        for table in job.tables:
            connection.run(
                f"CREATE TEMPORARY TABLE {identifier(table.name)} AS SELECT * FROM "  # noqa: S608 - everything is quoted
                f"file({quote(table.path)}, {quote(table.format)}, {quote(table.structure)})",
                "Null",
            )
        if job.plan.read_only and self.session.connection is None:
            settings["readonly"] = "1"
        connection.set(settings)

    def _first_chunks(self, stream: Stream) -> Answer:
        """Return the first chunks, all of a small answer: it goes out in one write, its figures exact."""
        chunks: list[bytes] = []
        size = 0
        while size <= _BUFFERED_BYTES:
            chunk = stream.fetch()
            if chunk is None:
                return Answer(b"".join(chunks), more=False, figures=stream.figures)
            chunks.append(chunk)
            size += len(chunk)
        return Answer(b"".join(chunks), more=True, figures=stream.figures)

    def _kill(self, connection: Connection, condition: str, sync: bool) -> Result:  # noqa: FBT001 - as parsed
        owner = self.job.user if self.job.own_only else None
        with self.engine.connection() as looking:  # the condition is the client's SQL: it may only read
            _use_first(looking, self.job.databases)
            caps = {"max_execution_time": str(_KILL_LOOKS_SECONDS)} if owner is not None else {}
            looking.set({**self.job.plan.settings, **caps, "implicit_select": "0", "readonly": "1"})
            found = looking.run(processes.victims_sql(condition, owner), "JSONCompactEachRow", self.job.parameters)
        rows = [json.loads(line) for line in found.data.splitlines()]
        victims = [
            row
            for row in rows
            if not row[0].startswith(self.job.token) and (owner is None or processes.owner(row[0]) == owner)
        ]
        if victims:
            connection.run(processes.kill_sql([row[0] for row in victims], sync=sync), "Null")
        return connection.run(processes.killed_sql(victims, sync=sync), self.job.plan.format)


def _use_first(connection: Connection, databases: Sequence[str]) -> None:
    for position, database in enumerate(databases):
        try:
            connection.use(database)
        except QueryError as error:
            if error.code != 81 or position == len(databases) - 1:
                raise
        else:
            return


def _answer(result: Result) -> Answer:
    return Answer(result.data, more=False, figures=result.figures)
