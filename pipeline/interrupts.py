"""What Ctrl-C does to a command. It imports little, for it stands before the imports: each is time for a Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

_INTERRUPTED = 130  # 128 + SIGINT, what shells expect
_SHOW_CURSOR = b"\x1b[?25h"  # a progress bar hides it


def end_at_once() -> None:
    """Have an interrupt end this process with a word, instead of tearing an import in two, until a handler follows."""
    signal.signal(signal.SIGINT, end_interrupted)


def interrupt_once() -> None:
    """Have an interrupt raise KeyboardInterrupt, for what is under way to be finished; another one ends at once."""
    signal.signal(signal.SIGINT, _interrupt)


@contextmanager
def held_back() -> Iterator[None]:
    """Raise KeyboardInterrupt at the end of the context instead of within it.

    For calls of a library that calls back: what is raised in a callback it loses, or turns into a SystemError.
    """
    if (
        threading.current_thread() is not threading.main_thread()
        or (handler := signal.getsignal(signal.SIGINT)) not in _RAISING
    ):
        yield
        return
    noted = []
    signal.signal(signal.SIGINT, lambda *_: noted.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if noted and callable(handler):
        handler(signal.SIGINT, None)


def end_interrupted(*_: object) -> NoReturn:
    """End this process now, as one that Ctrl-C has ended."""
    if os.isatty(2):
        os.write(2, _SHOW_CURSOR)
    os.write(2, b"interrupted\n")
    os._exit(_INTERRUPTED)


def _interrupt(*_: object) -> None:
    end_at_once()
    raise KeyboardInterrupt


_RAISING = (_interrupt, signal.default_int_handler)
