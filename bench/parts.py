"""When a block has come into the ledger: the engine on this machine makes a folder of each, a part of the table.

To look at a folder costs next to nothing, a question about positions some 12 ms of the engine's processor time.
"""

from __future__ import annotations

import re
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.clickhouse.connection import connect

if TYPE_CHECKING:
    import threading

    from pipeline.settings import Settings

_LOOK_SECONDS: Final = 0.005
_TICK_NS: Final = 20_000_000  # a folder's time of change goes by the kernel's ticks: later changes may have the same
# PARTITION_FROM_TO_LEVEL: an INSERT makes one of one number, level 1 where it merges its own rows; a merge of several
_INSERTED: Final = re.compile(r"[^_]+_(\d+)_\1_[01]")


class Parts:
    """The parts that INSERTs have made of a table.

    Args:
        folder: of the table; one that is not there has no parts.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._changed_ns = 0
        self._known: frozenset[str] = frozenset()
        self._look()

    @classmethod
    def of_ledger(cls, settings: Settings) -> Parts:
        """Return those of an instance's ledger, whose engine says where they are."""
        with closing(connect(settings, "writer")) as client:
            asked = "SELECT data_paths[1] FROM system.tables WHERE database = {name:String} AND name = 'ledger'"
            return cls(Path(str(client.command(asked, parameters={"name": settings.clickhouse_database}))))

    def await_new(self, stopped: threading.Event, most_seconds: float) -> bool:
        """Wait until another part is there; return whether it is, before the time is over or ``stopped`` is set."""
        deadline = time.monotonic() + most_seconds
        while not self._look():
            if time.monotonic() > deadline or stopped.wait(_LOOK_SECONDS):
                return False
        return True

    def _look(self) -> bool:
        """Return whether parts have come since the last look."""
        try:
            changed_ns = self._folder.stat().st_mtime_ns
            if changed_ns == self._changed_ns:
                return False
            found = frozenset(entry.name for entry in self._folder.iterdir() if _INSERTED.fullmatch(entry.name))
        except FileNotFoundError:
            return False
        if time.time_ns() - changed_ns > _TICK_NS:
            self._changed_ns = changed_ns
        new, self._known = found - self._known, found
        return bool(new)
