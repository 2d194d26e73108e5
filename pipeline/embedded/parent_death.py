"""Runs one command that must not outlive its supervisor, even when that is killed with ``kill -9``.

A script of the standard library alone, started as
``python -I -S parent_death.py SUPERVISOR_PID [--watch] [--nice=N] -- COMMAND…``. On Linux it asks the kernel for
SIGKILL at the supervisor's death and becomes the command, so that the process id is the command's own. Elsewhere
(``--watch`` forces it) it stays as the command's parent, passes signals on and watches who its own parent is.

``--nice`` lowers the command's priority by so much.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_WATCH_SECONDS: Final = 0.2
_SUPERVISOR_GONE: Final = 125
_NICE: Final = "--nice="


def main(arguments: list[str]) -> int:
    """Run the command and return its exit code; on Linux this does not return."""
    split = arguments.index("--")
    supervisor, flags, command = int(arguments[0]), arguments[1:split], arguments[split + 1 :]
    for flag in flags:
        if flag.startswith(_NICE):
            os.nice(int(flag.removeprefix(_NICE)))
    if sys.platform == "linux" and "--watch" not in flags:
        return _refuse_or_become(command, supervisor)
    return _watch(command, supervisor)


def _refuse_or_become(command: list[str], supervisor: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() == supervisor:  # otherwise it died before the kernel was asked
        os.execvp(command[0], command)  # noqa: S606 - becoming the command is the point; no shell is involved
    return _SUPERVISOR_GONE


def _watch(command: list[str], supervisor: int) -> int:
    child = subprocess.Popen(command)

    def pass_on(number: int, frame: FrameType | None) -> None:
        del frame
        child.send_signal(number)

    def follow_supervisor() -> None:
        while os.getppid() == supervisor:
            time.sleep(_WATCH_SECONDS)
        child.kill()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pass_on)
    threading.Thread(target=follow_supervisor, daemon=True).start()
    code = child.wait()
    return 128 - code if code < 0 else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
