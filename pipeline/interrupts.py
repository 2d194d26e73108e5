"""Ctrl-C while a process still imports. It imports next to nothing itself: each import is time for a Ctrl-C."""

from __future__ import annotations

import os
import signal

_INTERRUPTED = 130  # 128 + SIGINT, what shells expect


def end_at_once() -> None:
    """Have an interrupt end this process with a word, instead of tearing an import in two, until a handler follows."""
    signal.signal(signal.SIGINT, _end)


def _end(*_: object) -> None:
    os.write(2, b"interrupted\n")
    os._exit(_INTERRUPTED)
