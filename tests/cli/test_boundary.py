from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

import pipeline
from pipeline.cli import build_app
from pipeline.cli.boundary import OneLineErrors
from pipeline.errors import NoAnswerError, UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result

ROOT = Path(pipeline.__file__).parent.parent
NOBODY_LISTENS = "127.0.0.1:9"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


def app_that_raises(error: BaseException) -> typer.Typer:
    app = typer.Typer(cls=OneLineErrors, add_completion=False)

    @app.callback()
    def group() -> None:
        """Root."""

    @app.command()
    def work() -> None:
        raise error

    return app


def test_users_mistake_is_one_line_and_exit_code_1() -> None:
    result = CliRunner().invoke(app_that_raises(UserError("the file\nis odd", "mend it")), ["work"])
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "error: the file is odd; mend it\n")


def test_a_server_that_stops_answering_is_named_with_what_to_do() -> None:
    lost = NoAnswerError("OperationalError: Max retries exceeded")
    ended = CliRunner().invoke(app_that_raises(lost), ["work"])
    assert ended.exit_code == 1
    assert ended.stderr.startswith("error: ClickHouse has stopped answering (OperationalError")
    assert "roi doctor" in ended.stderr


def test_interrupt_ends_quietly_with_130() -> None:
    result = CliRunner().invoke(app_that_raises(KeyboardInterrupt()), ["work"])
    assert (result.exit_code, result.output.strip()) == (130, "")


def test_bug_keeps_its_traceback() -> None:
    result = CliRunner().invoke(app_that_raises(ZeroDivisionError("a bug")), ["work"])
    assert isinstance(result.exception, ZeroDivisionError)


@pytest.mark.parametrize(
    "arguments",
    [
        ("nosuch",),
        ("sql",),
        ("sql", "SELECT 1", "--nosuch"),
        ("drain", "--timeout", "soon"),
        ("up", "--workers", "-1"),
        ("campaigns",),
        ("campaigns", "apply"),
        ("dlq", "list", "--topic", "bank.nosuch"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_line_and_exit_code_2(roi: Callable[..., Result], arguments: tuple[str, ...]) -> None:
    result = roi(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("error: ")
    assert "--help" in result.stderr


def test_no_command_shows_the_help_and_is_wrong_usage(roi: Callable[..., Result]) -> None:
    result = roi()
    assert result.exit_code == 2
    assert "campaigns" in result.output


def commands() -> list[tuple[str, ...]]:
    """Return the path of every command, groups left out."""

    def walk(command: object, path: tuple[str, ...]) -> list[tuple[str, ...]]:
        children = getattr(command, "commands", None)
        if children is None:
            return [path]
        return [found for name, child in children.items() for found in walk(child, (*path, name))]

    return walk(get_command(build_app()), ())


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_every_command_has_help_with_an_example_and_takes_data(
    roi: Callable[..., Result], path: tuple[str, ...]
) -> None:
    result = roi(*path, "--help")
    assert result.exit_code == 0
    assert f"roi {' '.join(path)}" in result.output.split("Example:")[1]
    assert "--data" in result.output


def test_commands_of_the_contract_are_there() -> None:
    wanted = {
        ("up",),
        ("worker",),
        ("migrate",),
        ("ingest",),
        ("simulate",),
        *(("alerts", name) for name in ("run", "list", "show", "ack", "decide", "silence", "test", "deliveries")),
        ("token",),
        ("campaigns", "apply"),
        ("campaigns", "list"),
        ("drain",),
        ("status",),
        ("sql",),
        ("dlq", "list"),
        ("dlq", "retry"),
        ("doctor",),
        ("schema", "export"),
    }
    assert wanted <= set(commands())


@pytest.mark.parametrize(
    "arguments",
    [("status",), ("campaigns", "list"), ("dlq", "list"), ("drain",), ("migrate",), ("doctor",), ("sql", "SELECT 1")],
    ids=" ".join,
)
def test_directory_without_an_instance_is_named_with_the_remedy(
    roi: Callable[..., Result], tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    result = roi(*arguments, "--data", str(tmp_path))
    assert result.exit_code == 1
    assert result.stderr == (
        f"error: nothing runs on {tmp_path} (roi.env is not there); start it: roi up --embedded --data {tmp_path}\n"
    )


def test_unacceptable_setting_is_one_line(roi: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROI_TIME__ZONE", "Mars/Olympus")
    result = roi("sql", "SELECT 1")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: setting ROI_TIME__ZONE")
    assert result.stderr.count("\n") == 1


@pytest.mark.process
def test_silent_addresses_are_named_by_the_process_itself() -> None:
    sql = run("sql", "SELECT 1", ROI_CLICKHOUSE_URL=f"http://{NOBODY_LISTENS}")
    assert (sql.returncode, sql.stdout) == (1, "")
    assert sql.stderr.startswith(f"error: ClickHouse does not answer at http://{NOBODY_LISTENS} (Connection refused); ")
    assert sql.stderr.count("\n") == 1


@pytest.mark.process
def test_help_answers_at_once_without_the_heavy_parts() -> None:
    heavy = {"pydantic", "aiohttp", "confluent_kafka", "kafka", "chdb", "clickhouse_connect", "faust", "msgspec"}
    program = "import sys; from pipeline.cli import build_app; build_app(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not heavy & set(done.stdout.split())


@pytest.mark.process
def test_ctrl_c_leaves_no_traceback(tmp_path: Path) -> None:
    reader = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "sql", "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    wait_channel = Path(f"/proc/{reader.pid}/wchan")
    deadline = time.monotonic() + 20
    while "pipe" not in wait_channel.read_text() and time.monotonic() < deadline:  # until it waits for the query
        time.sleep(0.01)
    reader.send_signal(signal.SIGINT)
    _, complaint = reader.communicate(timeout=20)
    assert reader.returncode == 130
    assert "Traceback" not in complaint


@pytest.mark.process
@pytest.mark.parametrize(
    "moment", ["typer.main.get_command", "pipeline.ending.interrupt_once", "threading.Thread.start"]
)
def test_ctrl_c_before_a_command_begins_leaves_no_traceback(moment: str) -> None:
    # while the commands are put together, and before and after Ctrl-C is handed to them
    place, name = moment.rsplit(".", 1)
    program = f"""
import pkgutil, signal
from unittest.mock import patch
from pipeline.interrupts import end_at_once
end_at_once()
from pipeline.cli import main
place = pkgutil.resolve_name({place!r})
real = getattr(place, {name!r})
def interrupted(*args):
    done = real(*args)
    signal.raise_signal(signal.SIGINT)
    return done
with patch.object(place, {name!r}, interrupted):
    main()
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "interrupted\n")


@pytest.mark.process
def test_output_into_a_closed_pipe_is_no_traceback(tmp_path: Path) -> None:
    line = f"'{sys.executable}' -m pipeline schema export --output '{tmp_path}/out' | true"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False, cwd=ROOT)
    assert "Traceback" not in done.stderr
