"""One child process: started on a leash, logged to a bounded file, stopped gently and then surely."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pipeline
from pipeline.embedded import parent_death

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PROJECT_ROOT: Final = Path(pipeline.__file__).resolve().parent.parent
_LEASH: Final = Path(parent_death.__file__).resolve()
_LOG_TAIL_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Part:
    """What to run: secrets go into the environment only, for anyone on the machine can read a command line.

    Attributes:
        name: names the log file and the messages.
        stage: parts of a higher stage use those of the lower ones, and are stopped before them.
        stop_seconds: how long it may take to end by itself after SIGTERM before it is killed.
        health_url: where it answers HTTP (or Kafka's protocol, ``kafka://``) while it lives; '' = nobody asks. One that
            has answered and then is silent for ``silent_seconds`` is killed and started again.
        silent_seconds: see there; long, for a busy machine is no fault.
        spared: what is said instead, with its ``{pid}``, of one whose death costs more than its silence; '' = none.
        renewed: gives what is started after an end that nobody had asked for; none = the same once more.
        niceness: how far it gives way to what else wants the processor, 0 to 19 (see nice(1)).
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    stage: int = 0
    stop_seconds: float = 5.0
    health_url: str = ""
    silent_seconds: float = 20.0
    spared: str = ""
    renewed: Callable[[], Part] | None = None
    niceness: int = 0


def own_module(module: str, *arguments: str) -> tuple[str, ...]:
    """Return the command that runs one of this application's modules with this very Python."""
    return (sys.executable, "-m", module, *arguments)


def own_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which `own_module` works, wherever the supervisor was started from."""
    search = os.pathsep.join(filter(None, (str(_PROJECT_ROOT), environment.get("PYTHONPATH", ""))))
    return {**environment, "PYTHONPATH": search, "PYTHONUNBUFFERED": "1"}


def leashed(command: tuple[str, ...], niceness: int = 0) -> list[str]:
    """Return the command line that ends ``command`` when this process is gone (see `parent_death`), so nice."""
    flags = (f"--nice={niceness}",) if niceness else ()
    return [sys.executable, "-I", "-S", str(_LEASH), str(os.getpid()), *flags, "--", *command]


@dataclass(frozen=True, slots=True)
class PartDeath:
    """An end that nobody had asked for: when (epoch seconds), why, and whether by somebody's SIGKILL."""

    at: float
    cause: str
    is_killed: bool


class Child:
    """A running part.

    Args:
        part: what runs.
        log: the file that takes its output; none = this process's own stdout and stderr.
    """

    def __init__(self, part: Part, log: Path | None) -> None:
        self.part = part
        self.log = log
        self.starts = 0
        self.started_at = 0.0  # epoch seconds
        self.deaths: list[PartDeath] = []
        self.trouble = ""
        self.trouble_since = 0.0
        self._words_begin = 0  # in the log, which keeps what earlier starts have written
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def start(self) -> None:
        """Start the process in a group of its own, so that a Ctrl-C in the terminal reaches the supervisor alone.

        Not in a session of its own: Linux shares the processor equally among sessions (autogroup, sched(7)), whatever
        the niceness of the processes in them.
        """
        output = None if self.log is None else os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.starts += 1
        self.started_at = time.time()
        words_begin = 0 if output is None else os.fstat(output).st_size
        try:
            self._process = await asyncio.create_subprocess_exec(
                *leashed(self.part.command, self.part.niceness),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=None if output is None else subprocess.STDOUT,
                env=dict(self.part.environment),
                process_group=0,
            )
            self._words_begin = words_begin  # not before: until then the former process is the last one
        finally:
            if output is not None:
                os.close(output)

    async def wait(self) -> int:
        """Return the exit code once the process has ended (negative: by that signal)."""
        return await self._running().wait()

    async def stop(self) -> None:
        """End the process and return when it is gone: SIGTERM, after ``stop_seconds`` SIGKILL to its whole group."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), self.part.stop_seconds)
        except TimeoutError:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    def kill(self) -> None:
        """End the process at once; a frozen one, too."""
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def last_words(self) -> str:
        """Return the last line that the process has written, which mostly says why it ended; '' = it wrote none."""
        if self.log is None or not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(max(self._words_begin, self.log.stat().st_size - _LOG_TAIL_BYTES))
            lines = file.read().decode(errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else ""

    def trim_log(self, limit_bytes: int) -> None:
        """Move a log that has grown past the limit aside."""
        if self.log is not None and trim_log(self.log, limit_bytes):
            self._words_begin = 0

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError(f"{self.part.name} was never started")
        return self._process


def trim_log(path: Path, limit_bytes: int) -> bool:
    """Move a log that has grown past the limit aside (one old copy is kept); tell whether it was.

    The writer keeps its file, opened for appending, and goes on at the new start: lines written in the instant between
    copy and cut are lost, which a log may.
    """
    if not path.exists() or path.stat().st_size <= limit_bytes:
        return False
    old = path.with_suffix(path.suffix + ".1")
    with path.open("r+b") as log, os.fdopen(os.open(old, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as copy:
        log.seek(-limit_bytes, os.SEEK_END)
        copy.write(log.read(limit_bytes))  # its writer goes on
        log.truncate(0)
    return True
