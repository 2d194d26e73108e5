"""`roi status --watch`: what it draws, at any width, and that it goes on where a server does not answer."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import subprocess
import sys
from typing import Any

import pytest
from rich.console import Console

from pipeline.cli.status_look import StatusLook
from pipeline.cli.status_watch import Rates, log_lines, picture
from pipeline.errors import UnreachableError
from pipeline.operations.health import Fault, Observations
from tests.support.endpoint import ROOT

TOPIC = {
    "topic": "bank.transactions.v1",
    "partitions": 8,
    "lag": 12_345,
    "accepted": 1_234_567_890,
    "duplicates": 1_234,
    "dead_letters": 56,
    "watermark": "2026-11-26T08:00:00.000+00:00",
}
ALERT = {
    "campaign_id": "c",
    "name": "spring\u001b[31m sale",
    "state": "firing",
    "return_ratio": 0.5,
    "required_ratio": 2.0,
    "upper_bound": 1.2,
    "money_at_risk_minor": 123_456_789,
}


def looked(*, alerts: int = 1, ratio: float = 0.5, **changed: Any) -> StatusLook:
    fault = Fault("Kafka", "bank.costs.v1 is not there", "roi migrate", "failed")
    found = {
        "topics": [TOPIC],
        "refused": {},
        "workers": 2,
        "age": 0.4,
        "alerts": [ALERT | {"return_ratio": ratio}] * alerts,
        "seen": Observations(now=0.0),
        "faults": [fault],
    }
    return StatusLook(**{**found, **changed})


def drawn(found: StatusLook | UnreachableError, width: int, height: int = 40) -> str:
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    console.print(picture(found, Rates(), height, width))
    text = console.file.getvalue()  # type: ignore[attr-defined] # it is the StringIO
    return str(text)


@pytest.mark.parametrize("width", [40, 56, 72, 80, 100, 120])
def test_a_topic_takes_no_more_than_a_few_lines_at_any_width(width: int) -> None:
    lines = drawn(looked(), width).splitlines()
    assert len(lines) <= 40
    assert not any(len(line.strip()) == 1 and line.strip().isalpha() for line in lines)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_figure_is_cut_at_any_width(width: int) -> None:
    text = drawn(looked(), width)
    assert "12,345" in text
    assert max(map(len, text.splitlines())) <= width
    if width >= 80:
        assert "1,234,567,890" in text


def test_faults_stand_first_and_names_cannot_steer_the_terminal() -> None:
    text = drawn(looked(), 120)
    assert text.index("FAULT") < text.index("bank.transactions.v1")
    assert "\x1b" not in text
    assert "\\u001b[31m sale" in text


@pytest.mark.parametrize(("height", "shown"), [(8, 0), (12, 1), (60, 20)])
def test_there_are_as_many_alerts_as_there_is_room_for(height: int, shown: int) -> None:
    text = drawn(looked(alerts=20), 120, height)
    assert len([line for line in text.splitlines() if line.startswith("firing")]) == shown
    assert ("more (roi alerts list)" in text) == (0 < shown < 20)
    assert len(text.splitlines()) <= max(height, 10)


def test_a_rate_is_taken_between_two_looks() -> None:
    times = iter([0.0, 2.0, 2.0])
    rates = Rates(lambda: next(times))
    assert rates.since_before(100) is None
    assert rates.since_before(300) == 100.0
    assert rates.since_before(400) is None  # no time has passed


def test_a_server_that_does_not_answer_is_told_with_its_remedy() -> None:
    error = UnreachableError("ClickHouse at http://127.0.0.1:9 does not answer", "start it")
    (line,) = log_lines(error, Rates())
    assert "does not answer; start it" in line
    assert "asking again" in drawn(error, 80)


@pytest.fixture
def nowhere() -> dict[str, str]:
    return os.environ | {
        "ROI_CLICKHOUSE_URL": "http://127.0.0.1:9",
        "ROI_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
        "PYTHONUNBUFFERED": "1",
    }


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "pipeline", "status", "--watch", "--every", "0.2", *words]


@pytest.mark.process
def test_it_asks_again_and_ends_well_by_control_c(nowhere: dict[str, str]) -> None:
    with subprocess.Popen(command("--json"), cwd=ROOT, env=nowhere, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        looks = [json.loads(watching.stdout.readline()) for _ in range(2)]
        watching.send_signal(signal.SIGINT)
        assert watching.wait(10) == 0
    assert all(found["error"] and found["remedy"] and found["at"] for found in looks)


@pytest.mark.process
def test_it_draws_on_a_terminal(nowhere: dict[str, str]) -> None:
    here, there = pty.openpty()
    with subprocess.Popen(command(), cwd=ROOT, env=nowhere | {"TERM": "xterm"}, stdout=there, stderr=there) as watching:
        os.close(there)
        seen = b""
        while b"asking again" not in seen:
            seen += os.read(here, 4096)
        watching.send_signal(signal.SIGINT)
        assert watching.wait(10) == 0
    os.close(here)
    assert b"Traceback" not in seen
