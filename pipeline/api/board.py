"""The totals of campaigns, and whether everything answers."""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from fastapi.responses import JSONResponse

from pipeline.api.answers import ApiError, problem
from pipeline.api.campaigns import BoardError, campaigns
from pipeline.api.tokens import Reads, Tokens, page_reader
from pipeline.clickhouse.reader import Reader
from pipeline.operations.health import failed, faults
from pipeline.operations.lag import WatchedLag, waiting
from pipeline.operations.observing import QUESTION_SECONDS, observe

if TYPE_CHECKING:
    from pathlib import Path

    from fastapi import Request

    from pipeline.operations.health import Fault, Observations
    from pipeline.settings import Settings

_LOOK_SECONDS: Final = 2.0
_SHARED_SECONDS: Final = 4.0  # pages ask every few seconds
_WAIT_SECONDS: Final = 1.0  # for a new look, which takes less unless something is frozen
_KEPT_SECONDS: Final = 30.0  # so long at most they are told of the look before
_REMEDY: Final = "see roi status"


class Board:
    """Request handlers over ClickHouse, with the reader's rights."""

    def __init__(self, settings: Settings, instance: Path | None) -> None:
        self._settings = settings
        self._instance = instance
        self._looking = asyncio.Lock()  # visitors share a look
        self._looked_at = -math.inf
        self._faults: list[Fault] = []
        self._anew: asyncio.Task[list[Fault]] | None = None
        # Docker's board is told no address of Kafka
        self._asks_kafka = "kafka_bootstrap_servers" in settings.model_fields_set
        self._lag = WatchedLag(lambda: waiting(settings, Reader(settings, timeout_seconds=QUESTION_SECONDS)))

    async def campaigns(self, _: Reads) -> JSONResponse:
        """Answer the totals of every campaign."""
        try:
            return JSONResponse(await asyncio.to_thread(campaigns, self._settings))
        except BoardError as error:
            return problem(503, str(error), _REMEDY)

    async def health(self, request: Request) -> JSONResponse:
        """Answer 200 while nothing is at fault, 503 otherwise; the body says what to those who may read it."""
        tokens: Tokens = request.app.state.tokens
        found = await self._found(_LOOK_SECONDS if not self._faults else 0.0)
        told = [fault.as_dict() for fault in found]
        wrong = failed(found)
        if tokens.are_peoples and not await _may_read(request):
            return JSONResponse({"status": "failing" if wrong else "ok"}, 503 if wrong else 200)
        if wrong:
            return JSONResponse({"status": "failing", "error": str(wrong[0]), "faults": told}, 503)
        return JSONResponse({"status": "ok", "faults": told})

    async def faults(self, _: Reads) -> JSONResponse:
        """List what is at fault, as `roi status` and /healthz tell it; what no waiting mends comes first."""
        age = time.monotonic() - self._looked_at
        if age > _SHARED_SECONDS and (self._anew is None or self._anew.done()):
            self._anew = asyncio.create_task(self._found(_SHARED_SECONDS))
        if self._anew is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(None if age > _KEPT_SECONDS else _WAIT_SECONDS):
                    await asyncio.shield(self._anew)
        return JSONResponse([fault.as_dict() for fault in self._faults])

    async def _found(self, oldest_seconds: float) -> list[Fault]:
        """Return the faults of the newest look, if it is no older, else of a new one."""
        async with self._looking:
            if time.monotonic() - self._looked_at > oldest_seconds:
                self._faults = faults(await asyncio.to_thread(self._look))
                self._looked_at = time.monotonic()
            return self._faults

    async def alive(self, request: Request) -> JSONResponse:
        """Answer that this process lives, whatever else does."""
        del request
        return JSONResponse({"status": "ok"})

    def _look(self) -> Observations:
        """Look at everything that the board is told the address of."""
        seen = observe(self._settings, self._instance, asks_kafka=self._asks_kafka)
        return self._lag.noted_in(seen) if self._asks_kafka else seen


async def _may_read(request: Request) -> bool:
    if "Authorization" not in request.headers:
        return False
    try:
        await page_reader(request)
    except ApiError:
        return False
    return True
