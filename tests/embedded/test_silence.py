"""When a supervisor takes a part for frozen."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipeline.embedded.supervisor import Supervisor
from pipeline.probe import Answer
from tests.embedded.parts import SLEEPER, part, until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.process


async def test_a_part_is_not_killed_for_the_time_that_its_supervisor_stood_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds, asked, said = [0.0], [0], list[str]()
    is_dumb = threading.Event()

    def answered(_: str) -> Answer:
        asked[0] += 1
        has_stood = asked[0] == 5  # an hour passes, and then the answer is late
        seconds[0] += 3600 if has_stood else 2
        return Answer(is_alive=not has_stood and not is_dumb.is_set(), is_silent=has_stood or is_dumb.is_set())

    monkeypatch.setattr("pipeline.embedded.supervisor._ASK_SECONDS", 0.01)
    monkeypatch.setattr("pipeline.embedded.supervisor.ask", answered)
    keeper = Supervisor(tmp_path, said.append, clock=lambda: seconds[0])
    async with keeper.running():
        child = await keeper.keep(replace(part("worker", SLEEPER), health_url="http://here", silent_seconds=20))
        await until(lambda: asked[0] > 8)
        assert (child.starts, child.trouble, said) == (1, "", [])
        is_dumb.set()
        await until(lambda: bool(said))
    assert said[0] == "worker has not answered for 20 s, killing it"
