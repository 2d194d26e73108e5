"""The HTTP application of an instance, and the server that it runs in."""

from __future__ import annotations

import asyncio
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from fastapi import FastAPI

from pipeline.api.about import router as about_router
from pipeline.api.alerts import router
from pipeline.api.answers import add_handlers
from pipeline.api.board import Board
from pipeline.api.guard import MOST_BODY_BYTES, Guard
from pipeline.api.handing_in import Alerts
from pipeline.api.page import add_page
from pipeline.api.panel_data import PanelData
from pipeline.api.panels import router as panels_router
from pipeline.api.tokens import Tokens
from pipeline.api.watching import Watches
from pipeline.build import VERSION
from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.settings import Settings

_MOST_CONNECTIONS: Final = 500
_ORDER_SECONDS: Final = 1
_DESCRIPTION: Final = "Campaigns and their alerts: what a bank's campaigns return, and what is done about those below."


def build_app(settings: Settings, instance: Path | None = None) -> FastAPI:
    """Return the application without its guard: pages, API and their description.

    Args:
        settings: ClickHouse, with the logins of reader and actor; tokens.
        instance: directory of the instance that it belongs to, for what its supervisor knows.
    """
    app = FastAPI(
        title="Campaign ROI",
        version=VERSION,
        description=_DESCRIPTION,
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        max_body_size=MOST_BODY_BYTES,
    )
    add_handlers(app)
    app.state.settings = settings
    app.state.tokens = Tokens(settings)
    app.state.alerts = Alerts(settings)
    app.state.panel_data = PanelData(settings)
    app.state.watches = Watches(app.state.panel_data)
    app.include_router(router)
    app.include_router(panels_router)
    app.include_router(about_router)
    board = Board(settings, instance)
    add_page(app)
    app.add_route("/healthz", board.health)
    app.add_route("/livez", board.alive)
    app.add_api_route("/api/faults", board.faults, response_model=list[dict[str, Any]], tags=["operations"])
    app.add_api_route("/api/campaigns", board.campaigns, response_model=list[dict[str, Any]], tags=["campaigns"])
    return app


def build_board(settings: Settings, instance: Path | None = None) -> Guard:
    """Return what the server runs: the application behind its guard."""
    return Guard(build_app(settings, instance), is_local=not settings.api.tokens)


class Server(uvicorn.Server):
    """A server that leaves signals to the process."""

    def __init__(self, app: Guard) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="none",
                http="h11",
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,  # addresses and paths of who looks are nobody's business
                proxy_headers=False,
                server_header=False,
                limit_concurrency=_MOST_CONNECTIONS,
                timeout_graceful_shutdown=_ORDER_SECONDS,
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield

    async def serve_until(self, stop: asyncio.Event, listener: socket.socket) -> None:
        """Answer on a listening socket until told to stop."""
        serving, stopping = asyncio.create_task(self.serve([listener])), asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        self.should_exit = True
        await serving


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        UserError: the address cannot be used.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"{host}:{port} cannot be listened on ({reason})", "name another --port or --host") from error
