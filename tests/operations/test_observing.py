"""What a look at a real broker tells: which topics are missing, and that it does not answer."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from pipeline.operations import observing
from pipeline.operations.evaluators import EvaluatorSeen
from pipeline.operations.health import faults
from pipeline.operations.observing import HEALTH_FILE, observe
from pipeline.settings import Settings
from schemas.topics import ALL_TOPICS, DIMENSION_TOPICS
from tests.support.freezing import frozen
from tests.support.kafka import free_port, running_kafka, running_tansu, tansu_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def _settings(bootstrap: str) -> Settings:
    return Settings(kafka_bootstrap_servers=bootstrap, clickhouse_url=f"http://127.0.0.1:{free_port()}")


@pytest.fixture(params=["tansu", pytest.param("kafka", marks=[pytest.mark.kafka, pytest.mark.slow])])
def bootstrap(request: pytest.FixtureRequest) -> Iterator[str]:
    with (running_tansu if request.param == "tansu" else running_kafka)() as address:
        yield address


@pytest.mark.process
def test_missing_topics_are_seen_and_none_is_made_by_looking(bootstrap: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    there = [topic for topic in ALL_TOPICS if topic not in DIMENSION_TOPICS]
    for made in admin.create_topics([NewTopic(topic, 1, 1) for topic in there]).values():
        made.result(30)
    for _ in range(2):
        seen = observe(_settings(bootstrap), None, asks_kafka=True)
        assert set(seen.missing_topics) == set(DIMENSION_TOPICS)
        assert [part for part, _, _ in seen.unreachable] == ["ClickHouse"]


@pytest.mark.process
def test_a_frozen_broker_is_seen_within_seconds() -> None:
    with tansu_process() as (broker, address), frozen(broker.pid):
        began = time.monotonic()
        seen = observe(_settings(address), None, asks_kafka=True)
    assert time.monotonic() - began < 20  # a question of five seconds, and a busy machine
    assert [part for part, _, _ in seen.unreachable] == ["Kafka", "ClickHouse"]
    assert address in seen.unreachable[0][1]


@pytest.mark.process
@pytest.mark.parametrize("asks_kafka", [True, False])
def test_an_instances_own_broker_is_seen_frozen_with_its_process(tmp_path: Path, *, asks_kafka: bool) -> None:
    with tansu_process() as (broker, address):
        part = {"name": "broker", "is_running": True, "pid": broker.pid, "url": f"kafka://{address}"}
        kept = {"trouble": "", "since": 0.0, "deaths": []}
        (tmp_path / HEALTH_FILE).write_text(json.dumps({"parts": [part | kept]}))
        settings = _settings(address)
        with frozen(broker.pid):
            seen = observe(settings, tmp_path, asks_kafka=asks_kafka, asks_parts=not asks_kafka)
            other = observe(_settings("127.0.0.1:1"), tmp_path, asks_parts=True)
    assert (seen.is_broker_frozen, seen.broker_pid) == (True, broker.pid)
    assert not other.is_broker_frozen, "it is not the one that the settings name"


@pytest.mark.parametrize(("age", "severity"), [(3.0, "warning"), (60.0, "failed")])
def test_an_evaluator_that_was_just_started_is_not_taken_for_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age: float, severity: str
) -> None:
    part = {"name": "alerts", "is_running": True, "started": time.time() - age, "url": ""}
    kept = {"trouble": "", "since": 0.0, "deaths": []}
    (tmp_path / HEALTH_FILE).write_text(json.dumps({"parts": [part | kept, part | kept | {"name": "worker-1"}]}))
    monkeypatch.setattr(observing, "halted", lambda _: [])
    monkeypatch.setattr(observing, "log_faults", lambda *_: [])
    monkeypatch.setattr(observing, "evaluator_seen", lambda _: EvaluatorSeen(600.0))
    (fault,) = (it for it in faults(observe(_settings("127.0.0.1:1"), tmp_path)) if it.part == "alerts")
    assert fault.severity == severity


@pytest.mark.process
def test_a_supervisor_that_is_stopped_is_told_with_its_process(tmp_path: Path) -> None:
    def told() -> list[str]:
        found = faults(observe(Settings(clickhouse_url=f"http://127.0.0.1:{free_port()}"), tmp_path))
        return [str(fault) for fault in found if fault.part == "roi up"]

    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as supervisor:
        (tmp_path / HEALTH_FILE).write_text(json.dumps({"supervisor": supervisor.pid, "parts": []}))
        assert told() == []
        with frozen(supervisor.pid):
            (fault,) = told()
        assert f"kill -CONT {supervisor.pid}" in fault
        assert told() == []
        supervisor.kill()
    assert told() == []


def test_parts_that_are_asked_are_not_taken_for_the_broker(tmp_path: Path) -> None:
    kept = {"trouble": "", "since": 0.0, "deaths": [], "url": "http://127.0.0.1:9/healthz", "pid": 4711}
    (tmp_path / HEALTH_FILE).write_text(json.dumps({"parts": [{"name": "worker-1", "is_running": True} | kept]}))
    assert observe(_settings("127.0.0.1:9"), tmp_path, asks_parts=True).broker_pid is None
