"""Parts for a supervisor: programs of one line, started again at once."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import TYPE_CHECKING

from pipeline.backoff import Backoff
from pipeline.embedded.child import Part
from pipeline.embedded.supervisor import RestartPolicy, Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AT_ONCE = RestartPolicy(Backoff(first_seconds=0.01, longest_seconds=0.02))
SLEEPER = "import time\ntime.sleep(600)\n"


def part(name: str, program: str, *arguments: str, stage: int = 0, stop_seconds: float = 5.0) -> Part:
    command = (sys.executable, "-I", "-S", "-c", program, *arguments)
    return Part(name, command, {"PATH": os.environ["PATH"]}, stage, stop_seconds)


def supervisor(tmp_path: Path, said: list[str] | None = None) -> Supervisor:
    return Supervisor(tmp_path, (said if said is not None else []).append, AT_ONCE)


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        await asyncio.sleep(0.01)
