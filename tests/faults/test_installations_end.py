"""`roi up --embedded`, `roi demo` and the endpoint end within ten seconds of a signal, with everything they started."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.depth import FULL, few
from tests.support.endpoint import ROOT
from tests.support.running import assert_all_end, started
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.running import Running

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

FREE_PORTS: Final = ("--kafka-port", "0", "--clickhouse-port", "0", "--board-port", "0")
BROKER, CLICKHOUSE = " broker ", "pipeline.embedded.clickhouse"
# how far its start has come: seconds of CPU, or what runs
STARTS: Final[tuple[tuple[str, float | str], ...]] = (
    ("up", 0.3),
    ("up", BROKER),
    ("up", CLICKHOUSE),
    ("up", "pipeline migrate"),
    ("up", "pipeline worker"),
    ("up", "pipeline.api"),
    ("demo", 0.6),
    ("demo", "pipeline up"),
    ("demo", CLICKHOUSE),
    ("up", 0.9),
    ("demo", "pipeline alerts"),
    ("demo", "pipeline simulate"),
)
# what is frozen, what is killed (and started again), and whether the end has been asked for before
FAULTS: Final[tuple[tuple[str, tuple[str, ...], tuple[str, ...], bool], ...]] = (
    ("up", (BROKER, CLICKHOUSE), (), False),
    ("up", (BROKER, CLICKHOUSE), (), True),
    ("up", (CLICKHOUSE, "pipeline worker", "pipeline alerts", "pipeline.api"), (), False),
    ("up", (BROKER,), (CLICKHOUSE,), True),
    ("up", (), (CLICKHOUSE,), False),
    ("demo", (CLICKHOUSE,), (), False),
    ("demo", (BROKER,), (), True),
    ("demo", (BROKER, "pipeline up", "pipeline simulate"), (), False),
)
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ROI_")}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def _start(stack: ExitStack, command: str, directory: Path, name: str = "") -> Running:
    words = {
        "up": ("pipeline", "up", "--embedded", "--data", str(directory / "data"), *FREE_PORTS),
        "demo": ("pipeline", "demo", "--data", str(directory / "demo")),
        "endpoint": ("pipeline.embedded.clickhouse", "--path", str(directory / f"tables{name}"), "--port", "0"),
    }[command]
    environment = _environment()
    if command == "endpoint":
        words += ("--ready-file", str(directory / f"ready{name}"))
        environment |= {"ROI_CLICKHOUSE_PASSWORD": "reader", "ROI_CLICKHOUSE_WRITER_PASSWORD": "writer"}
    return stack.enter_context(started(command + name, [sys.executable, "-m", *words], environment, directory))


@pytest.mark.parametrize(("command", "moment"), few(STARTS))
def test_an_installation_ends_that_is_told_so_during_its_start(
    tmp_path: Path, command: str, moment: float | str
) -> None:
    with ExitStack() as stack:
        running = _start(stack, command, tmp_path)

        def has_come_so_far() -> bool:
            return running.has_worked(moment) if isinstance(moment, float) else bool(running.parts(moment))

        wait_until(has_come_so_far, 60, what=f"{moment}")
        told = time.monotonic()
        running.process.send_signal(SIGNALS[STARTS.index((command, moment)) % 2])
        assert_all_end([running], told)


@pytest.mark.skipif(not FULL, reason="a whole installation each")
@pytest.mark.parametrize("case", range(len(FAULTS) if FULL else 1))
def test_an_installation_ends_whose_parts_are_frozen_or_killed(tmp_path: Path, case: int) -> None:
    command, frozen, killed, ends_already = FAULTS[case]
    first, second = SIGNALS[:: 1 if case % 2 else -1]
    with ExitStack() as stack:
        running = _start(stack, command, tmp_path)
        begun = "ready: " if command == "up" else "Ctrl-C ends everything"
        wait_until(partial(running.said, begun), 90, what="a start")
        told = time.monotonic()
        if ends_already:
            running.process.send_signal(first)
        for words in killed:
            running.signal_part(words, signal.SIGKILL)
        for words in frozen:
            running.signal_part(words, signal.SIGSTOP)
        running.process.send_signal(second)
        assert_all_end([running], told)


def test_an_endpoint_ends_that_is_told_so_at_any_moment(tmp_path: Path) -> None:
    with ExitStack() as stack:
        starting = {
            seconds: _start(stack, "endpoint", tmp_path, f" {seconds}") for seconds in few((0.8, 0.2, 0.5, 1.1))
        }
        working, ending = (_start(stack, "endpoint", tmp_path, f" {name}") for name in ("at work", "in shut-down"))
        for seconds, running in starting.items():
            wait_until(partial(running.has_worked, seconds), 60, what=f"{seconds} s of work")
        for place, running in enumerate(starting.values()):
            running.process.send_signal(SIGNALS[place % 2])
        assert_all_end(list(starting.values()), time.monotonic())
        for running, number in ((working, signal.SIGINT), (ending, signal.SIGTERM)):
            ready = tmp_path / running.name.replace("endpoint", "ready")
            wait_until(ready.exists, 60, what="an endpoint")
            _ask(stack, ready.read_text().strip())
            running.process.send_signal(number)
        told = time.monotonic()
        ending.process.send_signal(signal.SIGINT)
        assert_all_end([working, ending], told)


def _ask(stack: ExitStack, url: str) -> None:
    """Ask what takes longer than the test."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    statement = b"SELECT sum(cityHash64(number)) FROM numbers(1000000000000)"
    visitor = stack.enter_context(socket.create_connection((host, int(port)), 10))
    visitor.sendall(
        b"POST /?user=roi_reader&password=reader HTTP/1.1\r\nHost: localhost\r\n"
        + f"Content-Length: {len(statement)}\r\n\r\n".encode()
        + statement
    )
