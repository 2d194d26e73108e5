"""One piece of work for all who want its outcome at the same moment."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

T = TypeVar("T")


class Shared(Generic[T]):
    """Work under way by its key; whoever asks for a key that is under way waits for the same outcome.

    The work goes on when those who asked are gone: the next one may want it.
    """

    def __init__(self) -> None:
        self._under_way: dict[Hashable, asyncio.Task[T]] = {}

    async def do(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """Return the outcome of the work under way, or begin it; its error is everybody's."""
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._done(key, work))
            task.add_done_callback(_seen)
        return await asyncio.shield(task)

    async def _done(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        try:
            return await work()
        finally:
            del self._under_way[key]


def _seen(task: asyncio.Task[T]) -> None:
    """Take note of an error, so that asyncio does not complain of it where all who waited are gone."""
    if not task.cancelled():
        task.exception()
