"""Merges give way to what somebody waits for: blocks of events, and the workers that write them."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.embedded.clickhouse.errors import QueryError

if TYPE_CHECKING:
    from pipeline.embedded.clickhouse.engine import Engine

_THREADS: Final = Path("/proc/self/task")
_MERGING: Final = "MergeMutate"
# A third of the turns of a thread that somebody waits for. Not less: where events never end, merges could fall behind.
# The engine's own setting (os_threads_nice_value_merge_mutate) does nothing without a privilege.
_NICENESS: Final = 5

_log = logging.getLogger(__name__)


def let_merges_give_way(engine: Engine) -> None:
    """Lower the priority of the engine's merging threads; only Linux has one for each thread."""
    if not _THREADS.is_dir():
        return
    try:
        with engine.connection() as connection:  # they begin with the first table that has parts, and stay
            connection.run("CREATE TEMPORARY TABLE parts (part UInt8) ENGINE = MergeTree ORDER BY ()", "Null")
    except QueryError as error:  # of a full disk, say: what can be read still is
        _log.warning("merges take the turns of workers until the next start: %s", error)
    merging = [int(thread.name) for thread in _THREADS.iterdir() if _name(thread).startswith(_MERGING)]
    for thread in merging:
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICENESS)


def _name(thread: Path) -> str:
    with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
        return (thread / "comm").read_text()
    return ""
