"""The one place where errors become a line on stderr and an exit code (contract section 7)."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import typer
from typer.core import TyperGroup

from pipeline.cli.streams import NobodyReadsError, outlive_readers
from pipeline.cli.terminal import printable
from pipeline.errors import FULL, NoAnswerError, PipelineError, UserError, WrongUsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

FAILED: Final = 1
WRONG_USAGE: Final = 2
INTERRUPTED: Final = 130  # 128 + SIGINT, what shells expect of a command ended by Ctrl-C
_OUTPUT_LOST: Final = FULL | {errno.EIO, errno.EBADF, errno.EFBIG}


class OneLineErrors(TyperGroup):
    """The root command group: a user's mistake is one line without a traceback; a bug of ours keeps its traceback.

    A reader that leaves first (``| head -1``) changes no exit code: what is written afterwards goes nowhere.
    """

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run, report and exit: 0 done, 1 failed, 2 wrong usage."""
        extra["standalone_mode"] = False
        _prepare_streams()
        try:
            if not args and extra.get("args") is None:
                extra["args"] = _arguments()
            result = super().main(*args, **extra)
            with _told():
                sys.stdout.flush()
        except PipelineError as error:
            _report(_line_of(error))
            _leave(WRONG_USAGE if isinstance(error, WrongUsageError) else FAILED)
        except typer.TyperException as error:
            _report(_usage_line(error))
            _leave(error.exit_code)
        except (typer.Abort, KeyboardInterrupt):
            typer.echo("interrupted", err=True)
            _leave(INTERRUPTED)
        except NobodyReadsError:
            _leave(0)
        _leave(result if isinstance(result, int) else 0)

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Read the command line; ``--help`` prints here."""
        with _told():
            return super().make_context(*args, **extra)

    def invoke(self, *args: Any, **extra: Any) -> Any:
        """Run the command."""
        with _told():
            return super().invoke(*args, **extra)


class _Nowhere(io.RawIOBase):
    """Stands for a stream that was closed before this process began: writing fails as it would on the closed one."""

    def writable(self) -> bool:
        return True

    def write(self, _data: Any) -> int:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the operating system says of output and named files into errors of one line."""
    try:
        yield
    except BrokenPipeError as error:  # no standard stream raises it: some connection of ours was cut
        raise UserError("a connection was closed by the other side", "try again; roi doctor tells more") from error
    except OSError as error:
        if error.filename is not None:
            name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else error.filename
            if error.errno in FULL:
                room = f"make room on the disk of {Path(str(name)).absolute().parent}, or choose a place on another"
                raise UserError(f"{name} cannot be written ({error.strerror})", room) from error
            raise UserError(f"{name} cannot be used ({error.strerror})", "name another, or correct it") from error
        if error.errno in _OUTPUT_LOST:
            raise UserError(f"the output cannot be written ({error.strerror})", "give it somewhere to go") from error
        raise


def _line_of(error: PipelineError) -> str:
    if isinstance(error, NoAnswerError):
        return f"ClickHouse has stopped answering ({error}); run this again when roi doctor says that it answers"
    return str(error)


def _arguments() -> list[str]:
    """Read arguments as UTF-8 where the locale could not: they come with halves of surrogate pairs then."""
    return [os.fsencode(word).decode("utf-8", "replace") for word in sys.argv[1:]]


def _prepare_streams() -> None:
    """Make every stream usable: closed descriptors lead nowhere, and no encoding is too narrow for a name."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: no socket must become a standard stream
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(os.devnull)), encoding="utf-8")
    if sys.stdout is None:
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(_Nowhere()), write_through=True)
    if sys.stderr is None:
        sys.stderr = io.TextIOWrapper(io.FileIO(os.devnull, "w"))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    outlive_readers()


def _leave(code: int) -> NoReturn:
    """Exit without a second complaint about output that has nowhere to go."""
    for stream, descriptor in ((sys.stdout, 1), (sys.stderr, 2)):
        try:
            stream.flush()
        except (OSError, ValueError):
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
            if stream is sys.stdout:
                sys.stdout = io.TextIOWrapper(io.FileIO(os.devnull, "w"))
    sys.exit(code)


def _usage_line(error: typer.TyperException) -> str:
    message = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    return f"{message}; see: {context.command_path} --help" if context is not None else message


def _report(message: str) -> None:
    one_line = printable(" ".join(message.split()))
    with suppress(OSError):  # where stderr leads nowhere, the exit code is all that is left to say it
        typer.echo(f"error: {one_line}", err=True)
