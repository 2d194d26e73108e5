"""Every command that runs for long ends within ten seconds of a signal, whatever broker and ClickHouse do."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from contextlib import ExitStack, suppress
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING, Final, Literal

import pytest
from confluent_kafka import Producer

from pipeline.clickhouse.migrations import migrate
from pipeline.settings import Settings, environment_of
from pipeline.transport.admin import TopicAdmin
from schemas.topics import LOGINS, TOUCHES
from tests.support.depth import few, some
from tests.support.endpoint import ROOT, running_endpoint
from tests.support.freezing import freeze
from tests.support.kafka import free_port, tansu_process
from tests.support.running import assert_all_end, started
from tests.support.stalling import proxied
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.endpoint import EndpointHandle
    from tests.support.running import Running

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

State = Literal["there", "away", "frozen"]
# broker, ClickHouse; the first is what `make test` tries
PAIRS: Final[tuple[tuple[State, State], ...]] = (
    ("frozen", "frozen"),
    ("there", "away"),
    ("away", "there"),
    ("there", "frozen"),
    ("frozen", "there"),
    ("away", "away"),
    ("there", "there"),
)
COMMANDS: Final = ("ingest", "simulate", "drain", "board", "alerts")
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
STARTING_SECONDS: Final = (0.1, 0.3, 0.5, 0.8, 1.2, 60.0)  # of CPU; the last: until it waits for something
TOUCH: Final = {"campaign_id": "spring", "channel": "app", "kind": "send", "occurred_at": "2026-01-05T00:00:00Z"}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointHandle]:
    with running_endpoint(tmp_path_factory.mktemp("endpoint")) as handle:
        migrate(handle.settings)
        yield handle


class World:
    """Commands with a broker of their own, each with a proxy of its own to ClickHouse; both may fail them."""

    def __init__(
        self, stack: ExitStack, handle: EndpointHandle, pair: tuple[State, State], directory: Path, shift: int
    ) -> None:
        self._stack, self._handle, self._directory = stack, handle, directory
        self._broker, self._clickhouse = pair
        self._broker_process, self._bootstrap = stack.enter_context(tansu_process())
        self._proxies = {name: stack.enter_context(proxied(f"{handle.host}:{handle.port}")) for name in COMMANDS}
        self._signals = dict(zip(COMMANDS, cycle(SIGNALS[shift % 2 :] + SIGNALS[: shift % 2]), strict=False))
        self._board_port = free_port()
        reading, self._lines = os.pipe()
        stack.callback(os.close, self._lines)
        self._input = reading
        self.running: dict[str, Running] = {}
        with TopicAdmin(self._settings("drain")) as admin:
            admin.create_missing()
        self._leave_an_event()

    def _leave_an_event(self) -> None:
        """Nobody reads it: `roi drain` has something to wait for."""
        producer = Producer({"bootstrap.servers": self._bootstrap, "log_level": 0})
        event = TOUCH | {"event_id": "left", "customer_id": "c1"}
        producer.produce(TOUCHES, json.dumps(event), "c1")
        assert producer.flush(20) == 0

    def _settings(self, name: str) -> Settings:
        return self._handle.settings.model_copy(
            update={
                "kafka_bootstrap_servers": self._bootstrap,
                "kafka_incarnation": self._bootstrap.rpartition(":")[2],
                "kafka_partitions": 2,
                "clickhouse_url": f"http://{self._proxies[name].address}",
            }
        )

    def start(self) -> None:
        arguments = {
            "ingest": ("pipeline", "ingest", "-"),
            "simulate": ("pipeline", "simulate", "--customers", "50", "--campaigns", "3", "--backfill-days", "0.1"),
            "drain": ("pipeline", "drain"),
            "board": ("pipeline.api", "--port", str(self._board_port)),
            "alerts": ("pipeline", "alerts", "run"),
        }
        for name in COMMANDS:
            self.running[name] = self._stack.enter_context(
                started(
                    name,
                    [sys.executable, "-m", *arguments[name]],
                    environment_of(self._settings(name))
                    | {"PYTHONPATH": str(ROOT), "ROI_ALERTS__STANDBY_SECONDS": "1.1", "ROI_KAFKA_PARTITIONS": "2"},
                    self._directory,
                    self._input if name == "ingest" else subprocess.DEVNULL,
                )
            )
        os.close(self._input)

    def come_to_work(self) -> None:
        """Wait until each does what it is for."""
        self._feed()
        wait_until(lambda: self._events(TOUCHES) > 1, 60, what="ingested events")
        wait_until(lambda: self._events(LOGINS) > 0, 60, what="simulated events")
        wait_until(lambda: self._proxies["drain"].answers > 5, 60, what="questions of roi drain")
        wait_until(lambda: self.running["alerts"].said("deciding, epoch"), 60, what="a deciding evaluator")
        wait_until(lambda: self._proxies["board"].answers > 5 or self._visit(), 60, what="questions of the board")
        assert [name for name, each in self.running.items() if each.process.poll() is not None] == []

    def come_into_start(self, shift: int) -> None:
        """Wait until each is on its way, one further than another."""
        for place, running in enumerate(self.running.values()):
            seconds = STARTING_SECONDS[(place + shift) % len(STARTING_SECONDS)]
            wait_until(partial(running.has_worked, seconds), 60, what=f"{seconds} s of work")

    def fail(self) -> None:
        if self._broker == "frozen":
            freeze(self._broker_process.pid)
        elif self._broker == "away":
            self._broker_process.kill()
        for proxy in self._proxies.values():
            if self._clickhouse == "frozen":
                proxy.stall()
            elif self._clickhouse == "away":
                proxy.cut()

    def be_busy(self) -> None:
        """Give everybody something to do that may fail."""
        self._feed()
        self._visit()

    def tell(self) -> None:
        for name, running in self.running.items():
            running.process.send_signal(self._signals[name])

    def _feed(self) -> None:
        """Write less than a pipe holds, so that nobody waits for a command that does not read."""
        for number in range(200):
            event = TOUCH | {"event_id": f"{time.monotonic()}-{number}", "customer_id": f"c{number}"}
            os.write(self._lines, json.dumps({"topic": TOUCHES, "value": event}).encode() + b"\n")
        wait_until(lambda: _unread(self._lines) == 0, 30, what="lines read")

    def _visit(self) -> bool:
        """Ask the board for something that it has to ask ClickHouse for, and stay; never an end by itself."""
        with suppress(OSError):
            visitor = self._stack.enter_context(socket.create_connection(("127.0.0.1", self._board_port), 5))
            visitor.sendall(b"GET /api/campaigns HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return False

    def _events(self, topic: str) -> int:
        with TopicAdmin(self._settings("drain")) as admin:
            return sum(admin.end_offsets([topic]).values())


def _unread(pipe: int) -> int:
    return int(struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0])


@pytest.mark.parametrize("pair", few(PAIRS), ids="-".join)
@pytest.mark.parametrize("moment", some(("work", "start", "shutdown")))
def test_every_command_ends_that_is_told_so(
    endpoint: EndpointHandle, tmp_path: Path, pair: tuple[State, State], moment: str
) -> None:
    shift = PAIRS.index(pair) + len(moment)
    with ExitStack() as stack:
        world = World(stack, endpoint, pair, tmp_path, shift)
        if moment == "start":
            world.fail()
        world.start()
        if moment == "start":
            world.come_into_start(shift)
        else:
            world.come_to_work()
        if moment == "shutdown":
            world.tell()
        if moment != "start":
            world.fail()
        if moment == "work":
            world.be_busy()
        told = time.monotonic()
        world.tell()
        assert_all_end(list(world.running.values()), told)
