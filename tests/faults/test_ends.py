"""A process ends within ten seconds of a signal, at any moment of its life, whatever broker and ClickHouse do."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from itertools import cycle, product
from typing import TYPE_CHECKING, Final, Literal

import pytest
from confluent_kafka import Producer

from pipeline.clickhouse.migrations import migrate
from pipeline.settings import Settings, environment_of
from pipeline.transport.admin import TopicAdmin
from schemas.topics import TOUCHES
from tests.support.depth import some
from tests.support.endpoint import ROOT, running_endpoint
from tests.support.freezing import freeze
from tests.support.kafka import tansu_process
from tests.support.stalling import proxied
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.support.endpoint import EndpointHandle

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

State = Literal["there", "away", "frozen"]
STATES: Final[tuple[State, ...]] = ("there", "away", "frozen")
PAIRS: Final = tuple(product(STATES, STATES))
FAILING: Final = tuple(pair for pair in PAIRS if "there" in pair or len(set(pair)) == 1)[1:]  # without both there
ENDS_WITHIN: Final = 10.0
TOUCH: Final = {"campaign_id": "spring", "channel": "app", "kind": "send", "occurred_at": "2026-01-05T00:00:00Z"}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointHandle]:
    with running_endpoint(tmp_path_factory.mktemp("endpoint")) as handle:
        migrate(_settings(handle, handle.url))
        yield handle


def _settings(handle: EndpointHandle, url: str, bootstrap: str = "127.0.0.1:1") -> Settings:
    return Settings(
        kafka_bootstrap_servers=bootstrap,
        kafka_incarnation=bootstrap.rpartition(":")[2],
        kafka_partitions=2,
        clickhouse_url=url,
        clickhouse_password=handle.reader_password,
        clickhouse_writer_password=handle.writer_password,
        pseudonym_key="key",
    )


class Case:
    """A process with a broker of its own and ClickHouse behind a proxy of its own, each of which may fail it."""

    command: tuple[str, ...] = ("worker",)

    def __init__(self, stack: ExitStack, handle: EndpointHandle, pair: tuple[State, State], directory: Path) -> None:
        self.broker, self.clickhouse = pair
        self.name = f"broker {self.broker}, ClickHouse {self.clickhouse}"
        process, bootstrap = stack.enter_context(tansu_process())
        self._broker_process = process
        self._proxy = stack.enter_context(proxied(handle.url.removeprefix("http://")))
        self.settings = _settings(handle, f"http://{self._proxy.address}", bootstrap)
        with TopicAdmin(self.settings) as admin:
            admin.create_missing()
        self._log = directory / f"worker-{self.broker}-{self.clickhouse}.log"
        self.worker: subprocess.Popen[bytes] | None = None
        stack.callback(self._clean)

    def start(self) -> None:
        with self._log.open("wb") as log:
            self.worker = subprocess.Popen(
                [sys.executable, "-m", "pipeline", *self.command],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                env=environment_of(self.settings),
            )

    def said(self, words: str) -> bool:
        assert self.worker is not None
        assert self.worker.poll() is None, f"{self.name}: ended by itself; {self.log()}"
        return words in self.log()

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def fail(self) -> None:
        if self.broker == "frozen":
            freeze(self._broker_process.pid)
        elif self.broker == "away":
            self._broker_process.kill()
        if self.clickhouse == "frozen":
            self._proxy.stall()
        elif self.clickhouse == "away":
            self._proxy.cut()

    def send_events(self) -> None:
        producer = Producer({"bootstrap.servers": self.settings.kafka_bootstrap_servers, "log_level": 0})
        for number in range(2_000):
            event = TOUCH | {"event_id": f"t{number}", "customer_id": f"c{number}"}
            producer.produce(TOUCHES, json.dumps(event), f"c{number}")
        assert producer.flush(20) == 0

    def tell(self, number: signal.Signals) -> None:
        assert self.worker is not None
        self.worker.send_signal(number)

    def _clean(self) -> None:
        if self.worker is not None:
            self.worker.kill()
            self.worker.wait()


class Evaluating(Case):
    command = ("alerts", "run")


def _all_say(cases: Sequence[Case], words: str) -> None:
    wait_until(lambda: all(case.said(words) for case in cases), 60, what=f"{words!r} in every log")


def _assert_all_end(cases: Sequence[Case], told: float) -> None:
    late = []
    for case in cases:
        assert case.worker is not None
        with suppress(subprocess.TimeoutExpired):
            case.worker.wait(max(0.0, told + ENDS_WITHIN - time.monotonic()))
        sys.stderr.write(f"{case.name}: {time.monotonic() - told:.1f} s, exit code {case.worker.poll()}\n")
        if case.worker.poll() is None:
            late.append(f"{case.name}: {case.log()[-1500:]}")
    assert not late, f"not ended within {ENDS_WITHIN} s: {late}"


@pytest.mark.parametrize("kind", [Case, Evaluating])
def test_a_process_ends_that_is_told_so_during_its_start(
    endpoint: EndpointHandle, tmp_path: Path, kind: type[Case]
) -> None:
    with ExitStack() as stack:
        cases = [kind(stack, endpoint, pair, tmp_path) for pair in PAIRS]
        for case in cases:
            case.fail()
            case.start()
        # no condition tells a worker that waits for a frozen one from one that has not begun: both have to end
        wait_until(lambda: any("does not answer" in case.log() for case in cases), 60, what="a worker waiting")
        told = time.monotonic()
        for case, number in zip(cases, cycle((signal.SIGTERM, signal.SIGINT)), strict=False):
            case.tell(number)
        _assert_all_end(cases, told)


@pytest.mark.parametrize("moment", some(("commit", "take-over", "steady", "shutdown")))
def test_a_worker_ends_that_has_lost_broker_or_clickhouse(
    endpoint: EndpointHandle, tmp_path: Path, moment: str
) -> None:
    with ExitStack() as stack:
        cases = [Case(stack, endpoint, pair, tmp_path) for pair in FAILING]
        for case in cases:
            case.start()
        _all_say(cases, "metrics on" if moment == "take-over" else "took over")
        if moment == "commit":
            for case in cases:
                case.send_events()
        if moment == "shutdown":
            for case in cases:
                case.tell(signal.SIGTERM)
        for case in cases:
            case.fail()
        told = time.monotonic()
        for case in cases:
            case.tell(signal.SIGTERM)
        _assert_all_end(cases, told)


def test_an_evaluator_ends_that_has_lost_broker_or_clickhouse(endpoint: EndpointHandle, tmp_path: Path) -> None:
    """One of them decides, the others stand by."""
    with ExitStack() as stack:
        cases = [Evaluating(stack, endpoint, pair, tmp_path) for pair in FAILING]
        for case in cases:
            case.start()
        _all_say(cases, "metrics on")
        wait_until(lambda: any(case.said("deciding, epoch") for case in cases), 60, what="one that decides")
        for case in cases:
            case.fail()
        told = time.monotonic()
        for case, number in zip(cases, cycle((signal.SIGTERM, signal.SIGINT)), strict=False):
            case.tell(number)
        _assert_all_end(cases, told)
