"""The service is killed between every pair of its steps: nothing is lost, and nothing gets a second id."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, TopicPartition
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from pipeline.clickhouse.connection import connect
from pipeline.settings import environment_of
from pipeline.transport.admin import TopicAdmin
from schemas.alerts import OPEN_STATES
from tests.support.depth import FULL, depth
from tests.support.endpoint import ROOT
from tests.support.freezing import freeze
from tests.support.kafka import running_tansu
from tests.support.processes import starts_process
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.settings import Settings

pytestmark = [pytest.mark.process, pytest.mark.slow, pytest.mark.timeout(600)]
STANDBY = 1.1
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CAMPAIGNS = ("autumn", "spring", "winter")
# (step, which time of it): each is tried before and after; a life of the service has at least so many of each
HALTS = [
    ("lease", 1),
    ("claim", 1),
    ("load", 1),
    ("look", 1),
    ("look", 2),
    ("write", 1),
    ("write", 2),
    ("write", 3),
    ("beat", 1),
    ("actions", 1),
    ("publish", 1),
    ("send", 1),
]


class Hooks(ThreadingHTTPServer):
    """Receivers of webhooks, which verify signatures with the library and keep what they got."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.received: list[tuple[str, str, str]] = []
        self.faults: list[str] = []

    def receivers(self) -> dict[str, dict[str, str]]:
        place = f"webhook+http://127.0.0.1:{self.server_address[1]}"
        return {name: {"url": f"{place}/{name}", "secret": SECRET} for name in ("floor", "boss")}


class Hook(BaseHTTPRequestHandler):
    server: Hooks

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            message = Webhook(SECRET).verify(body, dict(self.headers))
        except WebhookVerificationError as error:
            self.server.faults.append(str(error))
        else:
            self.server.received.append((self.headers["webhook-id"], self.path.removeprefix("/"), message["type"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the server's name
        del format, args


class Installation:
    """A broker, an endpoint, and instances of the service that a test starts and kills."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        self.settings = settings
        self._directory = directory
        self._client = connect(settings, "writer")
        self._hooks = Hooks(("127.0.0.1", 0), Hook)
        threading.Thread(target=self._hooks.serve_forever).start()
        self.processes: list[subprocess.Popen[bytes]] = []
        for table in ("alert_log", "alert_actions", "alert_leases"):
            self._client.command(f"TRUNCATE TABLE roi.{table}")
        self._names = {name: f"{name}-{uuid4().hex[:6]}" for name in CAMPAIGNS}

    def script(self, **outcomes: tuple[str, int, bool]) -> None:
        """Say what looks find from now on: outcome, minutes, whether a breach fires at once."""
        text = json.dumps({self._names[name]: each for name, each in outcomes.items()})
        (self._directory / "looks.new").write_text(text)
        (self._directory / "looks.new").rename(self._directory / "looks.json")

    def start(self, halt: str = "", **environment: str) -> subprocess.Popen[bytes]:
        with (self._directory / "service.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.alerts.scripted", str(self._directory)],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                env=environment_of(self.settings)
                | {
                    "ROI_TEST_HALT": halt,
                    "ROI_ALERTS__STANDBY_SECONDS": str(STANDBY),
                    "ROI_ALERTS__TICK_SECONDS": "0.05",
                    "ROI_ALERTS__WALL_HOLD_SECONDS": "0",
                    "ROI_ALERTS__RECEIVERS": '["floor", "boss"]',
                    "ROI_RECEIVERS": json.dumps(self._hooks.receivers()),
                }
                | environment,
            )
        self.processes.append(process)
        return process

    def ask(self, name: str, kind: str, **body: Any) -> str:
        action_id = f"act-{uuid4().hex}"
        self._client.command(
            "INSERT INTO roi.alert_actions (action_id, alert_id, action, by, body) "
            "SELECT {action_id:String}, {alert_id:String}, {action:String}, 'lin', {body:String}",
            parameters={
                "action_id": action_id,
                "alert_id": self.alerts()[name][0],
                "action": kind,
                "body": json.dumps(body),
            },
        )
        return action_id

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return list(self._client.query(query).result_rows)

    def alerts(self) -> dict[str, tuple[str, str]]:
        """Return the current alert's id and state by the campaign's name in the test."""
        current = "SELECT campaign_id, alert_id, state FROM roi.alerts ORDER BY JSONExtractUInt(record, 'number')"
        found = {row[0]: row[1:] for row in self.rows(current)}
        return {name: (found[full][0], found[full][1]) for name, full in self._names.items() if full in found}

    def states(self) -> dict[str, str]:
        return {name: state for name, (_, state) in self.alerts().items()}

    def wait_for(self, **states: str) -> None:
        wait_until(lambda: self.states() == states, 60, what=f"{states}; {self.log_tail()}; the states")

    def settle(self) -> None:
        """Wait until nothing waits to be sent."""
        waiting = "SELECT count() FROM roi.alert_log FINAL WHERE state = 'waiting'"
        wait_until(lambda: self.rows(waiting) == [(0,)], 60, what=f"an empty outbox; {self.log_tail()}; it")

    def log_tail(self) -> str:
        return (self._directory / "service.log").read_text(errors="replace")[-2000:]

    def published(self) -> dict[str, list[tuple[str, str]]]:
        """Return topic and payload of every record of these campaigns in Kafka, by the header webhook-id."""
        topics = ("roi.alerts.v1", "roi.stops.v1")
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        consumer = Consumer({"bootstrap.servers": self.settings.kafka_bootstrap_servers, "group.id": uuid4().hex})
        with TopicAdmin(self.settings) as admin:
            ends = admin.end_offsets(topics)
        places = {(topic, number): end for (topic, number), end in ends.items() if end}
        consumer.assign([TopicPartition(topic, number, 0) for topic, number in places])
        while places:
            for record in consumer.consume(500, 1.0):
                assert record.error() is None
                topic, number = str(record.topic()), int(record.partition() or 0)
                if int(record.offset() or 0) + 1 >= places.get((topic, number), 0):
                    places.pop((topic, number), None)
                key = (record.key() or b"").decode()
                if key in self._names.values():
                    headers = dict(record.headers() or [])
                    assert headers["content-type"] == b"application/json"
                    found[headers["webhook-id"].decode()].append((topic, (record.value() or b"").decode()))
        consumer.close()
        return found

    def check(self) -> None:
        """Compare everything with everything: history, outbox, topics, receivers."""
        history = defaultdict(list)
        query = "SELECT alert_id, record, state, previous_state, event FROM roi.alert_changes"
        for alert_id, body, state, previous, event in self.rows(query):
            history[alert_id].append((json.loads(body)["number"], previous, state, event))
        for entries in history.values():
            entries.sort()
            assert [entry[0] for entry in entries] == list(range(1, len(entries) + 1))
            assert [entry[1] for entry in entries[1:]] == [entry[2] for entry in entries[:-1]]
        changes = sum(len(entries) for entries in history.values())
        published = self.published()
        kinds = defaultdict(list)
        for message_id, copies in published.items():
            assert len(set(copies)) == 1, f"{message_id} stands for two messages"
            kinds[copies[0][0]].append(json.loads(copies[0][1]))
        logged = {row[0] for row in self.rows("SELECT id FROM roi.alert_log FINAL WHERE kind = 'message'")}
        assert set(published) == logged
        assert len(kinds["roi.alerts.v1"]) == changes
        told = [
            (one["data"]["alert_id"], one["data"]["changed_at"], one["data"]["state"]) for one in kinds["roi.alerts.v1"]
        ]
        assert len(set(told)) == len(told)
        self._check_receivers()

    def _check_receivers(self) -> None:
        query = "SELECT notification_id, message_id, receiver, message_type, state FROM roi.notifications"
        noted = {row[0]: row[1:4] for row in self.rows(query)}
        assert {row[4] for row in self.rows(query)} <= {"sent"}
        assert self._hooks.faults == []
        assert set(self._hooks.received) == set(noted.values()), "a notification was lost, or has another id"
        per_receiver = {(message_id, receiver) for message_id, receiver, _ in noted.values()}
        assert len(per_receiver) == len(noted), "a message has two notifications to one receiver"

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        self._hooks.shutdown()
        self._hooks.server_close()
        self._client.close()


@pytest.fixture(scope="session")
@starts_process
def broker() -> Iterator[str]:
    with running_tansu() as bootstrap:
        yield bootstrap


@pytest.fixture
def installation(broker: str, migrated: Settings, tmp_path: Path) -> Iterator[Installation]:
    settings = migrated.model_copy(update={"kafka_bootstrap_servers": broker, "kafka_partitions": 2})
    with TopicAdmin(settings) as admin:
        admin.create_missing()
    found = Installation(settings, tmp_path)
    yield found
    found.close()


def play(installation: Installation) -> None:
    """Play a story that has every kind of change, whatever happens to the service meanwhile."""
    installation.script(autumn=("below", 1, True), spring=("below", 1, False), winter=("undecided", 1, False))
    installation.wait_for(autumn="firing", spring="firing", winter="watching")
    installation.ask("autumn", "acknowledge")
    installation.ask("autumn", "decide", decision="stop", reason="money is lost")
    installation.ask("autumn", "decide", decision="stop", reason="a second one")
    installation.script(autumn=("below", 2, True), spring=("above", 300, False), winter=("below", 2, True))
    installation.wait_for(autumn="decided", spring="resolved", winter="firing")
    installation.settle()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("step", "number"), HALTS if FULL else [*HALTS[3::3], HALTS[-1]])
def test_a_kill_at_any_step_loses_nothing_and_names_nothing_twice(
    installation: Installation, step: str, number: int, when: str
) -> None:
    installation.script(autumn=("below", 1, True), spring=("below", 1, False), winter=("undecided", 1, False))
    killed = installation.start(f"{step}:{when}:{number}")
    assert killed.wait(60) == -signal.SIGKILL
    installation.start()
    play(installation)
    installation.check()
    stops = [copies for copies in installation.published().values() if copies[0][0] == "roi.stops.v1"]
    assert len(stops) == 1


@pytest.mark.slow
def test_kills_at_random_and_two_instances_at_once_lose_nothing(installation: Installation) -> None:
    random = Random(8)
    installation.script(autumn=("undecided", 0, True), spring=("undecided", 0, True), winter=("undecided", 0, True))
    for minute in range(1, 1 + depth(12)):
        while len(running := [one for one in installation.processes if one.poll() is None]) < 2:
            installation.start()
        outcomes = {name: (random.choice(["below", "above", "undecided"]), minute, True) for name in CAMPAIGNS}
        installation.script(**outcomes)
        time.sleep(random.uniform(0.1, 2.0))  # whenever it is
        random.choice(running).kill()
    installation.start()
    installation.script(autumn=("below", 99, True), spring=("below", 99, True), winter=("below", 99, True))
    wait_until(
        lambda: set(installation.states().values()) <= OPEN_STATES,
        60,
        what=f"alerts of all; {installation.log_tail()} {installation.states()}",
    )
    installation.settle()
    installation.check()


def test_an_instance_that_slept_through_a_take_over_writes_and_sends_nothing(installation: Installation) -> None:
    installation.script(autumn=("undecided", 0, True))
    zombie = installation.start()
    wait_until(lambda: installation.states() == {"autumn": "watching"}, 60, what="the first look")
    freeze(zombie.pid)
    slept = time.monotonic()
    installation.start()
    installation.script(autumn=("below", 1, True), winter=("below", 1, True))
    wait_until(lambda: installation.states() == {"autumn": "firing", "winter": "firing"}, 60, what="a take-over")
    assert time.monotonic() - slept < 30
    os.kill(zombie.pid, signal.SIGCONT)
    wait_until(lambda: b"another instance decides" in _log_of(installation), 30, what="the fence")
    installation.script(autumn=("above", 2, True), winter=("below", 2, True))
    wait_until(lambda: installation.states()["autumn"] == "resolved", 60, what="the end")
    installation.settle()
    installation.check()
    epochs = installation.rows("SELECT uniqExact(bitShiftRight(version, 32)) FROM roi.alert_log WHERE kind = 'change'")
    assert epochs == [(2,)]


def test_an_orderly_end_hands_over_at_once(installation: Installation) -> None:
    installation.script(autumn=("undecided", 0, True))
    first = installation.start(ROI_ALERTS__STANDBY_SECONDS="60")
    wait_until(lambda: installation.states() == {"autumn": "watching"}, 60, what="the first look")
    installation.start(ROI_ALERTS__STANDBY_SECONDS="60")
    began = time.monotonic()
    first.terminate()
    assert first.wait(10) == 0
    assert time.monotonic() - began < 10
    installation.script(autumn=("below", 1, True))
    installation.wait_for(autumn="firing")
    assert time.monotonic() - began < 30


def _log_of(installation: Installation) -> bytes:
    return installation.log_tail().encode()
