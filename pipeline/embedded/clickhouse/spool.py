"""Where a request's body waits for the engine: memory that has a path, and that no crash leaves behind."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from pipeline.embedded.clickhouse.errors import from_system

if TYPE_CHECKING:
    from types import TracebackType

_SUFFIX: Final = ".body"
_PIECE_BYTES: Final = 2**20


def is_memory() -> bool:
    """Whether spools are anonymous memory here, so that they need no directory."""
    return hasattr(os, "memfd_create")


class Spool:
    """Anonymous memory the engine reads through a path.

    Inline data is cut at 256 KiB by chDB, so data must reach it as a file. On Linux that is a memfd: it has no name in
    any file system, so customer data vanishes with the process, even on SIGKILL. Elsewhere it is a file in a private
    directory (``directory``, mode 0700), swept when the endpoint starts.
    """

    def __init__(self, directory: Path) -> None:
        if is_memory():
            self._descriptor = os.memfd_create("body", os.MFD_CLOEXEC)
            self.path = f"/proc/self/fd/{self._descriptor}"
        else:
            self._descriptor, self.path = tempfile.mkstemp(_SUFFIX, dir=directory)
        self.size = 0

    def write(self, data: bytes | memoryview) -> None:
        """Append ``data``.

        Raises:
            QueryError: (243) there is no space for it.
        """
        view = memoryview(data)
        while view:
            try:
                written = os.write(self._descriptor, view)
            except OSError as error:
                raise from_system(error) from error
            self.size += written
            view = view[written:]

    def read(self, size: int | None = None, start: int = 0) -> bytes:
        """Return at most ``size`` bytes from ``start`` on, by default everything written so far."""
        return os.pread(self._descriptor, self.size if size is None else size, start)

    def copy(self, source: Spool, start: int) -> None:
        """Append what ``source`` holds from ``start`` on, a piece at a time."""
        while piece := source.read(_PIECE_BYTES, start):
            self.write(piece)
            start += len(piece)

    def close(self) -> None:
        """Give the memory back; the path is gone."""
        if self._descriptor < 0:
            return
        os.close(self._descriptor)
        self._descriptor = -1
        if self.path.endswith(_SUFFIX):
            Path(self.path).unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def prepare(directory: Path) -> None:
    """Make the private directory and remove what a killed process left in it (it may hold customer data)."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    for left in directory.glob(f"*{_SUFFIX}"):
        left.unlink(missing_ok=True)
