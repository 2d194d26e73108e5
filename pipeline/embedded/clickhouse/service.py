"""The endpoint's HTTP side: requests in, queries run, answers out."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from aiohttp import web

from pipeline.embedded.clickhouse import native, replies
from pipeline.embedded.clickhouse.access import User, authenticate
from pipeline.embedded.clickhouse.admission import Asked, Limits, admit
from pipeline.embedded.clickhouse.body import MOST_FIELDS, Body, Receiver, drain
from pipeline.embedded.clickhouse.compression import Encoder
from pipeline.embedded.clickhouse.errors import QueryError, exception_block
from pipeline.embedded.clickhouse.execution import Answer, Execution
from pipeline.embedded.clickhouse.request import Query, Transfer, parse_credentials, parse_request
from pipeline.embedded.clickhouse.spool import Spool
from pipeline.embedded.clickhouse.statement import Statement, parse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipeline.embedded.clickhouse.engine import About, Engine
    from pipeline.embedded.clickhouse.query_pools import QueryPools
    from pipeline.embedded.clickhouse.sessions import Sessions

_PING_PATHS: Final = frozenset({"/", "/ping", "/replicas_status"})
_QUERY_PATHS: Final = frozenset({"/query"})
_PLAIN_ERRORS: Final = frozenset({401, 403})  # drivers take these as they are, whatever compression they asked for


@dataclass(frozen=True, slots=True)
class Service:
    """Answers ClickHouse's HTTP interface from one engine."""

    engine: Engine
    about: About
    pools: QueryPools
    sessions: Sessions
    users: Mapping[str, User]
    database: str
    limits: Limits
    spool_directory: Path

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, errors included."""
        head = replies.headers(self.about)
        if request.method in {"GET", "HEAD"} and not request.query_string:
            if request.path in _PING_PATHS:
                return web.Response(text="Ok.\n", headers=head)
            if request.path not in _QUERY_PATHS:
                return replies.no_page(head, request.path)
        with ExitStack() as resources:
            blocks = False
            try:
                transfer = _transfer(request)
                blocks = transfer.compress
                return await self._answer(request, transfer, resources)
            except QueryError as error:
                failure = error
        blocks = blocks and failure.status not in _PLAIN_ERRORS
        response = await replies.failure(Encoder.of(request.headers, blocks=blocks), head, failure)
        if not await drain(request):
            response.force_close()
        return response

    async def _answer(self, request: web.Request, transfer: Transfer, resources: ExitStack) -> web.StreamResponse:
        pairs = list(request.query.items())
        user = authenticate(parse_credentials(request.query, request.headers), self.users)
        sql = request.query.get("query", "").encode(errors="surrogateescape")
        receiver = Receiver(
            request, self.spool_directory, self.limits, transfer, resources, partial(self._check_opening, sql)
        )
        body = await receiver.receive()
        query = parse_request(request.method, pairs + body.fields, request.headers, frozenset(body.tables))
        statement, data = await self._statement(query, body, resources)
        session = self.sessions.acquire(query, user.name)
        resources.callback(self.sessions.release, query, user.name, session)
        asked = Asked(query, statement, user, session, data.path, body.tables)
        job = await self.pools.analyse(partial(admit, asked, self.database, self.limits), len(statement.tokens))
        encoder = Encoder.of(request.headers, blocks=transfer.compress)
        if native.is_hello(statement.tokens, query.protocol_version):
            hello = native.hello(self.about.display_name, self.about.version, self.about.timezone)
            return await replies.whole(encoder, replies.headers(self.about, job.query_id, "Native"), hello)
        del asked, statement  # many tokens take much memory, and the query may run long
        self.pools.check_open()
        if self.pools.running(job.query_id):
            raise QueryError(216, f"Query with id = {job.query_id} is already running")
        execution = Execution(self.engine, job, session, resources.pop_all())
        self.pools.admit(execution)
        try:
            answer = await self.pools.run(execution, execution.start)
            return await self._send(request, execution, answer, encoder)
        finally:
            self.pools.release(execution)

    async def _check_opening(self, sql: bytes, opening: bytes) -> None:
        """Refuse a body that is longer than a statement and holds no INSERT with its data."""
        limit = self.limits.statement_bytes
        if sql.strip() and (await self._parse(sql)).takes_data:
            return
        await self._parse(_joined(sql, opening)[: limit + 1])

    async def _parse(self, text: bytes) -> Statement:
        return await self.pools.analyse(partial(parse, text, self.limits.statement_bytes), len(text))

    async def _statement(self, query: Query, body: Body, resources: ExitStack) -> tuple[Statement, Spool]:
        """Return the statement and the spool with its data.

        As in ClickHouse the text is the URL's followed by the body's, so either may hold the statement, and an INSERT's
        data may begin in one and go on in the other.
        """
        text = query.sql.encode(errors="surrogateescape")
        statement = await self._parse(text) if text.strip() else None
        start = 0
        if statement is None or not statement.takes_data:
            prefix = len(_joined(text, b"x")) - 1
            text = _joined(text, body.data.read(self.limits.statement_bytes + 1))
            statement = await self._parse(text)
            if statement.data_start is None:
                return statement, body.data
            text, start = b"", statement.data_start - prefix
        elif statement.data_start is not None:
            text = text[statement.data_start :]
        if start == 0 and not text:
            return statement, body.data
        data = resources.enter_context(Spool(self.spool_directory))
        data.write(text)
        await asyncio.to_thread(data.copy, body.data, start)
        return statement, data

    async def _send(
        self, request: web.Request, execution: Execution, answer: Answer, encoder: Encoder
    ) -> web.StreamResponse:
        plan = execution.job.plan
        head = replies.headers(self.about, execution.job.query_id, plan.format if plan.has_result else None)
        head["X-ClickHouse-Summary"] = replies.summary(answer)
        if not answer.more:
            self.pools.release(execution)  # before the reply: the client's next request needs its session
            return await replies.whole(encoder, head, answer.data)
        tag = secrets.token_hex(8)
        response = web.StreamResponse(headers={**head, **encoder.headers, "X-ClickHouse-Exception-Tag": tag})
        await response.prepare(request)
        chunk: bytes | None = answer.data
        try:
            while chunk is not None:
                if packed := await encoder.next(chunk):
                    await response.write(packed)
                chunk = await self.pools.run(execution, execution.fetch)
        except QueryError as error:
            await response.write(await encoder.next(exception_block(error, tag)))
        self.pools.release(execution)
        await response.write_eof(encoder.finish())
        return response


def _transfer(request: web.Request) -> Transfer:
    if request.rel_url.raw_query_string.count("&") >= MOST_FIELDS:
        raise QueryError(36, f"the URL has more than {MOST_FIELDS} parameters")
    return Transfer.of(request.query)


def _joined(sql: bytes, body: bytes) -> bytes:
    return b"\n".join(part for part in (sql, body) if part)
