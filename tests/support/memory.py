"""The memory of a process as the kernel counts it."""

from __future__ import annotations

from pathlib import Path


def peak_memory_kib(pid: int | str = "self") -> int:
    """Return the most memory in KiB that a process had since its program began, its anonymous files included.

    Not ``getrusage``: what that calls a process's peak begins with the one of the process that started it.
    """
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
