"""When the endpoint looks for garbage: not while a statement is read, whose tokens are many and never garbage."""

from __future__ import annotations

import asyncio
import gc
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_EVERY_SECONDS: Final = 1.0
_LATEST_ROUNDS: Final = 30  # a steady stream of long statements must not let garbage grow for ever


@asynccontextmanager
async def collected(is_busy: Callable[[], bool]) -> AsyncIterator[None]:
    """Take over from the automatic collector, which runs amid a long statement's tokens and stalls every client.

    What lives at entry is left out for good. ``is_busy`` tells that a long statement is being read.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    task = asyncio.create_task(_collect(is_busy))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        gc.enable()
        gc.unfreeze()


async def _collect(is_busy: Callable[[], bool]) -> None:
    passed = 0
    while True:
        await asyncio.sleep(_EVERY_SECONDS)
        passed += 1
        if passed >= _LATEST_ROUNDS or not is_busy():
            gc.collect()
            passed = 0
