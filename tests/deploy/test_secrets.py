from __future__ import annotations

import base64
import hashlib
import re
import stat
import subprocess
from typing import TYPE_CHECKING

from pipeline.settings import read_env_file
from tests.deploy.conftest import DEPLOY, REPOSITORY, VARIABLE

if TYPE_CHECKING:
    from pathlib import Path

HARMLESS = re.compile(r"[A-Za-z0-9_-]{22,}")
CLUSTER_ID_BYTES = 16


def make_env(output: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(DEPLOY / "make-env"), "--output", str(output)], capture_output=True, text=True, check=False
    )


def required() -> set[str]:
    return set(VARIABLE.findall((REPOSITORY / "docker-compose.yml").read_text()))


def test_writes_exactly_what_compose_asks_for(tmp_path: Path) -> None:
    make_env(tmp_path / "env")
    written = read_env_file(tmp_path / "env")
    assert set(written) == required()
    # neither a shell, nor compose, nor Grafana's provisioning finds anything to expand in them
    assert all(HARMLESS.fullmatch(value) for value in written.values())
    assert len(set(written.values())) == len(written)


def test_the_hashes_are_those_of_the_passwords(tmp_path: Path) -> None:
    make_env(tmp_path / "env")
    written = read_env_file(tmp_path / "env")
    for password, digest in (("ROI_CLICKHOUSE_PASSWORD", "READER"), ("ROI_CLICKHOUSE_WRITER_PASSWORD", "WRITER")):
        expected = hashlib.sha256(written[password].encode()).hexdigest()
        assert written[f"CLICKHOUSE_{digest}_PASSWORD_SHA256"] == expected
    assert len(base64.urlsafe_b64decode(written["KAFKA_CLUSTER_ID"] + "==")) == CLUSTER_ID_BYTES


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    make_env(tmp_path / "env")
    assert stat.S_IMODE((tmp_path / "env").stat().st_mode) == 0o600


def test_two_machines_never_share_a_secret(tmp_path: Path) -> None:
    make_env(tmp_path / "one")
    make_env(tmp_path / "other")
    one, other = (read_env_file(tmp_path / name) for name in ("one", "other"))
    assert not set(one.values()) & set(other.values())


def test_keeps_an_existing_file(tmp_path: Path) -> None:
    make_env(tmp_path / "env")
    before = (tmp_path / "env").read_text()
    again = make_env(tmp_path / "env")
    assert again.returncode == 1
    assert again.stderr.count("\n") == 1
    assert (tmp_path / "env").read_text() == before


def test_the_example_names_every_variable_and_gives_none() -> None:
    example = read_env_file(REPOSITORY / ".env.example")
    assert set(example) == required()
    assert set(example.values()) == {""}


def test_secrets_stay_out_of_the_repository_and_the_image() -> None:
    assert {".env", "/.env"} & set((REPOSITORY / ".gitignore").read_text().splitlines())
    assert (REPOSITORY / ".dockerignore").read_text().splitlines()[1] == "*"
