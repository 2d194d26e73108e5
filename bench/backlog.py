"""Processor time of running workers over a backlog, exactly: from idle to idle.

The workers have joined, loaded what they know, and wait. They are stopped (SIGSTOP) while the backlog is written, and
go on when it is whole. So every event of it is counted, and what a worker does for it, from the fetch to the last
answer of ClickHouse; nothing of a start or a take-over is.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from bench.children import cpu_seconds
from bench.workload import LedgerProgress, fill
from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from subprocess import Popen

    from pipeline.settings import Settings

    Event = tuple[str, bytes, bytes]
    Workers = Sequence[Popen[bytes]]

# a question costs the engine about 12 ms of processor time, a twentieth of two cores if it is asked all the time: it is
# asked when a part of what is left may be there, and often at the end only
_POLL_SECONDS: Final = 0.1
_LONGEST_POLL_SECONDS: Final = 1.0
_SHARE_OF_REST: Final = 0.15
_STALL_SECONDS: Final = 60.0
# a member of a group that says nothing for six seconds is taken for dead (agents/app.py)
_DOZE_SECONDS: Final = 3.0
_BLINK_SECONDS: Final = 0.1


class Backlog(NamedTuple):
    """What a backlog took.

    Attributes:
        events: all of it.
        awake: those that were not visible yet when the workers could go on.
        seconds: from then until all was visible.
        cpu_seconds: of each worker.
    """

    events: int
    awake: int
    seconds: float
    cpu_seconds: tuple[float, ...]

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.awake / self.seconds

    @property
    def cpu_microseconds(self) -> float:
        """Processor time of one event, of all workers."""
        return sum(self.cpu_seconds) / self.events * 1e6

    def as_json(self) -> dict[str, float | list[float]]:
        """Return plain values."""
        return {
            "events": self.events,
            "seconds": self.seconds,
            "cpu_seconds": list(self.cpu_seconds),
            "events_per_second": self.rate,
            "cpu_microseconds_per_event": self.cpu_microseconds,
        }

    def __str__(self) -> str:
        return f"{self.rate:,.0f} events/s, {self.cpu_microseconds:.2f} µs CPU an event"


def feed(settings: Settings, workers: Workers, events: Iterable[Event]) -> int:
    """Write events, wait until they are visible, and return how many records the topics hold.

    Raises:
        UserError: as from `await_visible`.
    """
    total = fill(settings, events)
    await_visible(LedgerProgress(settings), workers, total)
    return total


def read_backlog(settings: Settings, workers: Workers, before: int, events: Sequence[Event]) -> Backlog:
    """Have idle workers read events that are all there at once.

    Args:
        settings: of their installation.
        workers: running; they have read all there is.
        before: how many records that is.
        events: the backlog.

    Raises:
        UserError: as from `await_visible`, or events were refused: what that costs is not what is asked.
    """
    progress = LedgerProgress(settings)
    used = [cpu_seconds(worker.pid) for worker in workers]
    with dozing(workers):
        total = fill(settings, events)
        _, positions = progress.positions()
    began = time.monotonic()
    ended = await_visible(progress, workers, total)
    spent = tuple(cpu_seconds(worker.pid) - former for worker, former in zip(workers, used, strict=True))
    if refused := progress.refused():
        raise UserError(
            f"{refused:,} of {total:,} events were refused",
            "the benchmark's own are wrong: compare their times with now",
        )
    return Backlog(total - before, total - sum(positions.values()), ended - began, spent)


def await_visible(progress: LedgerProgress, workers: Workers, events: int) -> float:
    """Wait until the ledger's positions cover so many records; return when the answer that says so was there.

    Raises:
        UserError: a worker ended, or the positions stood still for a minute.
    """
    done, moved = -1, time.monotonic()
    first: tuple[float, int] | None = None
    while done < events:
        at, positions = progress.positions()
        if sum(positions.values()) > done:
            done, moved = sum(positions.values()), at
        first = first or (at, done)
        if at - moved > _STALL_SECONDS or any(worker.poll() is not None for worker in workers):
            raise UserError(f"a worker stopped at {done:,} of {events:,} events", "run it alone: roi worker")
        if done < events:
            time.sleep(pause_seconds(at - first[0], done - first[1], events - done))
    return moved


def pause_seconds(passed_seconds: float, read: int, left: int) -> float:
    """Return how long to wait before the next question, by how long what is left takes at the speed until now."""
    rest = passed_seconds * left / read if read else 0.0
    return min(max(_POLL_SECONDS, _SHARE_OF_REST * rest), _LONGEST_POLL_SECONDS)


@contextmanager
def dozing(workers: Workers) -> Iterator[None]:
    """Stop processes for the time of the block; they open their eyes now and then, so that their groups keep them."""
    over = threading.Event()

    def doze() -> None:
        while True:
            _signal(workers, signal.SIGSTOP)
            is_over = over.wait(_DOZE_SECONDS)
            _signal(workers, signal.SIGCONT)
            if is_over:
                return
            time.sleep(_BLINK_SECONDS)

    thread = threading.Thread(target=doze, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _signal(workers: Workers, number: signal.Signals) -> None:
    for worker in workers:
        if worker.poll() is None:
            os.kill(worker.pid, number)
