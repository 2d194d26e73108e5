"""The endpoint's HTTP side: requests in, queries run, answers out."""

from __future__ import annotations

import asyncio
import json
import secrets
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiohttp import web

from pipeline.endpoint import native
from pipeline.endpoint.access import Role, User, authenticate, check, check_settings
from pipeline.endpoint.compression import Decoder, Encoder, wants_gzip
from pipeline.endpoint.engine import Engine, new_token, quote
from pipeline.endpoint.errors import SERVER_VERSION, QueryError, exception_block
from pipeline.endpoint.execution import Answer, Execution
from pipeline.endpoint.plan import plan
from pipeline.endpoint.request import Query, parse_request
from pipeline.endpoint.spool import Spool
from pipeline.endpoint.statement import parse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipeline.endpoint.lanes import Lanes

_CONTENT_TYPES: Final = {
    "json": "application/json; charset=UTF-8", "jsoncompact": "application/json; charset=UTF-8",
    "jsoneachrow": "application/x-ndjson; charset=UTF-8", "csv": "text/csv; charset=UTF-8; header=absent",
    "csvwithnames": "text/csv; charset=UTF-8; header=present", "native": "application/octet-stream",
    "rowbinary": "application/octet-stream", "msgpack": "application/x-msgpack", "arrow": "application/octet-stream",
    "parquet": "application/octet-stream", "xml": "application/xml; charset=UTF-8",
    "tabseparated": "text/tab-separated-values; charset=UTF-8", "tsv": "text/tab-separated-values; charset=UTF-8",
}
_TEXT: Final = "text/plain; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may cost."""

    body_bytes: int = 512 * 2**20
    query_bytes: int = 16 * 2**20
    read_seconds: int = 60
    memory_bytes: int = 4 * 2**30


@dataclass(frozen=True, slots=True)
class Service:
    """Answers ClickHouse's HTTP interface from one engine."""

    engine: Engine
    lanes: Lanes
    users: Mapping[str, User]
    database: str
    display_name: str
    spool_directory: Path
    limits: Limits

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, errors included."""
        if request.path in {"/ping", "/replicas_status"} or (request.path == "/" and not request.query_string
                                                           and request.method in {"GET", "HEAD"}):
            return web.Response(text="Ok.\n", headers=self._headers(request, "", None))
        with ExitStack() as resources:
            try:
                return await self._answer(request, resources)
            except QueryError as error:
                await _drain(request)
                return self._error(request, error)

    async def _answer(self, request: web.Request, resources: ExitStack) -> web.StreamResponse:
        query = parse_request(request.method, request.query.items(), request.headers, frozenset())
        user = authenticate(query.credentials, self.users)
        body = resources.enter_context(Spool(self.spool_directory))
        await self._receive(request, body)
        text = query.sql.encode(errors="surrogateescape")
        statement = parse(text) if text.strip() else None
        if statement is None or not statement.takes_data:
            if body.size > self.limits.query_bytes and not statement:
                pass
            text = b"\n".join(part for part in (text, body.read()) if part)
            statement = parse(text)
        check(statement, user, self.database)
        check_settings(tuple(query.settings.items()), user)
        if query.get and not statement.is_read and statement.verb not in {"SET", "USE"}:
            raise QueryError(164, f"{user.name}: Cannot execute query in readonly mode. For queries over HTTP, method GET implies "
                                  "readonly. You should use method POST for modifying queries")
        if native.is_hello(statement.tokens, query.protocol_version):
            return self._whole(request, query, "Native", native.hello(self.display_name, SERVER_VERSION, "UTC"))
        if statement.takes_data and statement.data_start is not None and statement.data_start < len(text):
            data = resources.enter_context(Spool(self.spool_directory))
            data.write(text[statement.data_start:])
            if text == query.sql.encode(errors="surrogateescape"):
                data.write(body.read())
            body = data
        query_id = query.query_id or str(uuid.uuid4())
        execution = Execution(
            engine=self.engine, plan=plan(statement, query.settings, query.format, body.path), statement=statement,
            token=new_token(), user=user.name, query_id=query_id, database=query.database or "",
            parameters=query.parameters, tables=(), session_settings={}, caps={},
            read_only=statement.is_read, resources=resources.pop_all(),
        )
        self.lanes.admit(execution)
        try:
            answer = await self.lanes.run(execution, execution.start)
            return await self._send(request, query, execution, answer)
        finally:
            self.lanes.release(execution)

    async def _receive(self, request: web.Request, body: Spool) -> None:
        decoder = Decoder(request.headers.get("Content-Encoding", ""))
        async for chunk in request.content.iter_any():
            body.write(decoder.feed(chunk))
            if body.size > self.limits.body_bytes:
                raise QueryError(229, f"the request's body is larger than {self.limits.body_bytes} bytes")
        decoder.finish()

    async def _send(self, request: web.Request, query: Query, execution: Execution, answer: Answer) -> web.StreamResponse:
        output_format = execution.plan.format if execution.plan.has_result else None
        summary = {
            "read_rows": str(answer.rows_read), "read_bytes": "0", "written_rows": str(answer.rows_written),
            "written_bytes": str(answer.bytes_written), "total_rows_to_read": "0", "result_rows": "0",
            "result_bytes": str(len(answer.data)), "elapsed_ns": "0",
        }
        headers = self._headers(request, execution.query_id, output_format)
        headers["X-ClickHouse-Summary"] = json.dumps(summary, separators=(",", ":"))
        gzip = wants_gzip(request.headers)
        encoder = Encoder(gzip=gzip)
        if gzip:
            headers["Content-Encoding"] = "gzip"
        if not answer.more:
            return web.Response(body=encoder.finish(answer.data), headers=headers)
        tag = secrets.token_hex(8)
        headers["X-ClickHouse-Exception-Tag"] = tag
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        chunk: bytes | None = answer.data
        try:
            while chunk is not None:
                if packed := encoder.feed(chunk):
                    await response.write(packed)
                chunk = await self.lanes.run(execution, execution.fetch)
        except QueryError as error:
            await response.write(encoder.feed(exception_block(error, tag)))
        await response.write_eof(encoder.finish())
        return response

    def _whole(self, request: web.Request, query: Query, output_format: str, data: bytes) -> web.Response:
        return web.Response(body=data, headers=self._headers(request, query.query_id, output_format))

    def _headers(self, request: web.Request, query_id: str, output_format: str | None) -> dict[str, str]:
        headers = {
            "Content-Type": _CONTENT_TYPES.get((output_format or "").lower(), _TEXT),
            "X-ClickHouse-Server-Display-Name": self.display_name,
            "X-ClickHouse-Timezone": "UTC",
        }
        if output_format:
            headers["X-ClickHouse-Format"] = output_format
        if query_id:
            headers["X-ClickHouse-Query-Id"] = query_id
        return headers

    def _error(self, request: web.Request, error: QueryError) -> web.Response:
        headers = self._headers(request, "", None) | {"X-ClickHouse-Exception-Code": str(error.code)}
        if error.status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
        encoder = Encoder(gzip=wants_gzip(request.headers))
        if wants_gzip(request.headers):
            headers["Content-Encoding"] = "gzip"
        text = f"{error.render()}\n".encode(errors="surrogateescape")
        return web.Response(status=error.status, body=encoder.finish(text), headers=headers)


async def _drain(request: web.Request) -> None:
    """Read the rest of the body: a client still sending would not see the error otherwise."""
    async for _ in request.content.iter_any():
        await asyncio.sleep(0)
