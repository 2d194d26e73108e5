"""What is at fault in an instance is told, in bounded time, by every command that looks."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from pipeline.settings import read_env_file
from tests.embedded.test_up import FREE_PORTS, children, command, environment, roi, running, send_touch
from tests.embedded.waiting import alive
from tests.support.freezing import freeze, frozen
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def ask(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments, "--data", str(data)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment(),
        cwd=data.parent,
    )


def health_of_board(data: Path) -> tuple[int, str]:
    try:
        with urlopen(f"{read_env_file(data / 'roi.env')['ROI_BOARD_URL']}/healthz", timeout=20) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def test_a_frozen_endpoint_is_told_within_seconds_and_started_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as up:
        send_touch(data, "t1")
        endpoint = children(up.pid)["pipeline.embedded.clickhouse"]
        freeze(endpoint)
        asked = time.monotonic()
        told = ask(data, "status")
        assert time.monotonic() - asked < 30  # two questions of five seconds, and a busy machine
        assert told.returncode == 1
        assert "FAULT endpoint: does not answer: frozen" in told.stderr
        assert "start it (roi up" not in told.stderr, "it runs, and is started again by itself"
        wait_until(lambda: not alive(endpoint), 60)
        drained = json.loads(roi(data, "drain", "--timeout", "90", "--json"))  # waits for the next one
        assert (drained["events"], drained["accepted"], drained["refused"]) == (1, 1, 0)


@pytest.mark.parametrize("part", ["worker-1", "board"])
def test_a_frozen_part_fails_status_and_doctor_at_once(tmp_path: Path, part: str) -> None:
    data = tmp_path / "data"
    with running(data) as up:
        wait_until(lambda: "workers 1" in ask(data, "status").stdout, 60)
        assert ask(data, "status").returncode == 0
        found = children(up.pid)
        process = found[{"worker-1": "worker", "board": "pipeline.api"}[part]]
        with frozen(process):
            told = ask(data, "status")
        assert told.returncode == 1, told.stdout
        assert f"FAULT {part}: does not answer" in told.stdout
        wait_until(lambda: ask(data, "doctor").returncode == 0, 60)
        with frozen(process):
            told = ask(data, "doctor", "--json")
        assert told.returncode == 1
        checks = {check["check"]: check for check in json.loads(told.stdout)["checks"]}
        assert checks[part]["state"] == "failed"
        assert "starts it again" in checks[part]["detail"]


def test_a_frozen_broker_fails_status_and_doctor(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as up:
        broker = children(up.pid)["broker"]
        with frozen(broker):
            told = [ask(data, command) for command in ("status", "doctor")]
        assert [each.returncode for each in told] == [1, 1]
        assert all("Kafka does not answer" in each.stdout + each.stderr for each in told)
        for each in told:  # whose process it is, and what wakes it without losing its topics
            words = " ".join((each.stdout + each.stderr).split())
            assert f"process {broker} takes requests and answers none: frozen" in words
            assert f"kill -CONT {broker}" in words
        assert "roi up --embedded" not in told[0].stderr
        assert children(up.pid)["broker"] == broker


def test_a_frozen_broker_is_told_by_the_board_within_seconds(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as up:
        send_touch(data, "t1")
        broker = children(up.pid)["broker"]
        with frozen(broker):
            status, body = health_of_board(data)
        assert status == 503
        assert "Kafka does not answer" in body
        assert f"kill -CONT {broker}" in body
        wait_until(lambda: health_of_board(data)[0] == 200, 60)


def test_a_worker_that_dies_again_and_again_is_told_everywhere(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as up:
        send_touch(data, "t1")
        (tmp_path / "roi.toml").write_text('[attribution]\nmodel = "linear"\n')  # the run was begun under another one
        os.kill(children(up.pid)["worker"], signal.SIGKILL)  # what is started next reads it
        wait_until(lambda: "times in five minutes" in ask(data, "status").stdout, 60)  # twice, or more by then
        roi(data, "ingest", "-", text=json.dumps({"topic": "bank.logins.v1", "value": LOGIN}) + "\n")
        drained = ask(data, "drain", "--timeout", "100")
        assert drained.returncode == 1
        assert "was begun under other settings" in drained.stderr
        assert "died" in ask(data, "doctor").stdout
        status, body = health_of_board(data)
        assert status == 503
        assert "was begun under other settings" in body


LOGIN = {"event_id": "l1", "occurred_at": "2026-01-05T00:00:00Z", "customer_id": "someone", "channel": "app"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m", "none", disk], check=False).returncode != 0:
        pytest.skip("FULL DISK NOT TESTED: no small tmpfs can be mounted here (root only)")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


@contextmanager
def kept_full(disk: Path) -> Iterator[None]:
    """Have a disk full for the time of the context, whatever ClickHouse's merges free meanwhile."""
    filler, full, over = disk / "filler", threading.Event(), threading.Event()

    def fill() -> None:
        with filler.open("wb", buffering=0) as file:
            while not over.is_set():
                try:
                    file.write(bytes(1 << 16))
                except OSError:
                    full.set()
                    over.wait(0.05)

    filling = threading.Thread(target=fill)
    filling.start()
    try:
        assert full.wait(60)
        yield
    finally:
        over.set()
        filling.join()
        filler.unlink()


def test_a_full_disk_is_told_by_every_command(small_disk: Path) -> None:
    data = small_disk / "data"
    with running(data):
        send_touch(data, "t1")
        with kept_full(small_disk):
            assert "disk of" in ask(data, "status").stdout
            assert "full: 0 MiB are free" in ask(data, "doctor").stdout
            assert health_of_board(data)[0] == 503
            roi(data, "ingest", "-", text=json.dumps({"topic": "bank.logins.v1", "value": LOGIN}) + "\n")
            drained = ask(data, "drain", "--timeout", "100")
            assert drained.returncode == 1
            assert "disk of" in drained.stderr
        roi(data, "drain", "--timeout", "60")


def test_each_process_has_only_the_secrets_that_it_needs(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as up:
        kept = read_env_file(data / "private.env")
        secrets = {name: kept[name] for name in kept if kept[name] and name.endswith(("PASSWORD", "KEY", "TOKEN"))}
        parts = children(up.pid)
        held = {
            kind: {
                name for name, value in secrets.items() if value.encode() in Path(f"/proc/{pid}/environ").read_bytes()
            }
            for kind, pid in parts.items()
        }
    assert held == {
        "broker": set(),
        "pipeline.embedded.clickhouse": set(),
        "worker": {"ROI_CLICKHOUSE_WRITER_PASSWORD", "ROI_PSEUDONYM_KEY"},
        "alerts": {"ROI_CLICKHOUSE_WRITER_PASSWORD"},
        "pipeline.api": {"ROI_CLICKHOUSE_PASSWORD", "ROI_CLICKHOUSE_ACTOR_PASSWORD", "ROI_API_TOKEN"},
    }


def test_a_refused_up_leaves_nothing_behind(tmp_path: Path) -> None:
    nameless = ask_up(tmp_path, "")
    assert (nameless.returncode, list(tmp_path.iterdir())) == (2, [])
    assert "the directory has no name" in nameless.stderr
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = ask_up(tmp_path, "new", "--board-port", str(other.getsockname()[1]))
    assert (taken.returncode, list(tmp_path.iterdir())) == (1, [])
    assert "is in use" in taken.stderr


# sooner it is Python alone that starts, and tells it its way
@pytest.mark.parametrize(
    "imported", ["typer", "pipeline.cli.boundary", "pipeline.cli.up", "pydantic", "pipeline.embedded.instance"]
)
def test_ctrl_c_during_the_start_is_one_line_at_most(tmp_path: Path, imported: str) -> None:
    up = subprocess.Popen(
        command("up", "--embedded", "--data", "new", *FREE_PORTS),
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment() | {"PYTHONPROFILEIMPORTTIME": "1"},  # a line for each module, as soon as it is there
        cwd=tmp_path,
    )
    assert up.stderr is not None
    names = (line.rpartition("|")[2].strip() for line in up.stderr)
    assert imported in names, "ended before"
    up.send_signal(signal.SIGINT)
    _, rest = up.communicate(timeout=10)
    told = [line for line in rest.splitlines() if not line.startswith("import time:")]
    assert len(told) <= 1, told


def ask_up(directory: Path, data: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("up", "--embedded", *FREE_PORTS, *arguments, "--data", data),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment(),
        cwd=directory,
    )
