"""Request bodies: decompressed while they arrive, spooled, held to a limit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from aiohttp import BodyPartReader

from pipeline.embedded.clickhouse.blocks import BlockReader
from pipeline.embedded.clickhouse.compression import Decoder
from pipeline.embedded.clickhouse.errors import QueryError
from pipeline.embedded.clickhouse.spool import Spool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import ExitStack
    from pathlib import Path

    from aiohttp import web

    from pipeline.embedded.clickhouse.admission import Limits
    from pipeline.embedded.clickhouse.request import Transfer

MOST_FIELDS: Final = 1000  # ClickHouse's http_max_fields
_DRAIN_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body: the plain bytes, or the fields and external tables of a form."""

    data: Spool
    fields: list[tuple[str, str]] = field(default_factory=list)
    tables: dict[str, Spool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receiver:
    """Reads bodies into spools that ``resources`` will close.

    ``opening`` sees the first bytes of a body that is longer than a statement may be, so that what holds no statement
    is refused before it is received.
    """

    request: web.Request
    directory: Path
    limits: Limits
    transfer: Transfer
    resources: ExitStack
    opening: Callable[[bytes], Awaitable[None]]

    async def receive(self) -> Body:
        """Read the whole body.

        Raises:
            QueryError: 229 it is too long when decompressed, 40, 48 or 271 it cannot be decompressed, or what
                ``opening`` raises.
        """
        body = Body(self._spool())
        encoding = self.request.headers.get("Content-Encoding", "")
        if self.request.content_type == "multipart/form-data":
            await self._receive_form(body, encoding)
            return body
        seen = False
        async for piece in self._plain(encoding):
            self._append(body.data, piece)
            if not seen and body.data.size > self.limits.statement_bytes:
                seen = True
                await self.opening(body.data.read(self.limits.statement_bytes + 1))
        return body

    async def _receive_form(self, body: Body, encoding: str) -> None:
        if encoding:
            raise QueryError(
                48, f"multipart bodies with Content-Encoding {encoding} are not offered here: send them plain"
            )
        count = 0
        async for part in await self.request.multipart():
            count += 1
            if count > MOST_FIELDS:
                raise QueryError(36, f"the multipart body has more than {MOST_FIELDS} parts")
            if not isinstance(part, BodyPartReader) or part.name is None:
                raise QueryError(36, "a part of the multipart body has no name")
            if part.filename is None:
                body.fields.append((part.name, await self._field(part)))
                continue
            table = body.tables[part.name] = self._spool()
            async for chunk in _chunks(part):
                self._append(table, chunk)

    async def _field(self, part: BodyPartReader) -> str:
        text = b""
        async for chunk in _chunks(part):
            text += chunk
            if len(text) > self.limits.statement_bytes:
                raise QueryError(229, f"field {part.name} is longer than {self.limits.statement_bytes} bytes")
        return text.decode(part.get_charset("utf-8"), errors="surrogateescape")

    async def _plain(self, encoding: str) -> AsyncIterator[bytes]:
        decoder = Decoder(encoding)
        blocks = BlockReader(check=self.transfer.check) if self.transfer.decompress else None
        async for chunk in self.request.content.iter_any():
            for piece in decoder.feed(chunk):
                for plain in blocks.feed(piece) if blocks else (piece,):
                    yield plain
        decoder.finish()
        if blocks is not None:
            blocks.finish()

    def _spool(self) -> Spool:
        return self.resources.enter_context(Spool(self.directory))

    def _append(self, spool: Spool, data: bytes) -> None:
        if spool.size + len(data) > self.limits.body_bytes:
            raise QueryError(229, f"the request's body is larger than {self.limits.body_bytes} bytes")
        spool.write(data)


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk():
        yield chunk


async def drain(request: web.Request) -> bool:
    """Read what the client still sends: it would not see an error otherwise. Return whether that came to an end."""
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for _ in request.content.iter_any():
                pass
    except TimeoutError:
        return False
    return True
