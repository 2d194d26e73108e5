"""The endpoint's HTTP side: requests in, queries run, answers out."""

from __future__ import annotations

import secrets
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiohttp import web

from pipeline.endpoint import native, replies
from pipeline.endpoint.access import Role, User, authenticate, check, check_settings
from pipeline.endpoint.body import Body, drain, receive
from pipeline.endpoint.compression import Encoder, wants_gzip
from pipeline.endpoint.engine import Engine, new_token, quote
from pipeline.endpoint.errors import QueryError, exception_block
from pipeline.endpoint.execution import Answer, Execution, ExternalTable, Job
from pipeline.endpoint.plan import capped, make_plan
from pipeline.endpoint.request import Query, parse_request
from pipeline.endpoint.spool import Spool
from pipeline.endpoint.statement import Statement, parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipeline.endpoint.lanes import Lanes
    from pipeline.endpoint.sessions import ClientSession, Sessions

_DEFAULT_DATABASE: Final = "default"
_FALLBACK_DATABASE: Final = "system"  # exists always, and unqualified names in it are no files


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may cost."""

    body_bytes: int = 512 * 2**20
    query_bytes: int = 16 * 2**20
    read_seconds: int = 60
    memory_bytes: int = 4 * 2**30


@dataclass(frozen=True, slots=True)
class Server:
    """What the engine says about itself."""

    display_name: str
    version: str
    timezone: str


@dataclass(frozen=True, slots=True)
class Service:
    """Answers ClickHouse's HTTP interface from one engine."""

    engine: Engine
    lanes: Lanes
    sessions: Sessions
    users: Mapping[str, User]
    database: str
    server: Server
    spool_directory: Path
    limits: Limits

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, errors included."""
        if request.method in {"GET", "HEAD"} and not request.query_string and request.path in {"/", "/ping", "/replicas_status"}:
            return web.Response(text="Ok.\n", headers=self._headers())
        with ExitStack() as resources:
            try:
                return await self._answer(request, resources)
            except QueryError as error:
                response = replies.failure(request, self._headers(), error)
                if not await drain(request):
                    response.force_close()
                return response

    async def _answer(self, request: web.Request, resources: ExitStack) -> web.StreamResponse:
        # the password is checked before a byte of the body is kept
        authenticate(parse_request(request.method, request.query.items(), request.headers).credentials, self.users)
        body = await receive(request, self.spool_directory, self.limits.body_bytes, resources)
        query = parse_request(request.method, [*request.query.items(), *body.fields], request.headers, frozenset(body.tables))
        user = authenticate(query.credentials, self.users)
        statement, data = self._statement(query, body, resources)
        session = self.sessions.acquire(query, user.name)
        resources.callback(self.sessions.release, query, user.name, session)
        job = self._job(query, statement, user, session, data, body.tables)
        if native.is_hello(statement.tokens, query.protocol_version):
            hello = native.hello(self.server.display_name, self.server.version, self.server.timezone)
            return replies.whole(request, self._headers(job.query_id, "Native"), hello)
        if self.lanes.running(job.query_id):
            raise QueryError(216, f"Query with id = {job.query_id} is already running")
        execution = Execution(self.engine, job, session, resources.pop_all())
        self.lanes.admit(execution)
        try:
            answer = await self.lanes.run(execution, execution.start)
            return await self._send(request, execution, answer)
        finally:
            self.lanes.release(execution)

    def _statement(self, query: Query, body: Body, resources: ExitStack) -> tuple[Statement, Spool]:
        """Return the statement and the spool with its data: it may stand in the URL, in the body, or begin in one and go on."""
        text = query.sql.encode(errors="surrogateescape")
        rest = body.data
        statement = parse(text) if text.strip() else None
        if statement is None or not statement.takes_data:
            if statement is not None and body.data.size > self.limits.query_bytes:
                raise QueryError(229, f"the statement is longer than {self.limits.query_bytes} bytes")
            text = b"\n".join(part for part in (text, body.data.read()) if part)
            rest = resources.enter_context(Spool(self.spool_directory))
            statement = parse(text)
        if statement.data_start is None or statement.data_start >= len(text):
            return statement, rest
        data = resources.enter_context(Spool(self.spool_directory))
        data.write(memoryview(text)[statement.data_start:])
        data.write(rest.read())
        return statement, data

    def _job(
        self, query: Query, statement: Statement, user: User, session: ClientSession, data: Spool,
        tables: Mapping[str, Spool],
    ) -> Job:
        """Return what to run.

        Raises:
            QueryError: the user may not.
        """
        databases = self._databases(query.database or session.database)
        parameters = {**session.parameters, **query.parameters}
        check(statement, user, self.database, databases[0], parameters)
        check_settings(query.settings.items(), user)
        if query.read_only and not statement.is_read and statement.verb not in {"SET", "USE"}:
            raise QueryError(164, f"{user.name}: Cannot execute query in readonly mode. For queries over HTTP, method GET implies "
                                  "readonly. You should use method POST for modifying queries")
        caps = {"max_memory_usage": float(self.limits.memory_bytes)}
        if user.role is Role.READER:
            caps["max_execution_time"] = float(self.limits.read_seconds)
        settings = {**session.settings, **{name: quote(value) for name, value in query.settings.items()}}
        plan = make_plan(statement, settings, query.format, data.path)
        return Job(
            plan.with_settings(capped(plan.settings, caps)), user.name, query.query_id or str(uuid.uuid4()), new_token(),
            databases, parameters, _external_tables(query, tables),
        )

    def _databases(self, wanted: str) -> Sequence[str]:
        """Return the candidates for the current database.

        ``default`` means the application's own, as for a user with that default database: in the engine's ``default`` every
        file of the machine is a table.
        """
        return (wanted,) if wanted not in {"", _DEFAULT_DATABASE} else (self.database, _FALLBACK_DATABASE)

    async def _send(self, request: web.Request, execution: Execution, answer: Answer) -> web.StreamResponse:
        plan = execution.job.plan
        head = self._headers(execution.job.query_id, plan.format if plan.has_result else None)
        head["X-ClickHouse-Summary"] = replies.summary(answer)
        if not answer.more:
            self.lanes.release(execution)  # before the reply: the client's next request needs its session
            return replies.whole(request, head, answer.data)
        encoder = Encoder(gzip=wants_gzip(request.headers))
        tag = secrets.token_hex(8)
        response = web.StreamResponse(headers={**head, **encoder.headers, "X-ClickHouse-Exception-Tag": tag})
        await response.prepare(request)
        chunk: bytes | None = answer.data
        try:
            while chunk is not None:
                if packed := encoder.feed(chunk):
                    await response.write(packed)
                chunk = await self.lanes.run(execution, execution.fetch)
        except QueryError as error:
            await response.write(encoder.feed(exception_block(error, tag)))
        self.lanes.release(execution)
        await response.write_eof(encoder.finish())
        return response

    def _headers(self, query_id: str = "", output_format: str | None = None) -> dict[str, str]:
        return replies.headers(self.server.display_name, self.server.timezone, query_id, output_format)


def _external_tables(query: Query, tables: Mapping[str, Spool]) -> list[ExternalTable]:
    out = []
    for name, spool in tables.items():
        about = query.external[name]
        structure = about.get("structure") or ", ".join(
            f"_{position} {kind}" for position, kind in enumerate(about.get("types", "").split(","), 1))
        out.append(ExternalTable(name, about.get("format", "TabSeparated"), structure, spool.path))
    return out
