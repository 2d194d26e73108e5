"""Request bodies: decompressed while they arrive, spooled, held to a limit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import BodyPartReader

from pipeline.embedded.clickhouse.compression import Decoder
from pipeline.embedded.clickhouse.errors import QueryError
from pipeline.embedded.clickhouse.spool import Spool

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator
    from contextlib import ExitStack
    from pathlib import Path

    from aiohttp import web

_DRAIN_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body: the plain bytes, or the fields and external tables of a form."""

    data: Spool
    fields: list[tuple[str, str]] = field(default_factory=list)
    tables: dict[str, Spool] = field(default_factory=dict)


async def receive(request: web.Request, directory: Path, limit: int, resources: ExitStack) -> Body:
    """Read the whole body into spools that ``resources`` will close.

    Raises:
        QueryError: 229 it is longer than ``limit`` bytes when decompressed, 48 or 271 it cannot be decompressed.
    """
    body = Body(resources.enter_context(Spool(directory)))
    encoding = request.headers.get("Content-Encoding", "")
    if request.content_type != "multipart/form-data":
        await _fill(body.data, request.content.iter_any(), encoding, limit)
        return body
    if encoding:
        raise QueryError(48, f"multipart bodies with Content-Encoding {encoding} are not offered here: send them plain")
    reader = await request.multipart()
    async for part in reader:
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise QueryError(36, "a part of the multipart body has no name")
        if part.filename is None:
            body.fields.append((part.name, await part.text()))
        else:
            table = body.tables[part.name] = resources.enter_context(Spool(directory))
            await _fill(table, _chunks(part), "", limit)
    return body


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk():
        yield chunk


async def _fill(spool: Spool, chunks: AsyncIterable[bytes], encoding: str, limit: int) -> None:
    decoder = Decoder(encoding)
    async for chunk in chunks:
        for piece in decoder.feed(chunk):
            if spool.size + len(piece) > limit:
                raise QueryError(229, f"the request's body is larger than {limit} bytes")
            spool.write(piece)
    decoder.finish()


async def drain(request: web.Request) -> bool:
    """Read what the client still sends: it would not see an error otherwise. Return whether that came to an end."""
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for _ in request.content.iter_any():
                pass
    except TimeoutError:
        return False
    return True
