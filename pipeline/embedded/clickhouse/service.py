"""The endpoint's HTTP side: requests in, queries run, answers out."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiohttp import web

from pipeline.embedded.clickhouse import native, replies
from pipeline.embedded.clickhouse.access import User, authenticate
from pipeline.embedded.clickhouse.admission import Asked, Policy, admit
from pipeline.embedded.clickhouse.body import Body, drain, receive
from pipeline.embedded.clickhouse.compression import Encoder, wants_gzip
from pipeline.embedded.clickhouse.errors import QueryError, exception_block
from pipeline.embedded.clickhouse.execution import Answer, Execution
from pipeline.embedded.clickhouse.request import Query, parse_request
from pipeline.embedded.clickhouse.spool import Spool
from pipeline.embedded.clickhouse.statement import Statement, parse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipeline.embedded.clickhouse.engine import About, Engine
    from pipeline.embedded.clickhouse.query_pools import QueryPools
    from pipeline.embedded.clickhouse.sessions import Sessions

_PING_PATHS: Final = frozenset({"/", "/ping", "/replicas_status"})


@dataclass(frozen=True, slots=True)
class Service:
    """Answers ClickHouse's HTTP interface from one engine."""

    engine: Engine
    about: About
    pools: QueryPools
    sessions: Sessions
    users: Mapping[str, User]
    policy: Policy
    spool_directory: Path

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, errors included."""
        if request.method in {"GET", "HEAD"} and not request.query_string and request.path in _PING_PATHS:
            return web.Response(text="Ok.\n", headers=replies.headers(self.about))
        with ExitStack() as resources:
            try:
                return await self._answer(request, resources)
            except QueryError as error:
                response = replies.failure(request, replies.headers(self.about), error)
                if not await drain(request):
                    response.force_close()
                return response

    async def _answer(self, request: web.Request, resources: ExitStack) -> web.StreamResponse:
        pairs = list(request.query.items())
        user = authenticate(parse_request(request.method, pairs, request.headers).credentials, self.users)
        body = await receive(request, self.spool_directory, self.policy.limits.body_bytes, resources)
        query = parse_request(request.method, pairs + body.fields, request.headers, frozenset(body.tables))
        statement, data = self._statement(query, body, resources)
        session = self.sessions.acquire(query, user.name)
        resources.callback(self.sessions.release, query, user.name, session)
        job = admit(Asked(query, statement, user, session, data.path, body.tables), self.policy)
        if native.is_hello(statement.tokens, query.protocol_version):
            hello = native.hello(self.about.display_name, self.about.version, self.about.timezone)
            return replies.whole(request, replies.headers(self.about, job.query_id, "Native"), hello)
        if self.pools.running(job.query_id):
            raise QueryError(216, f"Query with id = {job.query_id} is already running")
        execution = Execution(self.engine, job, session, resources.pop_all())
        self.pools.admit(execution)
        try:
            answer = await self.pools.run(execution, execution.start)
            return await self._send(request, execution, answer)
        finally:
            self.pools.release(execution)

    def _statement(self, query: Query, body: Body, resources: ExitStack) -> tuple[Statement, Spool]:
        """Return the statement and the spool with its data.

        As in ClickHouse the text is the URL's followed by the body's, so either may hold the statement, and an INSERT's
        data may begin in one and go on in the other.
        """
        text = query.sql.encode(errors="surrogateescape")
        rest = body.data
        statement = parse(text) if text.strip() else None
        if statement is None or not statement.takes_data:
            text = b"\n".join(part for part in (text, body.data.read()) if part)
            rest = resources.enter_context(Spool(self.spool_directory))
            statement = parse(text)
        if statement.data_start is None or statement.data_start >= len(text):
            return statement, rest
        data = resources.enter_context(Spool(self.spool_directory))
        data.write(memoryview(text)[statement.data_start :])
        data.write(rest.read())
        return statement, data

    async def _send(self, request: web.Request, execution: Execution, answer: Answer) -> web.StreamResponse:
        plan = execution.job.plan
        head = replies.headers(self.about, execution.job.query_id, plan.format if plan.has_result else None)
        head["X-ClickHouse-Summary"] = replies.summary(answer)
        if not answer.more:
            self.pools.release(execution)  # before the reply: the client's next request needs its session
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
                chunk = await self.pools.run(execution, execution.fetch)
        except QueryError as error:
            await response.write(encoder.feed(exception_block(error, tag)))
        self.pools.release(execution)
        await response.write_eof(encoder.finish())
        return response
