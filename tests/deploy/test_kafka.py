from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import threading
from typing import TYPE_CHECKING, Final

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from tests.deploy.conftest import DEPLOY, SERVICES, environment
from tests.support.kafka import free_port, kafka_libs, running_kafka, running_tansu

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.process

RUN: Final = DEPLOY / "kafka" / "run"
NEEDED_TOOLS: Final = ("bash", "cat", "dirname", "grep", "head", "mkdir", "mktemp", "rm", "sed")
CTRL_C: Final = 128 + signal.SIGINT


def properties() -> dict[str, str]:
    lines = (DEPLOY / "kafka" / "server.properties").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def run(*arguments: str, script: Path = RUN, **variables: str) -> subprocess.CompletedProcess[str]:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("ROI_")}
    return subprocess.run(
        [str(script), *arguments], env=bare | variables, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH without Java and Maven."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in NEEDED_TOOLS:
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return folder


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The script in a repository that has fetched nothing yet."""
    shutil.copytree(DEPLOY / "kafka", tmp_path / "repository" / "deploy" / "kafka")
    return tmp_path / "repository" / "deploy" / "kafka" / "run"


def fake(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/usr/bin/env bash\n{script}\n")
    (folder / name).chmod(0o755)


def test_jars_and_image_are_the_same_version() -> None:
    pom = re.search(r"<kafka\.version>(.+)</kafka\.version>", (DEPLOY / "kafka" / "pom.xml").read_text())
    assert pom is not None
    assert SERVICES["kafka"]["image"].partition("@")[0] == f"apache/kafka:{pom[1]}"


def test_jars_and_image_behave_the_same() -> None:
    image, jars = environment("kafka"), properties()
    for name in (
        "auto.create.topics.enable",
        "group.initial.rebalance.delay.ms",
        "offsets.topic.replication.factor",
        "transaction.state.log.min.isr",
        "share.coordinator.state.topic.replication.factor",
        "process.roles",
    ):
        assert image["KAFKA_" + name.upper().replace(".", "_")] == jars[name], name


@pytest.mark.parametrize(
    "arguments", [("--port", "0"), ("--port", "x"), ("--port",), ("--port", "65536"), ("--prot", "1")]
)
def test_wrong_usage_is_one_line_and_code_two(arguments: tuple[str, ...]) -> None:
    refused = run(*arguments)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1


def test_help_has_an_example() -> None:
    told = run("--help")
    assert told.returncode == 0
    assert "Example:" in told.stdout


def test_missing_java_is_named_with_its_remedy(tools: Path) -> None:
    refused = run("--fetch-only", PATH=str(tools))
    assert refused.returncode == 1
    assert "Java is not there; install version 17" in refused.stderr


def test_old_java_is_named_with_its_remedy(tools: Path) -> None:
    fake(tools, "java", "echo 'openjdk version \"11.0.2\" 2019-01-15' >&2")
    refused = run("--fetch-only", PATH=str(tools))
    assert "Java 11 is too old for Kafka; install version 17" in refused.stderr


def test_missing_maven_is_named_with_its_remedy(tools: Path, copied: Path) -> None:
    fake(tools, "java", "echo 'openjdk version \"21\"' >&2")
    refused = run("--fetch-only", script=copied, PATH=f"{tools}:{tools.parent / 'env'}")
    assert refused.returncode == 1
    assert "Maven is not there" in refused.stderr


def test_a_failed_fetch_leaves_nothing_behind(tools: Path, copied: Path) -> None:
    fake(tools, "java", "echo 'openjdk version \"21\"' >&2")
    fake(tools, "mvn", "echo '[ERROR] no route to the repository'; exit 1")
    refused = run("--fetch-only", script=copied, PATH=f"{tools}:{os.environ['PATH']}")
    assert refused.returncode == 1
    assert "no route to the repository" in refused.stderr
    assert list((copied.parents[2] / ".kafka").iterdir()) == []


def test_a_folder_named_without_jars_is_refused_and_kept(tools: Path, tmp_path: Path) -> None:
    fake(tools, "java", "echo 'openjdk version \"21\"' >&2")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "other.jar").touch()
    refused = run("--fetch-only", PATH=f"{tools}:{os.environ['PATH']}", ROI_KAFKA_LIBS=str(tmp_path / "mine"))
    assert refused.returncode == 1
    assert (tmp_path / "mine" / "other.jar").exists()


@pytest.mark.kafka
@pytest.mark.e2e
def test_topics_survive_ctrl_c_and_a_start_on_another_port(tmp_path: Path) -> None:
    libs = kafka_libs()
    for start in range(2):
        port, controller = free_port(), free_port()
        ports = ["--port", str(port), "--controller-port", str(controller)]
        with subprocess.Popen(
            [str(RUN), *ports, "--data", str(tmp_path / "data")],
            env=os.environ | {"ROI_KAFKA_LIBS": str(libs)},
            stdout=subprocess.PIPE,
            text=True,
        ) as broker:
            try:
                assert broker.stdout is not None
                # the pipe ends, and with it the loop, if the broker does not start
                assert any("Kafka Server started" in line for line in broker.stdout)
                admin = AdminClient({"bootstrap.servers": f"127.0.0.1:{port}", "log_level": 0})
                if start == 0:
                    admin.create_topics([NewTopic("kept", 3, 1)])["kept"].result(30)
                assert set(admin.list_topics(timeout=30).topics) == {"kept"}
                taken = run("--port", str(port), ROI_KAFKA_LIBS=str(libs))
                assert taken.returncode == 1
                assert f"port {port} is taken" in taken.stderr
            finally:
                broker.send_signal(signal.SIGINT)
            assert broker.wait(30) == CTRL_C


HEALTHY: Final = DEPLOY / "kafka" / "healthy"


def check_health(port: int) -> int:
    return subprocess.run(
        [str(HEALTHY), "127.0.0.1", str(port)], capture_output=True, check=False, timeout=30
    ).returncode


def test_the_health_check_of_compose_is_the_script_that_is_mounted() -> None:
    kafka = SERVICES["kafka"]
    program, *arguments = kafka["healthcheck"]["test"][2:]
    assert kafka["healthcheck"]["test"][:2] == ["CMD", "bash"]
    assert f"./deploy/kafka/healthy:{program}:ro" in kafka["volumes"]
    assert f"INTERNAL://:{arguments[1]}" in environment("kafka")["KAFKA_LISTENERS"].split(",")
    # the broker's own limit of waiting stands below that of compose
    assert "timeout 3 " in HEALTHY.read_text()
    assert kafka["healthcheck"]["timeout"] == "5s"


@pytest.mark.e2e
def test_a_broker_that_answers_is_healthy_and_none_is_not() -> None:
    with running_tansu() as address:
        port = int(address.rpartition(":")[2])
        assert check_health(port) == 0
    assert check_health(port) != 0


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n", bytes([0, 0, 0, 6, 0, 0, 0, 1, 0, 35])])
def test_an_open_port_with_another_answer_is_not_healthy(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(64)
                connection.sendall(answer)

        server = threading.Thread(target=serve)
        server.start()
        assert check_health(listener.getsockname()[1]) != 0
        server.join()


def test_a_port_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert check_health(listener.getsockname()[1]) != 0


@pytest.mark.kafka
@pytest.mark.e2e
def test_a_real_kafka_answers_the_health_check() -> None:
    with running_kafka() as address:
        assert check_health(int(address.rpartition(":")[2])) == 0
