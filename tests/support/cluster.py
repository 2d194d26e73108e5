"""A small installation of real processes that a test may kill, freeze and start again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from clickhouse_connect.driver.exceptions import ClickHouseError
from confluent_kafka import Producer

from pipeline.clickhouse.connection import connect
from pipeline.clickhouse.migrations import migrate
from pipeline.errors import UserError
from pipeline.settings import Settings, environment_of
from pipeline.transport.admin import TopicAdmin
from schemas.topics import EVENT_TOPICS
from tests.support.core_player import VIEWS
from tests.support.endpoint import ROOT, running_endpoint
from tests.support.freezing import freeze
from tests.support.kafka import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.oracle.log import Record

KEY = "oracle"
_PASSWORDS = ("reader-of-the-test", "writer-of-the-test")
# the generated logs lie where they lie in time: the wall clock must not judge them
_ENVIRONMENT = {"ROI_TIME__FUTURE_MINUTES": "100000000"}


class Cluster:
    """Broker address, endpoint and workers of one test."""

    def __init__(
        self,
        bootstrap: str,
        directory: Path,
        incarnation: str,
        partitions: int = 3,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._directory = directory
        self._environment = _ENVIRONMENT | dict(environment or {})
        self._port = free_port()
        self._endpoint = ExitStack()
        self.endpoint_process: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []
        self.settings = Settings(
            kafka_bootstrap_servers=bootstrap,
            kafka_incarnation=incarnation,
            kafka_partitions=partitions,
            clickhouse_url=f"http://127.0.0.1:{self._port}",
            clickhouse_password=_PASSWORDS[0],
            clickhouse_writer_password=_PASSWORDS[1],
            pseudonym_key=KEY,
        )
        self.start_endpoint()
        migrate(self.settings)
        with TopicAdmin(self.settings) as admin:
            admin.create_missing()

    def start_endpoint(self) -> None:
        self._endpoint.close()
        handle = self._endpoint.enter_context(running_endpoint(self._directory, port=self._port, passwords=_PASSWORDS))
        self.endpoint_process = handle.process

    def kill_endpoint(self) -> None:
        assert self.endpoint_process is not None
        self.endpoint_process.kill()
        self.endpoint_process.wait()
        self.start_endpoint()

    def start_worker(
        self, command: Sequence[str] = ("pipeline", "worker"), **environment: str
    ) -> subprocess.Popen[bytes]:
        log = (self._directory / f"worker-{len(self.workers)}.log").open("wb")
        with log:
            worker = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                env=environment_of(self.settings) | self._environment | environment,
            )
        self.workers.append(worker)
        return worker

    def kill_worker(self, worker: subprocess.Popen[bytes]) -> None:
        worker.kill()
        worker.wait()
        self.workers.remove(worker)

    def freeze(self, worker: subprocess.Popen[bytes]) -> None:
        freeze(worker.pid)

    def thaw(self, worker: subprocess.Popen[bytes]) -> None:
        os.kill(worker.pid, signal.SIGCONT)

    def produce(self, records: Iterable[Record]) -> None:
        producer = Producer({"bootstrap.servers": self.settings.kafka_bootstrap_servers, "linger.ms": 5})
        for record in records:
            producer.produce(record.topic, key=record.key, value=record.value, partition=record.partition)
            producer.poll(0)
        assert producer.flush(30) == 0

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        client = connect(self.settings, "reader")
        try:
            return list(client.query(query).result_rows)
        finally:
            client.close()

    def read_so_far(self) -> int:
        """Return how many records of the event topics blocks hold."""
        found = self.rows(f"SELECT sum(next_offset) FROM roi.positions WHERE run = 'live' AND topic IN {EVENT_TOPICS}")
        return int(found[0][0])

    def ends(self) -> int:
        with TopicAdmin(self.settings) as admin:
            return sum(admin.end_offsets(EVENT_TOPICS).values())

    def wait_until(self, condition: Callable[[], bool], what: str, timeout: float = 120.0) -> None:
        deadline = time.monotonic() + timeout
        while True:
            try:
                if condition():
                    return
            except (ClickHouseError, UserError):
                pass  # the endpoint is being started again: the condition is asked anew
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} did not come true in {timeout:.0f} s; {self.log_tails()}")
            time.sleep(0.05)

    def drain(self) -> None:
        end = self.ends()
        self.wait_until(lambda: self.read_so_far() >= end, f"draining to {end}")

    def views(self, *more: str, run: str = "live") -> dict[str, list[dict[str, Any]]]:
        client = connect(self.settings, "reader")
        found = {}
        for view in (*VIEWS, *more):
            answer = client.raw_query(
                f"SELECT * FROM roi.{view} WHERE run = '{run}' FORMAT JSONEachRow",
                settings={"output_format_json_quote_64bit_integers": 0},
            )
            found[view] = [json.loads(line) for line in answer.splitlines()]
        client.close()
        return found

    def log_tails(self) -> str:
        tails = [path.read_text(errors="replace")[-1500:] for path in sorted(self._directory.glob("worker-*.log"))]
        return "\n---\n".join(tails)

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()
        self._endpoint.close()


@contextmanager
def running_cluster(
    bootstrap: str, directory: Path, incarnation: str, partitions: int = 3, environment: Mapping[str, str] | None = None
) -> Iterator[Cluster]:
    cluster = Cluster(bootstrap, directory, incarnation, partitions, environment)
    try:
        yield cluster
    finally:
        cluster.close()
