"""`roi replay` as a process of its own, against a cluster of a test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.settings import environment_of
from tests.support.endpoint import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.cluster import Cluster

TIMEOUT = 300.0  # on a busy machine


def roi(cluster: Cluster, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=ROOT,
        env=environment_of(cluster.settings) | environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


def replay(cluster: Cluster, run: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Replay to the end, which must be a good one."""
    ended = roi(cluster, "replay", "--run", run, *arguments, **environment)
    assert ended.returncode == 0, ended.stderr
    return ended


@contextmanager
def replaying(cluster: Cluster, run: str, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Have a replay run for the time of the context."""
    command = [sys.executable, "-m", "pipeline", "replay", "--run", run, *arguments]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment_of(cluster.settings) | environment, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            signal_all(process, signal.SIGKILL)


def signal_all(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Send a signal to a replay that runs and to the processes that read for it."""
    with suppress(FileNotFoundError, ProcessLookupError):
        threads = Path(f"/proc/{process.pid}/task").iterdir()
        readers = [int(pid) for thread in threads for pid in (thread / "children").read_text(encoding="ascii").split()]
        for pid in (process.pid, *readers):
            os.kill(pid, number)


def frozen_in_the_middle(
    cluster: Cluster, run: str, process: subprocess.Popen[str], durable: Callable[[], int]
) -> None:
    """Return once some records of a run are durable, with all of its processes frozen.

    From its first sign on it goes on for some hundredths of a second only between two looks: however fast it is, it
    is seen well before its end.
    """
    begun = f"SELECT count() FROM roi.run_states WHERE run = '{run}'"
    cluster.wait_until(lambda: cluster.rows(begun) == [(1,)], f"the beginning of {run}")

    def goes_on() -> bool:
        signal_all(process, signal.SIGCONT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.03)
        signal_all(process, signal.SIGSTOP)
        return durable() > 0

    cluster.wait_until(goes_on, f"a block of {run}")
