from __future__ import annotations

import asyncio
import json
import socket
from contextlib import suppress
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import UserError
from pipeline.ledger.ledger import LedgerUnavailableError
from pipeline.worker.health import SILENT_SECONDS, STUCK_SECONDS, Health
from pipeline.worker.monitoring import MonitoringServer, monitoring_app
from pipeline.worker.telemetry import Telemetry
from tests.worker.running import Worker, some_events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.fakes_transport import FakeKafka


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def port(telemetry: Telemetry) -> Iterator[int]:
    with MonitoringServer(monitoring_app(telemetry.registry, telemetry.health), "127.0.0.1", 0) as server:
        yield server.port


def ask(port: int, path: str, method: str = "GET") -> tuple[int, str, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()
    finally:
        connection.close()


def health_of(port: int) -> tuple[int, dict[str, Any]]:
    status, kind, body = ask(port, "/healthz")
    assert kind == "application/json"
    return status, json.loads(body)


def test_healthz_follows_the_commit_cycle(telemetry: Telemetry, port: int) -> None:
    assert (health_of(port)[0], health_of(port)[1]["status"]) == (503, "starting")
    telemetry.health.cycle_done()
    assert health_of(port)[1]["status"] == "starting", "no partitions have been given to it yet"
    telemetry.shards([])
    status, told = health_of(port)
    assert (status, told["status"], told["reasons"], told["last_block_at"]) == (200, "ok", [], None)
    assert 0 <= told["seconds_since_last_cycle"] < STUCK_SECONDS
    telemetry.block_retried("disk is full")
    assert health_of(port)[0] == 503
    assert health_of(port)[1]["reasons"] == ["blocks: disk is full"]
    telemetry.block_written(1, 1, 0.1)
    status, told = health_of(port)
    assert (status, told["status"]) == (200, "ok")
    assert told["last_block_at"].endswith("+00:00")


def test_metrics_are_served_beside_it_and_nothing_else(port: int) -> None:
    status, kind, body = ask(port, "/metrics")
    assert (status, kind.partition(";")[0]) == (200, "text/plain")
    assert b"roi_events_total" in body
    assert [ask(port, path)[0] for path in ("/", "/healthz/x", "/favicon.ico", "/metricsx")] == [404] * 4
    assert ask(port, "/healthz?verbose=1")[0] == 503
    assert [ask(port, path, "POST")[0] for path in ("/metrics", "/healthz")] == [405, 405]


def test_addresses_of_version_6_are_served(telemetry: Telemetry) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no addresses of version 6")
    with MonitoringServer(monitoring_app(telemetry.registry, telemetry.health), "::1", 0) as server:
        connection = HTTPConnection("::1", server.port, timeout=10)
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 503
        connection.close()


def test_a_taken_port_is_named_with_its_remedy(telemetry: Telemetry) -> None:
    app = monitoring_app(telemetry.registry, telemetry.health)
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UserError, match="ROI_WORKER__METRICS_PORT"):
        MonitoringServer(app, "127.0.0.1", taken.getsockname()[1])


def test_a_cycle_that_does_not_turn_is_a_reason() -> None:
    clock = Clock()
    health = Health(clock)
    clock.now = STUCK_SECONDS + 1
    assert health.report()["reasons"] == ["commit cycle: no turn for 61 s"]
    health.cycle_done()
    health.owns([])
    assert health.report()["status"] == "ok"


def test_a_server_that_falls_silent_is_a_reason_until_it_answers() -> None:
    clock = Clock()
    health = Health(clock)
    health.answered("kafka")
    health.failing("clickhouse", "its tables could not be read")
    clock.now = SILENT_SECONDS + 1
    health.cycle_done()
    assert health.reasons() == ["clickhouse: its tables could not be read", "kafka: no answer for 26 s"]
    health.answered("clickhouse")
    health.answered("kafka")
    assert health.reasons() == []


def test_a_halted_topic_is_a_reason_and_names_its_remedy() -> None:
    health = Health()
    health.cycle_done()
    health.halted = lambda: ["bank.costs.v1"]
    assert health.report()["status"] == "failing"
    assert "roi resume bank.costs.v1" in health.reasons()[0]


def test_of_many_partitions_that_cannot_be_read_some_are_named() -> None:
    health = Health()
    health.read_again = lambda: [f"partition {number}" for number in range(8)]
    assert health.reasons() == [
        *(f"read again and again: partition {number}" for number in range(3)),
        "read again and again: 5 more",
    ]


async def test_an_idle_worker_lives(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    turned = asyncio.Event()
    monkeypatch.setattr(worker.telemetry.health, "cycle_done", turned.set)
    monkeypatch.setattr("pipeline.worker.processor._IDLE_SECONDS", 0.01)
    await worker.take()
    cycle = asyncio.create_task(worker.processor.run_commits(lambda *_: None))
    try:
        for _ in range(2):
            turned.clear()
            await asyncio.wait_for(turned.wait(), 10)
    finally:
        cycle.cancel()
        with suppress(asyncio.CancelledError):
            await cycle


async def test_a_block_that_is_not_taken_is_told_with_its_cause(
    worker: Worker, kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_events(kafka)
    await worker.take()
    await worker.read()
    write = worker.ledger.write
    seen: list[Any] = []

    def fail_once(block: Any) -> None:
        if not seen:
            seen.append(block)
            raise LedgerUnavailableError("no space left on device")
        told.append(worker.telemetry.health.reasons())
        write(block)

    told: list[list[str]] = []
    monkeypatch.setattr(worker.ledger, "write", fail_once)
    await worker.commit()
    assert told == [["blocks: no space left on device"]]
    assert worker.telemetry.health.reasons() == []


async def test_owned_shards_and_dropped_state_are_told(worker: Worker) -> None:
    await worker.take()
    assert worker.telemetry.health.report()["shards"] == ["campaign/0", "customer/0"]
    next(iter(worker.processor.shards)).is_broken = True
    assert any("was dropped" in reason for reason in worker.telemetry.health.reasons())
