from __future__ import annotations

import asyncio
import threading

import pytest

from pipeline.replay.loop_thread import LoopThread


def test_work_runs_in_the_thread_and_its_result_and_its_error_come_back() -> None:
    async def where() -> str:
        return threading.current_thread().name

    async def fails() -> None:
        raise LookupError("nothing there")

    async def use() -> str:
        thread = LoopThread("elsewhere")
        try:
            with pytest.raises(LookupError, match="nothing there"):
                await thread.run(fails())
            return await thread.run(where())
        finally:
            await thread.end()

    assert asyncio.run(use()) == "elsewhere"
    assert "elsewhere" not in {thread.name for thread in threading.enumerate()}


def test_who_stops_waiting_has_the_work_cancelled() -> None:
    async def use() -> None:
        thread = LoopThread("elsewhere")
        begun, cancelled = threading.Event(), threading.Event()

        async def long() -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise

        waiting = asyncio.create_task(thread.run(long()))
        assert await asyncio.to_thread(begun.wait, 30)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await asyncio.to_thread(cancelled.wait, 30)
        await thread.end()

    asyncio.run(use())
