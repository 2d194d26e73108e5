"""Experiments are analysed beside the alerts: what goes wrong there is told, and is nobody else's end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import FencedError
from pipeline.evaluator.experiments import Keeping, experiments_keeper
from pipeline.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable


class DeskOf:
    """A desk that another instance takes over after so many turns."""

    def __init__(self, turns: int) -> None:
        self.turns = turns

    async def confirm(self) -> None:
        if not self.turns:
            raise FencedError("another instance decides about alerts")
        self.turns -= 1


def test_a_bug_in_an_analysis_ends_nothing_and_another_instance_that_decides_does(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    customer = "c4711"

    def turn(_keeping: Keeping) -> None:
        raise ValueError(customer)

    monkeypatch.setattr(Keeping, "turn", turn)
    keep: Callable[[Any], Any] = experiments_keeper(Settings(), pause_seconds=0.0)
    desk = DeskOf(turns=3)
    with pytest.raises(FencedError):
        asyncio.run(keep(desk))
    assert desk.turns == 0
    assert [record.getMessage().split(" at ")[0] for record in caplog.records] == [
        "experiments are not analysed again yet: ValueError"
    ] * 3
    assert customer not in caplog.text
