"""A process of ours that a test watches from outside, with whatever it starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ENDS_WITHIN: Final = 10.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_WAITS_AFTER: Final = 0.3  # seconds without a tick of the CPU: it waits for something
_TROUBLES: Final = ("Traceback", "Exception ignored", "Fatal Python error")


class Running:
    """A running command. Its home directory is a mark that every process of its tree has in its environment."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], directory: Path, stdin: int
    ) -> None:
        self.name = name
        self._home = directory / f"home of {name}"
        self._home.mkdir()
        self._log = directory / f"{name}.log"
        self._worked, self._since = 0.0, time.monotonic()
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self._home,
                stdin=stdin,
                stdout=log,
                stderr=log,
                env={**environment, "HOME": str(self._home)},
            )

    def log(self) -> str:
        """Return what it has printed so far."""
        return self._log.read_text(errors="replace")

    def said(self, words: str) -> bool:
        """Tell whether it has printed that; fail the test if it has ended."""
        assert self.process.poll() is None, f"{self.name} ended by itself ({self.process.poll()}): {self.log()}"
        return words in self.log()

    def has_worked(self, seconds: float) -> bool:
        """Tell whether it has used so much of the CPU, waits for something, or has ended."""
        worked, state = self._times()
        if worked != self._worked or state in "RD":  # one that reads from a slow disk does not wait for anybody
            self._worked, self._since = worked, time.monotonic()
        return worked >= seconds or state in "ZX" or time.monotonic() - self._since > _WAITS_AFTER

    def tree(self) -> dict[int, str]:
        """Return the processes of it that run: pid and command line."""
        found = {}
        for directory in Path("/proc").iterdir():
            with suppress(OSError):  # another user's, or gone
                if directory.name.isdigit() and self._is_mine(directory):
                    found[int(directory.name)] = (directory / "cmdline").read_text().replace("\0", " ")
        return found

    def parts(self, words: str) -> list[int]:
        """Return the processes of the tree whose command line has these words."""
        return [pid for pid, command in self.tree().items() if words in command]

    def signal_part(self, words: str, number: signal.Signals) -> None:
        """Send a signal to each of `parts`."""
        for pid in self.parts(words):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def clean(self) -> None:
        """Kill whatever of it still runs."""
        self.process.kill()
        self.process.wait()
        for pid in self.tree():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def trouble(self) -> str:
        """Return what was printed that a person should not see, or ''."""
        text = self.log()
        return text if any(words in text for words in _TROUBLES) else ""

    def _is_mine(self, directory: Path) -> bool:
        mark = f"HOME={self._home}".encode()
        if mark not in (directory / "environ").read_bytes().split(b"\0"):
            return False
        return (directory / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"

    def _times(self) -> tuple[float, str]:
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0, "X"
        return (int(fields[11]) + int(fields[12])) / _TICKS, fields[0]


@contextmanager
def started(
    name: str, command: Sequence[str], environment: Mapping[str, str], directory: Path, stdin: int = subprocess.DEVNULL
) -> Iterator[Running]:
    """Run a command for the time of the context."""
    running = Running(name, command, environment, directory, stdin)
    try:
        yield running
    finally:
        running.clean()


def assert_all_end(running: Sequence[Running], told: float) -> None:
    """Fail if something of them runs ``ENDS_WITHIN`` seconds after ``told``, or has printed what nobody should see."""
    left = list(running)
    wrong = []
    while left and time.monotonic() < told + ENDS_WITHIN:
        for each in [each for each in left if each.process.poll() is not None and not each.tree()]:
            left.remove(each)
            sys.stderr.write(f"{each.name}: {time.monotonic() - told:.1f} s, exit code {each.process.returncode}\n")
        time.sleep(0.02)
    wrong += [f"{each.name} runs after {ENDS_WITHIN} s: {each.tree()}; {each.log()[-1500:]}" for each in left]
    wrong += [f"{each.name} printed: {trouble}" for each in running if (trouble := each.trouble())]
    assert not wrong, "\n".join(wrong)
