"""The board's HTTP server: a page, the same as JSON, and whether ClickHouse answers."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any, Final

from aiohttp import BasicAuth, ClientError, ClientSession, ClientTimeout, web

from pipeline.board.page import render_page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from pipeline.settings import Settings

_QUERY: Final = """
    SELECT campaign_id, touches, reached, conversions, converters, cost_minor, return_minor, aum_minor,
           conversion_rate, cpa_minor, return_ratio, net_roi, updated_at
    FROM campaign_totals WHERE run = 'live' ORDER BY cost_minor DESC, campaign_id LIMIT 1000
"""
_TIMEOUT: Final = ClientTimeout(total=10)
_LOCAL_NAMES: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
_REQUIRED_RATIO: Final = 2.0  # "1:2" of the contract's section 4
_POLICY: Final = ("default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; "
                  "frame-ancestors 'none'")
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
    "X-Frame-Options": "DENY",
}


class BoardError(Exception):
    """ClickHouse could not be asked; the text may be shown to a visitor."""


class Board:
    """Request handlers over ClickHouse, with the reader's rights."""

    def __init__(self, settings: Settings, session: ClientSession) -> None:
        self._url = settings.clickhouse_url
        self._database = settings.clickhouse_database
        self._login = BasicAuth(settings.clickhouse_user, settings.clickhouse_password.get_secret_value(), "utf-8")
        self._session = session

    async def page(self, request: web.Request) -> web.Response:
        """Answer the campaigns page; 503 with the reason on it when ClickHouse does not answer."""
        del request
        nonce = secrets.token_urlsafe(16)
        rows, problem = await self._campaigns_or_problem()
        return web.Response(
            text=render_page(rows, problem, nonce, _REQUIRED_RATIO), content_type="text/html",
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
        """Answer 200 while ClickHouse answers, 503 otherwise."""
        del request
        try:
            await self._rows("SELECT 1")
        except BoardError as error:
            return web.json_response({"status": "failing", "error": str(error)}, status=503)
        return web.json_response({"status": "ok"})

    async def _campaigns_or_problem(self) -> tuple[list[dict[str, Any]], str | None]:
        try:
            return await self._rows(_QUERY), None
        except BoardError as error:
            return [], str(error)

    async def _rows(self, sql: str) -> list[dict[str, Any]]:
        parameters = {"default_format": "JSONEachRow", "database": self._database,
                      "output_format_json_quote_64bit_integers": "0"}
        try:
            request = self._session.post(self._url, params=parameters, data=sql.encode(), auth=self._login)
            async with request as response:
                body = await response.text()
        except (ClientError, TimeoutError) as error:
            raise BoardError("ClickHouse does not answer") from error
        if response.status != 200:
            raise BoardError(f"ClickHouse answered with status {response.status}")
        return [json.loads(line) for line in body.splitlines() if line]


@web.middleware
async def guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> web.StreamResponse:
    """Refuse foreign host names, so that no web page can read the board through the visitor's browser."""
    if request.host.rsplit(":", 1)[0] not in _LOCAL_NAMES:
        raise web.HTTPMisdirectedRequest(text="the board answers to its loopback address only\n")
    response = await handler(request)
    response.headers.update(_HEADERS)
    return response


def build_board(settings: Settings) -> web.Application:
    """Return the board's application; its ClickHouse connection lives as long as it runs."""
    app = web.Application(middlewares=[guard])

    async def connected(app: web.Application) -> AsyncIterator[None]:
        async with ClientSession(timeout=_TIMEOUT) as session:
            board = Board(settings, session)
            app[_BOARD] = board
            yield

    app.cleanup_ctx.append(connected)
    app.add_routes([
        web.get("/", lambda request: request.app[_BOARD].page(request)),
        web.get("/api/campaigns", lambda request: request.app[_BOARD].campaigns(request)),
        web.get("/healthz", lambda request: request.app[_BOARD].health(request)),
    ])
    return app


_BOARD: Final = web.AppKey("board", Board)
