"""Processes that are there and do nothing: what a machine that swaps, or a debugger, makes of them."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

STOP_SECONDS = 30


def freeze(pid: int) -> None:
    """Stop a process, and return when its last thread stands.

    ``kill`` returns before: on a busy machine a thread on another core answers one more request.
    """
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: _states(pid) == {"T"}, STOP_SECONDS, what=f"the stop of process {pid}")


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process for the time of the block."""
    freeze(pid)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _states(pid: int) -> set[str]:
    """The states of a process's threads, as ``proc(5)`` names them."""
    states = set()
    for thread in Path(f"/proc/{pid}/task").iterdir():
        try:
            stat = (thread / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # a thread that ended between the two looks
        states.add(stat.rpartition(")")[2].split()[0])
    return states
