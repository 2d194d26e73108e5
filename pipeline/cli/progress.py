"""Waiting that can be watched: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LINE_SECONDS: Final = 10.0


@contextmanager
def progress_bar(description: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function that takes (done, total) and redraws a bar on stderr, if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(description, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@contextmanager
def rated_progress(description: str, unit: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yield a function that takes how much is done of ``total``, and shows it with the rate and the time left.

    On a terminal it is a bar, elsewhere a line on stderr every ten seconds.
    """
    if not sys.stderr.isatty():
        yield _lines(description, unit, total)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(description, total=total, rate="")

        def show(done: int) -> None:
            progress.update(task, completed=done)
            speed = progress.tasks[0].speed
            progress.update(task, rate="" if speed is None else f"{speed:,.0f}/s")

        yield show


def _lines(description: str, unit: str, total: int) -> Callable[[int], None]:
    began = told = time.monotonic()

    def show(done: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told < LINE_SECONDS:
            return
        told = now
        rate = done / (now - began)
        left = f", {(total - done) / rate:,.0f} s left" if rate else ""
        print(f"{description}: {done:,} of {total:,} {unit} ({rate:,.0f}/s{left})", file=sys.stderr, flush=True)

    return show
