from __future__ import annotations

import os
import shutil
import subprocess
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from tests.deploy.conftest import DEPLOY, REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.process

FILES = ("docker-compose.yml", "Dockerfile", "deploy/grafana/Dockerfile")
# tells a digest made from the image's name, and notes what it was asked
FAKE = """#!/usr/bin/env bash
[[ "$1 $2 $3" == "buildx imagetools inspect" && "$5 $6" == "--format {{.Manifest.Digest}}" ]] || exit 9
echo "$4" >> "$(dirname "$0")/asked"
printf 'sha256:'; printf '%s' "$4$MOVED" | sha256sum | cut -d ' ' -f 1
"""
REFUSING = "#!/usr/bin/env bash\necho 'ERROR: failed to do request: no route to host' >&2\nexit 1\n"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, tmp_path / name)
    return tmp_path


def fake_docker(folder: Path, script: str = FAKE) -> None:
    (folder / "docker").write_text(script)
    (folder / "docker").chmod(0o755)


def pin(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"} | variables
    command = [str(DEPLOY / "pin-images"), "--root", str(folder), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def digest(tagged: str) -> str:
    return f"{tagged}@sha256:{sha256(tagged.encode()).hexdigest()}"


def bare_tags(folder: Path) -> list[str]:
    return [line.split()[0] for line in pin(folder, "--check").stderr.splitlines()]


def test_writes_every_digest_beside_its_tag_and_asks_once_for_each(copied: Path) -> None:
    fake_docker(copied)
    tags = bare_tags(copied)
    assert {tag.partition(":")[0] for tag in tags} >= {"apache/kafka", "python", "grafana/grafana", "prom/prometheus"}
    before = {name: (copied / name).read_text() for name in FILES}
    assert pin(copied).returncode == 0
    for name, text in before.items():
        for tag in tags:
            text = text.replace(tag, digest(tag))  # noqa: PLW2901 - one tag after another
        assert (copied / name).read_text() == text
    assert sorted((copied / "asked").read_text().split()) == sorted(tags)
    assert pin(copied, "--check").returncode == 0


def test_a_moved_tag_gets_its_new_digest(copied: Path) -> None:
    fake_docker(copied)
    pin(copied)
    first = (copied / "Dockerfile").read_text()
    pin(copied)
    assert (copied / "Dockerfile").read_text() == first
    assert pin(copied, MOVED="yes").returncode == 0
    moved = (copied / "Dockerfile").read_text()
    assert moved != first
    assert moved.count("@sha256:") == first.count("@sha256:") == 1


@pytest.mark.parametrize("script", [REFUSING, "#!/usr/bin/env bash\necho latest\n"])
def test_without_an_answer_nothing_is_changed(copied: Path, script: str) -> None:
    fake_docker(copied, script)
    before = {name: (copied / name).read_text() for name in FILES}
    refused = pin(copied)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "registry" in refused.stderr
    assert {name: (copied / name).read_text() for name in FILES} == before
