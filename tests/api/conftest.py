from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.alert_settings import AlertSettings, ApiSettings, TokenSettings, digest_of
from pipeline.api.server import build_board
from pipeline.clickhouse.connection import connect
from tests.alerts.building import AT_ONCE, look
from tests.support.evaluating import evaluating
from tests.support.serving import visiting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from aiohttp import ClientSession

    from pipeline.alerts.record import Look
    from pipeline.settings import Settings
    from tests.support.evaluating import Kept

TOKENS = {"lin": "token-of-lin", "wu": "token-of-wu", "eve": "token-of-eve"}
ROLES = {"lin": "decider", "wu": "decider", "eve": "viewer"}
OWNERS = "token-of-the-owner"
SECONDS = 20


def people() -> ApiSettings:
    tokens = {name: TokenSettings(hash=digest_of(token).hex(), role=ROLES[name]) for name, token in TOKENS.items()}
    return ApiSettings(tokens=tokens)


@dataclass
class Api:
    """The running application with the running evaluator behind it, as somebody with a token uses it."""

    visitor: ClientSession
    kept: Kept | None
    settings: Settings

    async def ask(self, method: str, path: str, who: str | None = "lin", **extra: Any) -> tuple[int, Any]:
        headers = {} if who is None else {"Authorization": f"Bearer {TOKENS.get(who, who)}"}
        async with self.visitor.request(method, path, headers=headers | extra.pop("headers", {}), **extra) as response:
            return response.status, await response.json()

    async def get(self, path: str, who: str | None = "lin") -> Any:
        status, body = await self.ask("GET", path, who)
        assert status == 200, body
        return body

    async def post(self, path: str, body: Any = None, who: str | None = "lin") -> tuple[int, Any]:
        return await self.ask("POST", path, who, json={} if body is None else body)

    async def alert_id(self, state: str = "firing", who: str | None = "lin") -> str:
        """Return the alert that is in this state, waited for."""
        async with asyncio.timeout(SECONDS):
            while not (rows := await self.get(f"/api/alerts?state={state}", who)):  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.02)
        return str(rows[0]["alert_id"])


@pytest.fixture
def alerting(migrated: Settings) -> Settings:
    """Settings of a ClickHouse without alerts, for people with tokens."""
    client = connect(migrated, "writer")
    for table in ("alert_log", "alert_actions", "alert_leases"):
        client.command(f"TRUNCATE TABLE roi.{table}")
    client.close()
    quick = AlertSettings(tick_seconds=0.05, standby_seconds=1.1)
    return migrated.model_copy(update={"api": people(), "alerts": quick})


@pytest.fixture
def running(alerting: Settings) -> Callable[..., AbstractAsyncContextManager[Api]]:
    """Start application and evaluator with looks; ``settings`` lays values over those of `alerting`."""

    @asynccontextmanager
    async def start(
        *looks: Look, evaluator: bool = True, delivers: bool = False, **settings: Any
    ) -> AsyncIterator[Api]:
        laid = alerting.model_copy(update=settings)
        async with AsyncExitStack() as stack:
            kept = await stack.enter_async_context(evaluating(laid, looks, delivers=delivers)) if evaluator else None
            visitor = await stack.enter_async_context(visiting(build_board(laid)))
            yield Api(visitor, kept, laid)

    return start


@pytest.fixture
async def api(running: Callable[..., AbstractAsyncContextManager[Api]]) -> AsyncIterator[Api]:
    """One campaign that fires at once, three people with tokens."""
    async with running(look("below", rule=AT_ONCE)) as started:
        yield started


@pytest.fixture
async def local(running: Callable[..., AbstractAsyncContextManager[Api]]) -> AsyncIterator[Api]:
    """Nothing configured, as on a laptop: everybody who reaches the loopback address reads."""
    async with running(evaluator=False, api=ApiSettings()) as started:
        yield started
