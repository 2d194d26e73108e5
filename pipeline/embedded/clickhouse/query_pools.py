"""Threads for blocking engine calls, in separate pools so that long reads never hold up inserts or kills."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pipeline.embedded.clickhouse.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.embedded.clickhouse.execution import Execution

T = TypeVar("T")
_KILL_EVERY_SECONDS: Final = 0.2
_CONTROL_THREADS: Final = 4
_ABORTED: Final = 236
_QUICK_SIZE: Final = 2000


class QueryPools:
    """Runs executions; whoever stops waiting for one has it killed, and cleaned up when its thread is back."""

    def __init__(self, *, reads: int, writes: int) -> None:
        self._reads = ThreadPoolExecutor(reads, "read")
        self._writes = ThreadPoolExecutor(writes, "write")
        self._control = ThreadPoolExecutor(_CONTROL_THREADS, "control")
        self._analysis = ThreadPoolExecutor(1, "analysis")
        self._calls: dict[Execution, asyncio.Future[Any] | None] = {}
        self._cleaning: set[asyncio.Task[None]] = set()
        self._analyses = 0
        self._is_stopping = False

    @property
    def is_analysing(self) -> bool:
        """Whether a long statement is being read, or waits for it."""
        return self._analyses > 0

    async def analyse(self, call: Callable[[], T], size: int) -> T:
        """Run a pure call beside the event loop if ``size`` (bytes or tokens) says that it may take long.

        One at a time: a statement's tokens take hundreds of times its size in memory.
        """
        self.check_open()
        if size <= _QUICK_SIZE:
            return call()
        self._analyses += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._analysis, call)
        finally:
            self._analyses -= 1

    def check_open(self) -> None:
        """Refuse what comes while everything is being stopped.

        Raises:
            QueryError: that is so.
        """
        if self._is_stopping:
            raise QueryError(_ABORTED, "Server is shutting down")

    def running(self, query_id: str) -> bool:
        """Tell whether a query of this id is on its way."""
        return any(execution.job.query_id == query_id for execution in self._calls)

    def admit(self, execution: Execution) -> None:
        """Take responsibility for ``execution`` until `release`."""
        self._calls[execution] = None

    async def run(self, execution: Execution, call: Callable[[], T]) -> T:
        """Run a blocking call of ``execution`` in its lane."""
        self.check_open()
        plan = execution.job.plan
        lane = self._control if plan.kill is not None else self._reads if plan.read_only else self._writes
        future = asyncio.get_running_loop().run_in_executor(lane, call)
        self._calls[execution] = future
        return await asyncio.shield(future)  # a thread cannot be cancelled: release() kills its query instead

    def release(self, execution: Execution) -> None:
        """Close ``execution``: at once when it is over, else in the background, its query killed first. Idempotent."""
        if execution not in self._calls:
            return
        future = self._calls.pop(execution)
        if (future is None or future.done()) and execution.is_over:
            execution.close()
            return
        task = asyncio.get_running_loop().create_task(self._finish(execution, future))
        self._cleaning.add(task)
        task.add_done_callback(self._cleaning.discard)

    async def stop(self, patience_seconds: float) -> bool:
        """Kill everything; return whether every thread came back in time."""
        self._is_stopping = True
        for execution in list(self._calls):
            self.release(execution)
        if self._cleaning:
            await asyncio.wait(self._cleaning, timeout=patience_seconds)
        for lane in (self._reads, self._writes, self._control, self._analysis):
            lane.shutdown(wait=False, cancel_futures=True)
        return not self._cleaning

    async def _finish(self, execution: Execution, future: asyncio.Future[Any] | None) -> None:
        loop = asyncio.get_running_loop()
        while future is not None and not future.done():
            await loop.run_in_executor(self._control, execution.cancel)
            await asyncio.wait([future], timeout=_KILL_EVERY_SECONDS)
        if future is not None and not future.cancelled():
            future.exception()  # nobody else asks for it any more
        await loop.run_in_executor(self._control, execution.close)
