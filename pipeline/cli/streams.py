"""Standard streams that outlive their readers: what nobody reads any more is dropped, and the command goes on."""

from __future__ import annotations

import io
import os
import stat
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TextIO


class NobodyReadsError(Exception):
    """The reader of stdout has left, and output was all that the command is for."""


class _Outliving(io.FileIO):
    """A pipe's writing end; after its reader has left, what is written goes nowhere."""

    is_unread = False

    def write(self, data: Any, /) -> int:
        """Write bytes, or say so of bytes that nobody would read."""
        try:
            return super().write(data)
        except BrokenPipeError:
            self.is_unread = True
            return memoryview(data).nbytes


def outlive_readers() -> None:
    """Let stdout and stderr, where they are pipes or sockets, lose their readers without an error.

    A command's end is its own then: a failure keeps its exit code, whoever was listening.
    """
    sys.stdout = _outliving(sys.stdout, 1)
    sys.stderr = _outliving(sys.stderr, 2)


def stop_if_unread() -> None:
    """End the command where the reader of stdout has left; for commands whose output is all they do.

    Raises:
        NobodyReadsError: the reader has left; the boundary makes it exit code 0.
    """
    buffer = getattr(sys.stdout, "buffer", None)
    raw = getattr(buffer, "raw", None)
    if isinstance(raw, _Outliving) and raw.is_unread:
        raise NobodyReadsError


def _outliving(stream: TextIO, descriptor: int) -> TextIO:
    """Return the stream in its outliving form; files, terminals and the streams of tests stay as they are."""
    if not isinstance(stream, io.TextIOWrapper) or not _is_pipe(stream, descriptor):
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Outliving(descriptor, "w", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _is_pipe(stream: io.TextIOWrapper, descriptor: int) -> bool:
    try:
        if stream.fileno() != descriptor:
            return False
    except (OSError, ValueError):  # a test's stream in memory has none
        return False
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
