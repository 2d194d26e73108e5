from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from pipeline.native.build import library_path
from pipeline.secret_files import secret_fields
from pipeline.settings import Settings, load_settings
from schemas.topics import ALL_TOPICS, INPUT_TOPICS, dead_letter_topic
from tests.deploy.conftest import (
    APPLICATION_IMAGE,
    DEPLOY,
    REPOSITORY,
    SERVICES,
    environment,
    is_one_shot,
    secrets_of,
    setting_variables,
)

if TYPE_CHECKING:
    from pathlib import Path
    from xml.etree.ElementTree import Element

BUILT_HERE = {APPLICATION_IMAGE: "Dockerfile", "campaign-roi-grafana:13.2.3": "deploy/grafana/Dockerfile"}
APPLICATION = [name for name, service in SERVICES.items() if service.get("image") == APPLICATION_IMAGE]
# these write below their root at start: the compose file says what and why
WRITABLE_ROOT = {"kafka", "grafana"}
PINNED = re.compile(r"[\w./-]+:v?\d+\.\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?")
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|PSEUDONYM|SHA256")
CLIENTS = (["docker", "compose"], ["docker-compose"])


def test_has_the_parts_of_the_pipeline() -> None:
    assert set(SERVICES) == {"kafka", "clickhouse", "migrate", "worker", "alerts", "board", "prometheus", "grafana"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned_or_built_from_pinned_ones(name: str) -> None:
    image = SERVICES[name]["image"]
    if image not in BUILT_HERE:
        assert PINNED.fullmatch(image), f"{image} can change without anybody's doing"
        return
    dockerfile = (REPOSITORY / BUILT_HERE[image]).read_text()
    default = dict(re.findall(r"^ARG (\w+)=(\S+)", dockerfile, re.MULTILINE))
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", dockerfile, re.MULTILINE))
    bases = set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) - stages
    assert bases
    for base in bases:
        resolved = re.sub(r"\$\{(\w+)\}", lambda match: default[match[1]], base)
        assert PINNED.fullmatch(resolved), resolved


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_reports_its_health_or_ends(name: str) -> None:
    service = SERVICES[name]
    if is_one_shot(name):
        assert service["restart"] == "no"
    else:
        assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
        assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_every_dependency_is_waited_for_by_its_own_kind_of_readiness(name: str) -> None:
    for dependency, wait in SERVICES[name].get("depends_on", {}).items():
        expected = "service_completed_successfully" if is_one_shot(dependency) else "service_healthy"
        assert wait == {"condition": expected}, dependency


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_runs_with_the_least_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert str(service["user"]).split(":", 1)[0] not in {"root", "0"}
    assert service.get("read_only", False) is (name not in WRITABLE_ROOT)
    assert "privileged" not in service
    assert "network_mode" not in service


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_to_this_host_alone(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_are_files_that_the_service_is_given(name: str) -> None:
    mounted = secrets_of(name)
    for variable, value in environment(name).items():
        if SECRET.search(variable) and variable != "GF_SECURITY_DISABLE_GRAVATAR":
            assert variable.endswith("_FILE"), f"{variable} would be shown by `docker inspect`"
            assert value in mounted, f"{variable} names a file that nobody mounts"


def test_every_secret_is_declared_and_used(compose: dict[str, Any]) -> None:
    used = {source for name in SERVICES for source in secrets_of(name).values()}
    assert used == set(compose["secrets"])
    assert all(secret["file"].startswith("./deploy/secrets/") for secret in compose["secrets"].values())


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_limits_of_memory_and_processes(name: str) -> None:
    service = SERVICES[name]
    assert size(service["mem_limit"]) == size(service["memswap_limit"]), "swap would hide that the limit is reached"
    assert 0 < service["pids_limit"] <= 8192


def test_servers_keep_themselves_below_their_limits(server: Element, users: Element) -> None:
    share = int(server.findtext("max_server_memory_usage") or 0)
    assert 0 < share < size(SERVICES["clickhouse"]["mem_limit"])
    assert int(users.findtext("profiles/roi_reader/max_memory_usage") or 0) < share
    heap = re.search(r"-Xmx(\w+)", environment("kafka")["KAFKA_HEAP_OPTS"])
    assert heap is not None
    assert 0 < size(heap[1]) <= size(SERVICES["kafka"]["mem_limit"]) // 2


def size(written: str) -> int:
    return int(written[:-1]) << {"k": 10, "m": 20, "g": 30}[written[-1]]


@pytest.mark.parametrize("name", SERVICES)
def test_every_roi_variable_is_a_setting(name: str) -> None:
    ours = {variable for variable in environment(name) if variable.startswith("ROI_")}
    files = {f"ROI_{'__'.join(path).upper()}_FILE" for path in secret_fields(Settings)}
    assert ours <= setting_variables() | files


@pytest.mark.parametrize("name", SERVICES)
def test_every_mounted_file_is_there(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source, target, *mode = volume.split(":")
        if source.startswith("."):
            assert (REPOSITORY / source).exists(), source
            assert mode == ["ro"], f"{target} must not be changed from inside"


def test_named_volumes_and_networks_are_declared(compose: dict[str, Any]) -> None:
    volumes = {v.split(":")[0] for s in SERVICES.values() for v in s.get("volumes", []) if not v.startswith(".")}
    networks = {network for service in SERVICES.values() for network in service["networks"]}
    assert volumes == set(compose["volumes"])
    assert networks == set(compose["networks"])


@pytest.mark.parametrize("name", APPLICATION)
def test_the_application_accepts_its_environment(
    name: str, clean_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("a-value-from-outside")
    (tmp_path / "receivers").write_text("{}")
    for variable, value in environment(name).items():
        file = "receivers" if variable == "ROI_RECEIVERS_FILE" else "secret"
        given = re.sub(r"\$\{\w+:-(.*)\}$", r"\1", value)
        clean_environment.setenv(variable, str(tmp_path / file) if value in secrets_of(name) else given)
    settings = load_settings()
    address = urlsplit(settings.clickhouse_url)
    assert (address.hostname, address.port) == ("clickhouse", 8123)
    assert set(SERVICES[name]["networks"]) & set(SERVICES["clickhouse"]["networks"])
    if "ROI_KAFKA_BOOTSTRAP_SERVERS" in environment(name):
        advertised = environment("kafka")["KAFKA_ADVERTISED_LISTENERS"].split(",")
        assert f"INTERNAL://{settings.kafka_bootstrap_servers}" in advertised
        assert set(SERVICES[name]["networks"]) & set(SERVICES["kafka"]["networks"])


@pytest.mark.process
@pytest.mark.parametrize("name", APPLICATION)
def test_the_application_has_the_command(name: str) -> None:
    service = SERVICES[name]
    command = service.get("entrypoint", ["python", "-m", "pipeline"]) + service["command"]
    options = [word for word in command if word.startswith("--")]
    words = [sys.executable, *command[1 : command.index(options[0]) if options else None]]
    told = subprocess.run([*words, "--help"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert [option for option in options if option not in told.stdout] == []


def test_rights_are_split_between_the_parts() -> None:
    holders = {
        secret: {name for name in SERVICES if secret in secrets_of(name).values()}
        for secret in (
            "clickhouse_writer_password",
            "clickhouse_reader_password",
            "clickhouse_actor_password",
            "api_token",
            "pseudonym_key",
            "receivers",
        )
    }
    assert holders["receivers"] == {"alerts"}
    assert holders["clickhouse_writer_password"] == {"migrate", "worker", "alerts"}
    assert holders["clickhouse_reader_password"] == {"board", "grafana"}
    assert holders["clickhouse_actor_password"] == holders["api_token"] == {"board"}
    assert holders["pseudonym_key"] == {"worker"}
    streaming = {name for name in SERVICES if "stream" in SERVICES[name]["networks"]}
    assert streaming == {"kafka", "migrate", "worker", "alerts"}


def test_the_hosts_ports_are_the_defaults_of_roi(clean_environment: pytest.MonkeyPatch) -> None:
    del clean_environment
    settings = load_settings()
    advertised = environment("kafka")["KAFKA_ADVERTISED_LISTENERS"].split(",")
    assert f"HOST://{settings.kafka_bootstrap_servers}" in advertised
    assert SERVICES["kafka"]["ports"] == [f"{settings.kafka_bootstrap_servers}:{advertised[1].rsplit(':', 1)[1]}"]
    assert SERVICES["clickhouse"]["ports"] == [f"{urlsplit(settings.clickhouse_url).netloc}:8123"]
    assert SERVICES["board"]["ports"] == [f"{urlsplit(settings.board_url).netloc}:8080"]


def test_kafka_has_a_listener_for_every_name() -> None:
    kafka = environment("kafka")
    listeners = dict(entry.split("://") for entry in kafka["KAFKA_LISTENERS"].split(","))
    advertised = dict(entry.split("://") for entry in kafka["KAFKA_ADVERTISED_LISTENERS"].split(","))
    protocols = dict(entry.split(":") for entry in kafka["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
    assert set(listeners) == set(protocols)
    assert set(advertised) == set(listeners) - {kafka["KAFKA_CONTROLLER_LISTENER_NAMES"]}
    assert kafka["KAFKA_INTER_BROKER_LISTENER_NAME"] in advertised
    for name, address in advertised.items():
        assert address.rsplit(":", 1)[1] == listeners[name].rsplit(":", 1)[1]
    voter = f"{kafka['KAFKA_NODE_ID']}@kafka{listeners[kafka['KAFKA_CONTROLLER_LISTENER_NAMES']]}"
    assert kafka["KAFKA_CONTROLLER_QUORUM_VOTERS"] == voter


def test_topics_come_from_migrate_alone() -> None:
    assert environment("kafka")["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert "migrate" in SERVICES["worker"]["depends_on"]
    known = {*ALL_TOPICS, *map(dead_letter_topic, INPUT_TOPICS)}
    texts = [path.read_text() for path in [REPOSITORY / "docker-compose.yml", *DEPLOY.rglob("*")] if path.is_file()]
    named = {name for text in texts for name in re.findall(r"\b(?:bank|roi)\.\w+\.v\d+(?:\.\w+)?", text)}
    assert named <= known


def test_workers_can_be_scaled() -> None:
    worker = SERVICES["worker"]
    assert "container_name" not in worker
    assert "ports" not in worker
    assert "hostname" not in worker


def test_the_image_gets_code_and_locked_dependencies_only() -> None:
    dockerfile = (REPOSITORY / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(\S+) ", dockerfile, re.MULTILINE)
    allowed = re.findall(r"^!(\S+)$", (REPOSITORY / ".dockerignore").read_text(), re.MULTILINE)
    assert set(allowed) <= set(copied)
    assert all(any(path == above or path.startswith(f"{above}/") for above in allowed) for path in copied)
    assert all((REPOSITORY / path).exists() for path in copied)
    assert "--require-hashes" in dockerfile
    assert "USER 10001:10001" in dockerfile
    assert {SERVICES[name]["user"] for name in APPLICATION} == {"10001:10001"}


@pytest.mark.process
def test_what_the_image_copies_for_its_compiled_core_is_enough_to_build_it(tmp_path: Path) -> None:
    stage = (REPOSITORY / "Dockerfile").read_text().partition(" AS native\n")[2].partition("\nFROM ")[0]
    for path in re.findall(r"^COPY (\S+) \1$", stage, re.MULTILINE):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (REPOSITORY / path).is_dir() else shutil.copy
        copy(REPOSITORY / path, tmp_path / path)
    built = subprocess.run(
        [sys.executable, "-m", "pipeline.native.build"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert re.match(r"native core: built with \S+ in ", built.stdout)
    assert [file.name for file in (tmp_path / "build" / "native").iterdir()] == [library_path().name]


@pytest.mark.process
def test_compose_itself_accepts_the_file(tmp_path: Path) -> None:
    client = compose_client()
    secrets = tmp_path / "environment"
    made = [str(DEPLOY / "make-env"), "--output", str(secrets), "--secrets", str(tmp_path / "secrets")]
    subprocess.run(made, check=True, capture_output=True)
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("ROI_", "GRAFANA_", "KAFKA_"))}
    config = [*client, "--file", "docker-compose.yml", "--env-file", str(secrets), "config", "--quiet"]
    accepted = subprocess.run(config, cwd=REPOSITORY, env=bare, capture_output=True, text=True, check=False)
    assert accepted.returncode == 0, accepted.stderr
    secrets.write_text("")
    refused = subprocess.run(config, cwd=REPOSITORY, env=bare, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "run deploy/make-env first" in refused.stderr


def compose_client() -> list[str]:
    for client in CLIENTS:
        if shutil.which(client[0]):
            version = subprocess.run([*client, "version"], capture_output=True, check=False)
            if version.returncode == 0:
                return client
    pytest.skip("COMPOSE FILE NOT LOADED BY COMPOSE: neither `docker compose` nor `docker-compose` is installed")
