"""Starts and stops the endpoint."""

from __future__ import annotations

import os
import threading
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiohttp import web

from pipeline.embedded.clickhouse import spool
from pipeline.embedded.clickhouse.engine import Engine
from pipeline.embedded.clickhouse.errors import QueryError
from pipeline.embedded.clickhouse.garbage import collected
from pipeline.embedded.clickhouse.merging import let_merges_give_way
from pipeline.embedded.clickhouse.query_pools import QueryPools
from pipeline.embedded.clickhouse.service import Service
from pipeline.embedded.clickhouse.sessions import Sessions
from pipeline.errors import UserError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator
    from pathlib import Path

    from pipeline.embedded.clickhouse.access import User
    from pipeline.embedded.clickhouse.admission import Limits

_MAX_HEAD_BYTES: Final = 2**20  # statements travel in the URL
_KILL_SECONDS: Final = 1.5
_STOP_SECONDS: Final = 2.5


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """Everything an endpoint process needs to know; ``port`` 0 takes any free one."""

    path: Path
    host: str
    port: int
    users: tuple[User, ...]
    database: str
    limits: Limits
    ready_file: Path | None = None
    read_threads: int = 16
    write_threads: int = 8


async def serve(config: EndpointConfig, stop: asyncio.Event) -> None:
    """Serve until ``stop`` is set, then kill what runs and return within three seconds, or end the process.

    ``ready_file`` gets the URL, atomically, as soon as queries are answered.

    Raises:
        UserError: the directory is in use or the port is taken.
    """
    async with _listening(config) as url:
        if config.ready_file is not None:
            partial = config.ready_file.with_name(f"{config.ready_file.name}.partial")
            partial.write_text(f"{url}\n")
            partial.replace(config.ready_file)
        await stop.wait()
        # blocks are all or nothing, so a thread that does not come back may be cut off
        deadline = threading.Timer(_STOP_SECONDS, os._exit, (1,))
        deadline.daemon = True
        deadline.start()
    deadline.cancel()


@asynccontextmanager
async def _listening(config: EndpointConfig) -> AsyncIterator[str]:
    """Yield the URL of the running server; close server, sessions and engine in that order."""
    directory = config.path.parent / f".{config.path.name}.spool"
    if not spool.is_memory():
        spool.prepare(directory)
    engine = _open(config.path)
    let_merges_give_way(engine)
    pools = QueryPools(reads=config.read_threads, writes=config.write_threads)
    sessions = Sessions(time.monotonic)
    service = Service(
        engine=engine,
        about=engine.about(),
        pools=pools,
        sessions=sessions,
        spool_directory=directory,
        users={user.name: user for user in config.users},
        database=config.database,
        limits=config.limits,
    )
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", service.handle)
    runner = web.AppRunner(
        application,
        handler_cancellation=True,
        auto_decompress=False,
        access_log=None,
        shutdown_timeout=_KILL_SECONDS,
        max_line_size=_MAX_HEAD_BYTES,
        max_field_size=_MAX_HEAD_BYTES,
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, config.host, config.port)
        try:
            await site.start()
        except OSError as error:
            raise UserError(
                f"cannot listen on {config.host}:{config.port} ({error.strerror})",
                "choose another --port, 0 for any free one",
            ) from error
        host = f"[{config.host}]" if ":" in config.host else config.host
        async with collected(lambda: pools.is_analysing):
            yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await pools.stop(_KILL_SECONDS)
        await runner.cleanup()
        sessions.close()
        engine.close()


def _open(path: Path) -> Engine:
    try:
        return Engine(path)
    except QueryError as error:
        raise UserError(
            f"another process uses {path}, or it is no chDB directory",
            "stop that process: there is one endpoint per directory",
        ) from error
