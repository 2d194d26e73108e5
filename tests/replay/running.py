"""`roi replay` as a process of its own, against a cluster of a test."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.settings import environment_of
from tests.support.endpoint import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

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
            process.kill()
