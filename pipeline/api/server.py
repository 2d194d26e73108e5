"""The board's HTTP server: a page, the same as JSON, and whether ClickHouse answers."""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from pipeline.api.campaigns import BoardError, campaigns
from pipeline.api.page import render_page
from pipeline.operations.health import failed, faults
from pipeline.operations.observing import observe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from pipeline.operations.health import Fault, Observations
    from pipeline.settings import Settings

_LOOK_SECONDS: Final = 2.0
_LOCAL_NAMES: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
_POLICY: Final = (
    "default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Frame-Options": "DENY",
}


class Board:
    """Request handlers over ClickHouse, with the reader's rights."""

    def __init__(self, settings: Settings, instance: Path | None) -> None:
        self._settings = settings
        self._instance = instance
        self._looking = asyncio.Lock()  # visitors share a look
        self._looked_at = -math.inf
        self._faults: list[Fault] = []

    async def page(self, request: web.Request) -> web.Response:
        """Answer the campaigns page; 503 with the reason on it when ClickHouse does not answer."""
        nonce = secrets.token_urlsafe(16)
        del request
        rows, problem = await self._campaigns_or_problem()
        return web.Response(
            text=render_page(rows, problem, nonce),
            content_type="text/html",
            status=200 if problem is None else 503,
            headers={"Content-Security-Policy": _POLICY.format(nonce=nonce)},
        )

    async def campaigns(self, request: web.Request) -> web.Response:
        """Answer the totals as a JSON array."""
        del request
        rows, problem = await self._campaigns_or_problem()
        if problem is not None:
            return web.json_response({"error": problem}, status=503)
        return web.json_response(rows)

    async def health(self, request: web.Request) -> web.Response:
        """Answer 200 while nothing is at fault, 503 otherwise; the body says what."""
        del request
        async with self._looking:
            if self._faults or time.monotonic() - self._looked_at > _LOOK_SECONDS:
                self._faults = faults(await asyncio.to_thread(self._look))
                self._looked_at = time.monotonic()
        told = [fault.as_dict() for fault in self._faults]
        if wrong := failed(self._faults):
            return web.json_response({"status": "failing", "error": str(wrong[0]), "faults": told}, status=503)
        return web.json_response({"status": "ok", "faults": told})

    def _look(self) -> Observations:
        """Look at everything that the board is told the address of; Docker's board is told none of Kafka."""
        asks_kafka = "kafka_bootstrap_servers" in self._settings.model_fields_set
        return observe(self._settings, self._instance, asks_kafka=asks_kafka)

    async def alive(self, request: web.Request) -> web.Response:
        """Answer that this process lives, whatever else does."""
        del request
        return web.json_response({"status": "ok"})

    async def _campaigns_or_problem(self) -> tuple[list[dict[str, Any]], str | None]:
        try:
            return await asyncio.to_thread(campaigns, self._settings), None
        except BoardError as error:
            return [], str(error)


@web.middleware
async def guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse foreign host names, so that no web page can read the board through the visitor's browser."""
    if request.host.rsplit(":", 1)[0] not in _LOCAL_NAMES:
        raise web.HTTPMisdirectedRequest(text="the board answers to its loopback address only\n")
    response = await handler(request)
    response.headers.update(_HEADERS)
    return response


def build_board(settings: Settings, instance: Path | None = None) -> web.Application:
    """Return the board's application.

    Args:
        settings: ClickHouse, with the reader's login.
        instance: directory of the instance that it belongs to, for what its supervisor knows.
    """
    board = Board(settings, instance)
    app = web.Application(middlewares=[guard])
    app.add_routes(
        [
            web.get("/", board.page),
            web.get("/api/campaigns", board.campaigns),
            web.get("/healthz", board.health),
            web.get("/livez", board.alive),
        ]
    )
    return app
