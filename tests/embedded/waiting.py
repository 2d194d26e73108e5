"""Whether other processes run."""

from __future__ import annotations

import os


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended but was not reaped does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:  # noqa: PTH123 - a short read
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
