"""The endpoint collects garbage between long statements, and amid them only when it has waited for long."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING

import pytest

from pipeline.embedded.clickhouse import garbage

if TYPE_CHECKING:
    from collections.abc import Callable


class _Knot:
    """A cycle that only the collector can untie."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "_EVERY_SECONDS", 0.001)


async def _is_untied(is_busy: Callable[[], bool]) -> bool:
    """Return whether garbage went before the collector had twenty chances."""
    chances = 0
    over = asyncio.Event()

    def counted() -> bool:
        nonlocal chances
        chances += 1
        if chances == 20:
            over.set()
        return is_busy()

    async with garbage.collected(counted):
        assert not gc.isenabled()
        knot = weakref.ref(_Knot(), lambda _: over.set())
        await asyncio.wait_for(over.wait(), 60)
        untied = knot() is None
    assert gc.isenabled()
    return untied


async def test_garbage_goes_while_no_statement_is_read() -> None:
    assert await _is_untied(lambda: False)


async def test_garbage_stays_while_a_statement_is_read() -> None:
    assert not await _is_untied(lambda: True)


async def test_garbage_goes_at_last_under_a_stream_of_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "_LATEST_ROUNDS", 5)
    assert await _is_untied(lambda: True)
