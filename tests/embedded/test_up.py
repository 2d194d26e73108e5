"""`roi up --embedded` as a user runs it: real broker, real endpoint, real worker."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

import pipeline
from pipeline.embedded.tcp_ports import usable_port
from pipeline.metrics.operational_metrics import PROMETHEUS_METRICS
from pipeline.settings import read_env_file
from tests.embedded.waiting import alive
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e

ROOT = Path(pipeline.__file__).parent.parent
FREE_PORTS = ("--kafka-port", "0", "--clickhouse-port", "0", "--board-port", "0")
TOUCH = {
    "event_id": "t1",
    "occurred_at": "2026-01-05T00:00:00Z",
    "customer_id": "someone",
    "campaign_id": "spring",
    "channel": "app",
    "kind": "send",
    "cost_minor": 100,
}


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ROI_")}
    return {**kept, "PYTHONPATH": str(ROOT)}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pipeline", *arguments]


def roi(data: Path, *arguments: str, text: str = "") -> str:
    done = subprocess.run(
        command(*arguments, "--data", str(data)),
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=environment(),
        cwd=data.parent,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def running(data: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    up = subprocess.Popen(
        command("up", "--embedded", "--data", str(data), *FREE_PORTS, *arguments),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(),
        cwd=data.parent,
    )
    try:
        wait_until(lambda: (data / "roi.env").exists() or up.poll() is not None, 90)
        assert up.poll() is None, up.communicate()[0]
        yield up
    finally:
        up.kill()
        up.wait()
        if up.stdout is not None:
            up.stdout.close()


def children(supervisor: int) -> dict[str, int]:
    """Return the process ids of the supervisor's children by what they run."""
    found: dict[str, int] = {}
    for task in Path(f"/proc/{supervisor}/task").iterdir():
        pids: list[str] = []
        with suppress(FileNotFoundError):  # the thread or its child has just ended
            pids = (task / "children").read_text().split()
        for pid in pids:
            words: list[str] = []
            with suppress(FileNotFoundError):
                words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
            kinds = ("broker", "pipeline.embedded.clickhouse", "worker", "alerts", "pipeline.api")
            found |= {kind: int(pid) for kind in kinds if kind in words}
    return found


def kill_and_await_next(supervisor: int, part: str) -> None:
    killed = children(supervisor)[part]
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: children(supervisor).get(part) not in {None, killed}, 20)


def touches(data: Path) -> int:
    rows = json.loads(roi(data, "sql", "SELECT sum(touches) AS n FROM campaign_totals WHERE run = 'live'", "--json"))
    return int(rows[0]["n"])


def send_touch(data: Path, event_id: str) -> None:
    line = json.dumps({"topic": "bank.touches.v1", "value": TOUCH | {"event_id": event_id}})
    roi(data, "ingest", "-", text=line + "\n")
    roi(data, "drain", "--timeout", "60")


@pytest.mark.slow
def test_everything_survives_kill_9_of_worker_and_endpoint_and_ends_on_sigterm(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as up:
        send_touch(data, "t1")
        assert touches(data) == 1
        for turn, part in enumerate(("worker", "pipeline.embedded.clickhouse"), start=2):
            kill_and_await_next(up.pid, part)
            send_touch(data, f"t{turn}")
            assert touches(data) == turn
        parts = children(up.pid)
        assert len(parts) == 5
        # the alert service gives way to all others: it is nicer, and Linux looks at that among processes of one session
        niceness = {part: os.getpriority(os.PRIO_PROCESS, pid) - os.nice(0) for part, pid in parts.items()}
        assert niceness == dict.fromkeys(parts, 0) | {"alerts": 10}
        assert {os.getsid(pid) for pid in parts.values()} == {os.getsid(up.pid)}
        assert len({os.getpgid(pid) for pid in (up.pid, *parts.values())}) == 6
        asked = time.monotonic()
        up.send_signal(signal.SIGTERM)
        assert up.wait(timeout=10) == 0
        assert time.monotonic() - asked < 10
        assert not (data / "roi.env").exists()
        assert not [pid for pid in parts.values() if alive(pid)]


@pytest.mark.slow
def test_nothing_outlives_a_supervisor_killed_with_kill_9_and_its_data_goes_on(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as up:
        send_touch(data, "t1")
        parts = children(up.pid)
        key = read_env_file(data / "private.env")["ROI_PSEUDONYM_KEY"]
        up.kill()
        up.wait()
        wait_until(lambda: not any(alive(pid) for pid in parts.values()), 20)
        wait_until(lambda: not (data / "roi.env").exists(), 20)
    with running(data):
        assert read_env_file(data / "private.env")["ROI_PSEUDONYM_KEY"] == key
        send_touch(data, "t1")  # the new broker's topics are empty; the event is a duplicate all the same
        send_touch(data, "t2")
        assert touches(data) == 2


def test_end_of_the_broker_ends_everything_with_the_reason(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--workers", "0") as up:
        parts = children(up.pid)
        os.kill(parts["broker"], signal.SIGKILL)
        output, _ = up.communicate(timeout=15)
        assert up.returncode == 1
        assert "error: broker ended (killed by SIGKILL), and its topics with it" in output
        assert not [pid for pid in parts.values() if alive(pid)]
        assert not (data / "roi.env").exists()


@pytest.mark.slow
def test_instances_run_side_by_side_and_one_directory_takes_one(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    with running(one, "--workers", "0") as up, running(two, "--workers", "0"):
        assert read_env_file(one / "roi.env") != read_env_file(two / "roi.env")
        for data in (one, two):
            assert json.loads(roi(data, "sql", "SELECT 1 AS one", "--json")) == [{"one": 1}]
        second = subprocess.run(
            command("up", "--embedded", "--data", str(one), *FREE_PORTS),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=environment(),
            cwd=tmp_path,
        )
        assert second.returncode == 1
        assert second.stderr == (
            f"error: {one} is in use by process {up.pid}; stop that one or choose another --data\n"
        )
        assert (one / "roi.env").exists(), "the refused one must not withdraw the other's addresses"


def test_of_two_instances_with_one_port_the_later_one_is_told_so(tmp_path: Path) -> None:
    port = str(usable_port(0, "--clickhouse-port"))
    given = ("--workers", "0", "--kafka-port", "0", "--clickhouse-port", port, "--board-port", "0")
    both = [
        subprocess.Popen(
            command("up", "--embedded", "--data", str(tmp_path / name), *given),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(),
            cwd=tmp_path,
        )
        for name in ("one", "two")
    ]
    try:
        wait_until(lambda: any(up.poll() is not None for up in both), 60)
        (refused,) = (up for up in both if up.poll() is not None)
        assert refused.stdout is not None
        said = refused.stdout.read()
        assert f"port {port} of 127.0.0.1 is in use" in said
        assert "pass --clickhouse-port 0 for any free one" in said
    finally:
        for up in both:
            up.kill()
            up.wait()
            if up.stdout is not None:
                up.stdout.close()


def test_without_embedded_parts_any_free_port_of_the_board_is_told(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, "--workers", "0"):
        up = subprocess.Popen(
            command("up", "--data", str(data), "--workers", "0", "--board-port", "0"),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            cwd=tmp_path,
        )
        try:
            assert up.stdout is not None
            line = next(line for line in up.stdout if line.startswith("ready: "))
            address = line.removeprefix("ready: 0 workers, board ").strip()
            with urlopen(f"{address}/livez", timeout=20) as answer:
                assert answer.status == 200
            assert address != read_env_file(data / "roi.env")["ROI_BOARD_URL"]
        finally:
            up.send_signal(signal.SIGTERM)
            up.communicate(timeout=30)


def test_no_secret_stands_on_a_command_line_or_in_a_log(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as up:
        kept = read_env_file(data / "private.env")
        hidden = [kept[name] for name in kept if kept[name] and name.endswith(("PASSWORD", "KEY", "TOKEN"))]
        lines = [Path(f"/proc/{pid}/cmdline").read_text() for pid in (up.pid, *children(up.pid).values())]
        logs = [log.read_text(errors="replace") for log in (data / "logs").iterdir()]
    assert len(hidden) == 5
    assert not [secret for secret in hidden for text in (*lines, *logs) if secret in text]


def test_a_worker_serves_every_metric_of_the_registry_and_its_health(tmp_path: Path) -> None:
    with running(tmp_path / "data"):
        log = tmp_path / "data" / "logs" / "worker-1.log"
        wait_until(lambda: "metrics on " in log.read_text(), 20)
        address = re.search(r"metrics on (http://[\d.:]+)/metrics", log.read_text())
        assert address is not None
        url = address[1]
        wait_until(lambda: health(url)["status"] == "ok", 20)
        told = health(url)
        assert told["reasons"] == []
        assert len(told["shards"]) > 1
        with urlopen(f"{url}/metrics", timeout=10) as answer:
            families = {family.name for family in text_string_to_metric_families(answer.read().decode())}
        # the text format shows an Info with its ending, and dates of counters as families
        shown = {name.removesuffix("_info") for name in families if not name.endswith("_created")}
        assert shown == {found.name for found in PROMETHEUS_METRICS}


def health(address: str) -> dict[str, Any]:
    try:
        with urlopen(f"{address}/healthz", timeout=10) as answer:
            told = json.load(answer)
    except HTTPError as refused:
        told = json.load(refused)
    return dict(told)
