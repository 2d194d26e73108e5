"""Child processes: every measurement and every peer is one, so that none slows another by its memory or threads."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.embedded import child
from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

REPOSITORY: Final = Path(__file__).parents[1]
CHILD_SECONDS: Final = 900.0
_STOP_SECONDS: Final = 20.0
_NAMED_ERROR: Final = re.compile(r"[\w.]*(Error|Exception)\b")
_USER_TICKS, _SYSTEM_TICKS = 11, 12  # fields 14 and 15 of proc(5)'s stat, counted behind the name


def own_module(module: str, *arguments: object) -> list[str]:
    """Return the command that runs a module of this repository with this interpreter; arguments may be anything."""
    return list(child.own_module(module, *map(str, arguments)))


def measured(
    module: str,
    *arguments: object,
    seconds: float = CHILD_SECONDS,
    python: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Run a module to its end and return the JSON object that it printed last.

    Args:
        module: one of this repository's.
        arguments: may be anything.
        seconds: longest time it may take.
        python: another interpreter than this one, with what the module needs.
        environment: what to add to this process's.

    Raises:
        UserError: it failed or took longer than ``seconds``; the message ends with its last words.
    """
    command = own_module(module, *arguments)
    if python is not None:
        command[0] = str(python)
    # what it leaves in the folder for temporary files goes with it
    with tempfile.TemporaryDirectory(prefix="roi-bench-", ignore_cleanup_errors=True) as scratch:
        told, words, code = _ended(command, os.environ | dict(environment or {}) | {"TMPDIR": scratch}, seconds)
    if code is None:
        raise UserError(f"{module} was not done after {seconds:.0f} s", "measure fewer events: --events")
    try:
        result: dict[str, Any] = json.loads(told.splitlines()[-1])
    except (IndexError, ValueError):
        code = code or 1
    if code:
        raise UserError(f"{module} failed: {last_words(words, code)}", "run it alone: python -m bench --only NAME")
    return result


def _ended(command: Sequence[str], environment: Mapping[str, str], seconds: float) -> tuple[str, str, int | None]:
    """Run to the end or to the limit; return both outputs and the exit code, None when it was ended at the limit."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as process:
        try:
            told, words = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return "", "", None
        finally:
            # a session of its own, so that what it started ends too and holds no pipe open
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return told, words, process.returncode


def last_words(words: str, code: int) -> str:
    """Return why a process ended: the last error that it named, else its last line, else its exit code."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    named = [line for line in lines if _NAMED_ERROR.match(line)]
    return (named or lines or [f"it gave no reason, exit code {code}"])[-1]


@contextmanager
def running(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process beside the block; SIGTERM ends it, SIGKILL if that is not enough."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a running process, all threads, in user and system mode (Linux)."""
    return parse_cpu_seconds(Path(f"/proc/{pid}/stat").read_text(), os.sysconf("SC_CLK_TCK"))


def parse_cpu_seconds(stat: str, ticks_per_second: int) -> float:
    """Read the processor time out of a line of /proc/PID/stat; the name in it may hold any character."""
    fields = stat.rpartition(")")[2].split()
    return (int(fields[_USER_TICKS]) + int(fields[_SYSTEM_TICKS])) / ticks_per_second
