"""Runs the HTTP application for a test as it runs for users: the real server on a real socket."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp

from pipeline.api.server import Server, listen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pipeline.api.guard import Guard


@asynccontextmanager
async def serving(board: Guard) -> AsyncIterator[str]:
    """Yield the address that the application answers on, in this test's own event loop."""
    listener, stop = listen("127.0.0.1", 0), asyncio.Event()
    running = asyncio.create_task(Server(board).serve_until(stop, listener))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        await running


@asynccontextmanager
async def visiting(board: Guard) -> AsyncIterator[aiohttp.ClientSession]:
    """Yield a visitor of the running application, whose paths begin at its address."""
    async with serving(board) as address, aiohttp.ClientSession(address) as visitor:
        yield visitor
