"""Starts and stops the endpoint."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from pipeline.endpoint import spool
from pipeline.endpoint.engine import Engine
from pipeline.endpoint.lanes import Lanes
from pipeline.endpoint.service import Limits, Server, Service
from pipeline.endpoint.sessions import Sessions

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.endpoint.access import User

_MAX_HEAD_BYTES = 2**20  # statements travel in the URL
_STOP_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """Everything an endpoint process needs to know."""

    path: Path
    host: str
    port: int
    users: tuple[User, ...]
    database: str
    ready_file: Path | None = None
    limits: Limits = Limits()
    read_threads: int = 16
    write_threads: int = 8


async def serve(config: EndpointConfig) -> None:
    """Serve until SIGTERM or SIGINT; then kill what runs, close the engine and return within three seconds."""
    directory = config.path.parent / f".{config.path.name}.spool"
    spool.prepare(directory)
    engine = Engine(config.path)
    lanes = Lanes(reads=config.read_threads, writes=config.write_threads)
    sessions = Sessions(time.monotonic)
    service = Service(
        engine, lanes, sessions, {user.name: user for user in config.users}, config.database, Server(*engine.about()), directory,
        config.limits)
    application = web.Application(client_max_size=config.limits.body_bytes)
    application.router.add_route("*", "/{path:.*}", service.handle)
    runner = web.AppRunner(application, handler_cancellation=True, auto_decompress=False, access_log=None,
                           max_line_size=_MAX_HEAD_BYTES, max_field_size=_MAX_HEAD_BYTES)
    await runner.setup()
    site = web.TCPSite(runner, config.host, config.port, shutdown_timeout=0.1)
    await site.start()
    port = runner.addresses[0][1]
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if config.ready_file is not None:
        partial = config.ready_file.with_name(config.ready_file.name + ".partial")
        partial.write_text(f"http://{config.host}:{port}\n")
        partial.replace(config.ready_file)
    await stop.wait()
    await site.stop()
    clean = await lanes.stop(_STOP_SECONDS)
    if not clean:
        os._exit(1)
    await runner.cleanup()
    sessions.close()
    engine.close()
