"""How a process of ours ends: asked by SIGTERM or SIGINT, gone within ten seconds, whatever the others do.

Signals are heard by a thread of its own, through the file descriptor that the C level writes to: a main thread that is
busy or waits inside a library (a frozen broker, a database that took the request and never answers) delays nothing. The
thread tells the process to end in order, and ends it itself when that takes too long. Only blocks in the ledger count,
so what is cut off is done again by the next process and nothing is lost.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NoReturn

from pipeline.interrupts import interrupt_once

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

LONGEST_SECONDS: Final = 8.0  # from the signal to the end of the process, order or not
INTERRUPTED: Final = 130  # 128 + SIGINT, what shells expect of a command ended by Ctrl-C
_READ_AGAIN: Final = "nothing is lost: only what the ledger has counts, the rest is read again"
_REPEAT: Final = "what was not acknowledged yet may be missing: repeat the command, copies of events count once"
_SETTLE_SECONDS: Final = 0.7  # for a cancelled piece of work to tidy up
_ASKED: Final = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


class Ending:
    """Hears SIGINT, SIGTERM and SIGHUP from its making on; make it in the main thread, before a loop runs.

    Args:
        seconds: how long after the first signal the process may live on.
        catch: whether the signals lose their usual effect, for a process that ends by `heard`; otherwise a command
            ends as ever (SIGTERM kills, SIGINT interrupts, the second one ends it) and only one that goes unheeded is
            enforced.
    """

    def __init__(self, seconds: float = LONGEST_SECONDS, *, catch: bool = True) -> None:
        self.asked = threading.Event()
        self._seconds = seconds
        self._consequence = _READ_AGAIN if catch else _REPEAT
        self._callbacks: list[Callable[[], object]] = []
        self._lock = threading.Lock()
        self._listener, speaker = socket.socketpair()
        speaker.setblocking(False)
        self._speaker = speaker  # held open: the C level writes to its descriptor
        signal.set_wakeup_fd(speaker.fileno(), warn_on_full_buffer=False)
        if catch:
            for number in _ASKED:
                if signal.getsignal(number) is not signal.SIG_IGN:  # ignored from outside: that is what nohup is for
                    signal.signal(number, lambda *_: None)  # the byte in the socket is what counts
        else:
            interrupt_once()
        threading.Thread(target=self._listen, name="ending", daemon=True).start()

    def heard(self, callback: Callable[[], object]) -> None:
        """Have ``callback`` called, from the listening thread, once the end is asked for."""
        with self._lock:
            if not self.asked.is_set():
                self._callbacks.append(callback)
                return
        callback()

    def _listen(self) -> None:
        while not _ASKED.intersection(self._listener.recv(64)):
            pass
        with self._lock:
            self.asked.set()
        for callback in self._callbacks:
            with suppress(RuntimeError):  # its loop is closed: it has ended already
                callback()
        threading.Event().wait(self._seconds)
        print(  # noqa: T201 - the log may be what hangs
            f"error: not ended in order within {self._seconds:.0f} s of the signal, ended now; {self._consequence}",
            file=sys.stderr,
            flush=True,
        )
        os._exit(1)


def run_until_ended(
    work: Callable[[asyncio.Event], Coroutine[Any, Any, None]], ending: Ending, order_seconds: float
) -> int:
    """Run asynchronous work until it is done or the end is asked for; return the exit code.

    Args:
        work: gets an event that is set when the end is asked for. It has ``order_seconds`` then, and is cancelled
            after them.
        ending: hears the signals.
        order_seconds: 0 = cancel at once.
    """
    with asyncio.Runner() as runner:
        runner.run(_until_ended(work, ending, order_seconds))
        if ending.asked.is_set():
            leave(0)  # closing the loop would wait for threads that wait for others
    return 0


async def _until_ended(
    work: Callable[[asyncio.Event], Coroutine[Any, Any, None]], ending: Ending, order_seconds: float
) -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    ending.heard(lambda: loop.call_soon_threadsafe(stop.set))
    working, stopping = asyncio.create_task(work(stop)), asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not working.done():
        await asyncio.wait({working}, timeout=order_seconds)
    if not working.done():
        working.cancel()
        await asyncio.wait({working}, timeout=_SETTLE_SECONDS)
    if working.done() and not working.cancelled():
        working.result()


def leave(code: int) -> NoReturn:
    """End this process now, without waiting for threads or destructors; what was written is flushed."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
