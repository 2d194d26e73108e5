from __future__ import annotations

import base64
import hashlib
import re
import stat
import subprocess
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from pipeline.settings import read_env_file
from tests.deploy.conftest import DEPLOY, REPOSITORY, VARIABLE

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.process

HARMLESS = re.compile(r"[A-Za-z0-9_-]{22,}")
CLUSTER_ID_BYTES = 16


def make_env(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(DEPLOY / "make-env"), "--output", str(folder / "env"), "--secrets", str(folder / "secrets")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (folder / "secrets").iterdir()}


def passwords(folder: Path) -> dict[str, str]:
    return {name: text for name, text in contents(folder).items() if not name.endswith(".xml") and name != "receivers"}


def required() -> set[str]:
    return set(VARIABLE.findall((REPOSITORY / "docker-compose.yml").read_text()))


@pytest.fixture
def made(tmp_path: Path) -> Path:
    done = make_env(tmp_path)
    assert done.returncode == 0, done.stderr
    return tmp_path


def test_writes_exactly_what_compose_asks_for(made: Path, compose: dict[str, Any]) -> None:
    assert set(read_env_file(made / "env")) == required()
    files = {secret["file"].removeprefix("./deploy/secrets/") for secret in compose["secrets"].values()}
    assert set(contents(made)) == files
    # neither a shell, nor compose, nor Grafana's provisioning finds anything to expand in them
    assert all(HARMLESS.fullmatch(value) for value in passwords(made).values())
    assert len(set(passwords(made).values())) == len(passwords(made))


def test_the_hashes_are_those_of_the_passwords(made: Path) -> None:
    written = contents(made)
    users = ET.fromstring(written["clickhouse_users.xml"])
    for user in ("reader", "writer", "actor"):
        expected = hashlib.sha256(written[f"clickhouse_{user}_password"].encode()).hexdigest()
        assert users.findtext(f"users/roi_{user}/password_sha256_hex") == expected
    cluster = read_env_file(made / "env")["KAFKA_CLUSTER_ID"]
    assert len(base64.urlsafe_b64decode(cluster + "==")) == CLUSTER_ID_BYTES


def test_only_the_owner_reaches_the_secrets_and_containers_can_read_what_is_mounted(made: Path) -> None:
    assert stat.S_IMODE((made / "env").stat().st_mode) == 0o600
    assert stat.S_IMODE((made / "secrets").stat().st_mode) == 0o700
    # compose mounts a file with the mode that it has here, for users that do not exist here
    assert {stat.S_IMODE(path.stat().st_mode) for path in (made / "secrets").iterdir()} == {0o444}


def test_two_machines_never_share_a_secret(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        make_env(tmp_path / name)
    one, other = (contents(tmp_path / name) for name in ("one", "other"))
    assert one.pop("receivers") == other.pop("receivers") == "{}\n"  # nobody is told of alerts yet
    assert not set(one.values()) & set(other.values())


@pytest.mark.parametrize("kept", ["env", "secrets/pseudonym_key"])
def test_keeps_what_is_there(made: Path, kept: str) -> None:
    before = (made / kept).read_text()
    again = make_env(made)
    assert again.returncode == 1
    assert again.stderr.count("\n") == 1
    assert (made / kept).read_text() == before


def test_what_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = make_env(tmp_path / "file")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1


def test_the_example_names_every_variable_and_gives_none() -> None:
    example = read_env_file(REPOSITORY / ".env.example")
    assert set(example) == required()
    assert set(example.values()) == {""}


def test_secrets_stay_out_of_the_repository_and_the_image() -> None:
    assert {"/.env", "/deploy/secrets/"} <= set((REPOSITORY / ".gitignore").read_text().splitlines())
    assert (REPOSITORY / ".dockerignore").read_text().splitlines()[1] == "*"
