"""The board's HTTP server: a page, the same as JSON, and whether ClickHouse answers."""

from __future__ import annotations

import asyncio
import json
import math
import secrets
import time
from typing import TYPE_CHECKING, Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout, encode_basic_auth, web

from pipeline.api.page import render_page
from pipeline.operations.health import failed, faults
from pipeline.operations.observing import observe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from pipeline.operations.health import Fault
    from pipeline.settings import Settings

_QUERY: Final = """
    SELECT campaign_id, touches, reached, conversions, converters, cost_minor, return_minor, aum_minor,
           conversion_rate, cpa_minor, return_ratio, net_roi, updated_at
    FROM campaign_totals WHERE run = 'live' ORDER BY cost_minor DESC, campaign_id LIMIT 1000
"""
_LOOK_SECONDS: Final = 2.0
_SESSION: Final = web.AppKey("session", ClientSession)
_TIMEOUT: Final = ClientTimeout(total=10)
_LOCAL_NAMES: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
_REQUIRED_RATIO: Final = 2.0  # "1:2" of the contract's section 4
_POLICY: Final = (
    "default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Frame-Options": "DENY",
}


class BoardError(Exception):
    """ClickHouse could not be asked; the text may be shown to a visitor."""


class Board:
    """Request handlers over ClickHouse, with the reader's rights."""

    def __init__(self, settings: Settings, instance: Path | None) -> None:
        self._settings = settings
        self._instance = instance
        self._looking = asyncio.Lock()  # visitors share a look
        self._looked_at = -math.inf
        self._faults: list[Fault] = []
        self._url = settings.clickhouse_url
        self._database = settings.clickhouse_database
        self._login = encode_basic_auth(settings.clickhouse_user, settings.clickhouse_password.get_secret_value())

    async def connected(self, app: web.Application) -> AsyncIterator[None]:
        """Hold connections to ClickHouse for as long as the application runs."""
        async with ClientSession(timeout=_TIMEOUT, headers={"Authorization": self._login}) as session:
            app[_SESSION] = session
            yield

    async def page(self, request: web.Request) -> web.Response:
        """Answer the campaigns page; 503 with the reason on it when ClickHouse does not answer."""
        nonce = secrets.token_urlsafe(16)
        rows, problem = await self._campaigns_or_problem(request.app[_SESSION])
        return web.Response(
            text=render_page(rows, problem, nonce, _REQUIRED_RATIO),
            content_type="text/html",
            status=200 if problem is None else 503,
            headers={"Content-Security-Policy": _POLICY.format(nonce=nonce)},
        )

    async def campaigns(self, request: web.Request) -> web.Response:
        """Answer the totals as a JSON array."""
        rows, problem = await self._campaigns_or_problem(request.app[_SESSION])
        if problem is not None:
            return web.json_response({"error": problem}, status=503)
        return web.json_response(rows)

    async def health(self, request: web.Request) -> web.Response:
        """Answer 200 while nothing is at fault, 503 otherwise; the body says what."""
        del request
        async with self._looking:
            if self._faults or time.monotonic() - self._looked_at > _LOOK_SECONDS:
                self._faults = faults(await asyncio.to_thread(observe, self._settings, self._instance))
                self._looked_at = time.monotonic()
        told = [fault.as_dict() for fault in self._faults]
        if wrong := failed(self._faults):
            return web.json_response({"status": "failing", "error": str(wrong[0]), "faults": told}, status=503)
        return web.json_response({"status": "ok", "faults": told})

    async def alive(self, request: web.Request) -> web.Response:
        """Answer that this process lives, whatever else does."""
        del request
        return web.json_response({"status": "ok"})

    async def _campaigns_or_problem(self, session: ClientSession) -> tuple[list[dict[str, Any]], str | None]:
        try:
            return await self._rows(session, _QUERY), None
        except BoardError as error:
            return [], str(error)

    async def _rows(self, session: ClientSession, sql: str) -> list[dict[str, Any]]:
        parameters = {
            "default_format": "JSONEachRow",
            "database": self._database,
            "output_format_json_quote_64bit_integers": "0",
        }
        try:
            async with session.post(self._url, params=parameters, data=sql.encode()) as response:
                body = await response.text()
        except (ClientError, TimeoutError) as error:
            raise BoardError("ClickHouse does not answer") from error
        if response.status != 200:
            raise BoardError(f"ClickHouse answered with status {response.status}")
        return [json.loads(line) for line in body.splitlines() if line]


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
    """Return the board's application; its ClickHouse connection lives as long as it runs.

    Args:
        settings: ClickHouse, with the reader's login.
        instance: directory of the instance that it belongs to, for what its supervisor knows.
    """
    board = Board(settings, instance)
    app = web.Application(middlewares=[guard])
    app.cleanup_ctx.append(board.connected)
    app.add_routes(
        [
            web.get("/", board.page),
            web.get("/api/campaigns", board.campaigns),
            web.get("/healthz", board.health),
            web.get("/livez", board.alive),
        ]
    )
    return app
