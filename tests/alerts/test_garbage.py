from __future__ import annotations

import asyncio
import gc
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING
from unittest.mock import AsyncMock, Mock

import pytest

from pipeline.alerts.garbage import COLLECT_SECONDS, Garbage
from pipeline.alerts.service import _Turns

if TYPE_CHECKING:
    from collections.abc import Iterator


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Knot:
    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()


def test_what_is_known_is_out_of_sight_and_garbage_of_it_is_found_a_minute_later() -> None:
    clock = Clock()
    garbage = Garbage(clock)
    knot = Knot()
    garbage.collect()
    assert gc.get_freeze_count() > 0
    seen = weakref.ref(knot)
    del knot
    gc.collect()
    assert seen() is not None, "it was frozen"
    clock.now = COLLECT_SECONDS - 1
    garbage.collect()
    assert seen() is not None
    clock.now = COLLECT_SECONDS
    garbage.collect()
    assert seen() is None
    assert gc.isenabled()


async def test_the_service_collects_after_a_turn_and_before_its_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    diary: list[str] = []
    monkeypatch.setattr(Garbage, "collect", lambda _: diary.append("garbage"))
    looks, evaluator, desk, rested = Mock(), AsyncMock(), Mock(records={}), asyncio.Event()
    looks.look.side_effect = lambda _: diary.append("look")
    evaluator.turn.side_effect = lambda _: diary.append("turn")

    async def rest(_: float) -> None:
        rested.set()
        await asyncio.Event().wait()

    monkeypatch.setattr("pipeline.alerts.service.asyncio", Mock(wraps=asyncio, sleep=rest))
    turning = asyncio.create_task(_Turns(looks, evaluator, desk, Mock()).run(1.0))
    await asyncio.wait_for(rested.wait(), 10)
    turning.cancel()
    with suppress(asyncio.CancelledError):
        await turning
    assert diary == ["look", "turn", "garbage"]
