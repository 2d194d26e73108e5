"""Garbage of a process whose state is large and lives long; the automatic collector is off in it."""

from __future__ import annotations

import gc


def collect_and_freeze() -> None:
    """Collect young garbage and put everything alive out of the collector's sight.

    State lives long and holds hardly any cycles, but its sheer size would make every full collection a stall of
    seconds. The automatic collector is off in a worker (see main): this is called every other second instead.
    """
    gc.collect(0)
    gc.freeze()
