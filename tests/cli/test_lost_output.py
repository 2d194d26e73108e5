"""Every command of the app where its output is lost, encoded narrowly, or has little room."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

import pipeline
from tests.cli.test_boundary import commands
from tests.support.depth import some

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(pipeline.__file__).parent.parent
# each command in a process of its own, forked from one that has imported the app: an import for each costs a minute
EACH_IN_ITS_OWN_PROCESS: Final = """
import json, os, sys
import typer.rich_utils, rich.markdown, rich.panel  # imported once, not by every child
from pipeline.cli import build_app
app, ends = build_app(), []
for arguments in json.loads(sys.argv[1]):
    told = os.memfd_create("stderr")
    child = os.fork()
    if not child:
        os.dup2(told, 2)
        code = 99
        try:
            app(arguments, prog_name="roi")
        except SystemExit as end:
            code = end.code
        except BaseException:
            import traceback
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    ends.append([code, os.pread(told, 100_000, 0).decode()])
    os.close(told)
os.write(int(sys.argv[2]), json.dumps(ends).encode())
"""


def ends_of(lines: list[list[str]], stdout: int, **environment: str) -> list[tuple[int, str]]:
    """Run each command line on this stdout; return each one's exit code and what it said on stderr."""
    told = os.memfd_create("ends")
    try:
        subprocess.run(
            [sys.executable, "-c", EACH_IN_ITS_OWN_PROCESS, json.dumps(lines), str(told)],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            check=True,
            timeout=120,
            cwd=ROOT,
            pass_fds=[told],
            env={**os.environ, **environment},
        )
        found: list[tuple[int, str]] = [(code, said) for code, said in json.loads(os.pread(told, 1_000_000, 0))]
    finally:
        os.close(told)
    return found


@contextmanager
def pipe_without_reader() -> Iterator[int]:
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@contextmanager
def full_disk() -> Iterator[int]:
    with Path("/dev/full").open("wb") as file:
        yield file.fileno()


@contextmanager
def file_in(directory: Path) -> Iterator[int]:
    with (directory / "stdout").open("wb") as file:
        yield file.fileno()


def assert_ends(lines: list[list[str]], ends: list[tuple[int, str]], code: int) -> None:
    """Every line ends with this code, with one line on stderr if that is a failure."""
    assert len(ends) == len(lines)
    wrong: dict[str, Any] = {}
    for line, (found, said) in zip(lines, ends, strict=True):
        if found != code or "Traceback" in said or len(said.splitlines()) != bool(code):
            wrong[" ".join(line)] = (found, said)
    assert not wrong


HELP: Final = [["--help"], *([*path, "--help"] for path in commands())]
SOME_HELP: Final = list(some(HELP))
WRONG: Final = [["nosuch"], *([*path, "--nosuch"] for path in commands())]


@pytest.mark.process
def test_help_that_nobody_reads_is_no_failure() -> None:
    with pipe_without_reader() as stdout:
        assert_ends(HELP, ends_of(HELP, stdout), 0)


@pytest.mark.process
def test_wrong_usage_stays_2_whoever_reads() -> None:
    with pipe_without_reader() as stdout:
        assert_ends(WRONG, ends_of(WRONG, stdout), 2)


@pytest.mark.process
def test_help_on_a_full_disk_is_one_line_and_1() -> None:
    with full_disk() as stdout:
        assert_ends(HELP, ends_of(HELP, stdout), 1)


@pytest.mark.process
@pytest.mark.parametrize(
    "environment", [{"PYTHONIOENCODING": "ascii", "COLUMNS": "40"}, {"COLUMNS": "80"}], ids=["ascii-40", "80"]
)
def test_help_fits_any_encoding_and_width(environment: dict[str, str], tmp_path: Path) -> None:
    with file_in(tmp_path) as stdout:
        assert_ends(SOME_HELP, ends_of(SOME_HELP, stdout, **environment), 0)
    written = (tmp_path / "stdout").read_bytes()
    assert written.count(b"Usage:") == len(SOME_HELP)
    assert written.isascii() == ("PYTHONIOENCODING" in environment)


@pytest.mark.process
def test_bare_command_stays_wrong_usage_whoever_reads() -> None:
    with pipe_without_reader() as stdout:
        assert [code for code, _ in ends_of([[]], stdout)] == [2]


@pytest.mark.process
def test_refused_lines_stay_a_failure_whoever_reads(tmp_path: Path) -> None:
    (tmp_path / "bad.ndjson").write_text("nonsense\n")
    check = ["ingest", "--check", str(tmp_path / "bad.ndjson")]
    with pipe_without_reader() as stdout:
        ((code, said),) = ends_of([check], stdout)
    assert code == 1
    assert "Traceback" not in said


@pytest.mark.process
def test_failure_keeps_its_code_where_stderr_is_unread_too(tmp_path: Path) -> None:
    with pipe_without_reader() as writing:
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", "status", "--data", str(tmp_path)],
            stdout=writing,
            stderr=writing,
            check=False,
            timeout=60,
            cwd=ROOT,
        )
    assert done.returncode == 1


@pytest.mark.process
def test_a_command_that_only_prints_ends_with_its_reader() -> None:
    program = """
import sys
from pipeline.cli.streams import NobodyReadsError, outlive_readers, stop_if_unread
outlive_readers()
stop_if_unread()
print("x" * 100_000, flush=True)
try:
    stop_if_unread()
except NobodyReadsError:
    sys.exit(3)
"""
    with pipe_without_reader() as writing:
        assert subprocess.run([sys.executable, "-c", program], stdout=writing, check=False, cwd=ROOT).returncode == 3


@pytest.mark.process
def test_a_pipe_with_a_reader_gets_every_byte() -> None:
    program = "from pipeline.cli.streams import outlive_readers as o; o(); print('ä' * 300_000)"
    done = subprocess.run([sys.executable, "-X", "utf8", "-c", program], capture_output=True, check=True, cwd=ROOT)
    assert done.stdout.decode() == "ä" * 300_000 + "\n"
