from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.embedded import parent_death
from tests.embedded.waiting import alive
from tests.support.waiting import wait_until

pytestmark = pytest.mark.process

LEASH = Path(parent_death.__file__)
# a supervisor that starts one leashed command, writes its pid and waits for ever
SUPERVISOR = """
import os, pathlib, subprocess, sys
leash, pid_file, *flags = sys.argv[1:]
child = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(600)"
subprocess.Popen([sys.executable, "-I", "-S", leash, str(os.getpid()), *flags, "--",
                  sys.executable, "-c", child, pid_file], start_new_session=True).wait()
"""


@pytest.mark.parametrize("flags", [[], ["--watch"]], ids=["the platform's way", "watching"])
def test_command_dies_with_a_supervisor_that_was_killed(tmp_path: Path, flags: list[str]) -> None:
    pid_file = tmp_path / "pid"
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISOR, str(LEASH), str(pid_file), *flags])
    try:
        wait_until(lambda: pid_file.exists() and pid_file.read_text() != "", 20)
        child = int(pid_file.read_text())
        assert alive(child)
        supervisor.kill()
        supervisor.wait()
        wait_until(lambda: not alive(child), 20)
    finally:
        supervisor.kill()


@pytest.mark.parametrize("flags", [[], ["--watch"]], ids=["the platform's way", "watching"])
def test_command_is_not_run_for_a_supervisor_already_gone(tmp_path: Path, flags: list[str]) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    trace = tmp_path / "ran"
    command = [sys.executable, "-c", f"import time, pathlib; time.sleep(600); pathlib.Path({str(trace)!r}).touch()"]
    ended = subprocess.run([sys.executable, str(LEASH), str(gone.pid), *flags, "--", *command], check=False, timeout=30)
    assert ended.returncode != 0
    assert not trace.exists()


@pytest.mark.parametrize("flags", [[], ["--watch"]], ids=["the platform's way", "watching"])
def test_signal_and_exit_code_pass_through(tmp_path: Path, flags: list[str]) -> None:
    ready = tmp_path / "ready"
    program = (
        "import pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
        f"pathlib.Path({str(ready)!r}).touch()\n"
        "time.sleep(600)\n"
    )
    child = subprocess.Popen(
        [sys.executable, str(LEASH), str(os.getpid()), *flags, "--", sys.executable, "-c", program]
    )
    wait_until(ready.exists, 20)
    child.send_signal(signal.SIGTERM)
    assert child.wait(timeout=20) == 7


@pytest.mark.parametrize("flags", [[], ["--watch"]], ids=["the platform's way", "watching"])
def test_command_gives_way_to_others(flags: list[str]) -> None:
    command = [
        str(LEASH),
        str(os.getpid()),
        *flags,
        "--nice=7",
        "--",
        sys.executable,
        "-c",
        "import os; print(os.nice(0))",
    ]
    ran = subprocess.run([sys.executable, "-I", "-S", *command], capture_output=True, text=True, check=True)
    assert int(ran.stdout) == os.nice(0) + 7
