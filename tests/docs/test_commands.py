from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import pytest

from tests.docs.page import ROOT, Block, blocks
from tests.embedded.test_up import running

if TYPE_CHECKING:
    from pathlib import Path

README: Final = [block for block in blocks((ROOT / "README.md").read_text(encoding="utf-8")) if block.language == "sh"]
UP: Final = "./roi up --embedded --data data"
# what takes too long, needs more than Python, or runs until Ctrl-C, and the test or the section of .ci/run that runs it
ELSEWHERE: Final = {
    "make demo": "tests/docs/test_demo.py",
    "make test": ".ci/run test",
    "make check": ".ci/run lint",
    "make bench": "tests/bench/test_harness.py",
    ".venv/bin/python -m bench --quick --brokers tansu": "tests/bench/test_harness.py",
    "make kafka": "tests/deploy/test_kafka.py",
    "ROI_KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:9092 ./roi up --embedded --data data-kafka": "tests/support/kafka.py",
    (
        "ROI_TEST_DEPTH=full ROI_FAULT_KILLS=20 ROI_FAULT_ZOMBIES=3 "
        '.venv/bin/python -m pytest tests/faults -m "not kafka"'
    ): ".ci/run faults-tansu",
    "bash .ci/run": ".ci/run setup",
    "./roi worker": "tests/support/cluster.py",
    "./roi alerts run": "tests/embedded/test_up.py",
    "deploy/make-env": "tests/deploy/test_secrets.py",
    "docker compose up --build --detach --wait": "tests/deploy/test_compose.py",
    "docker compose up --detach --scale worker=4": "tests/deploy/test_compose.py",
}
NEEDED: Final = ("roi", "schemas")
SECONDS: Final = 120


def runnable(block: Block) -> list[str]:
    return [command for command in block.commands if command not in ELSEWHERE and command != UP]


def script(block: Block) -> str:
    """The block as it stands, without the lines that others run."""
    return "\n".join(line for line in block.text.splitlines() if line not in ELSEWHERE)


def addresses(data: Path) -> dict[str, str]:
    """An environment that names a running instance's servers, as it would name one's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ROI_")}
    for file in (data / "roi.env", data / "private.env"):
        kept |= dict(line.split("=", 1) for line in file.read_text().splitlines() if line.startswith("ROI_"))
    return kept


def test_every_command_run_elsewhere_is_in_the_readme() -> None:
    assert set(ELSEWHERE) <= {command for block in README for command in block.commands}


@pytest.mark.parametrize("place", sorted(set(ELSEWHERE.values())))
def test_every_place_that_runs_a_command_is_there(place: str) -> None:
    file, _, section = place.partition(" ")
    assert (ROOT / file).is_file()
    assert not section or f"section {section} " in (ROOT / file).read_text()


@pytest.mark.e2e
@pytest.mark.slow
def test_every_command_of_the_readme_does_what_it_says(tmp_path: Path) -> None:
    """In the order of the page, as a reader would: from the files of this repository, with its own `data`."""
    for name in NEEDED:
        (tmp_path / name).symlink_to(ROOT / name)
    failures = []
    with ExitStack() as instance:
        for block in README:
            if UP in block.commands:
                assert block.commands == [UP]
                instance.enter_context(running(tmp_path / "data"))
            elif runnable(block):
                done = subprocess.run(
                    ["sh", "-euc", script(block)],
                    cwd=tmp_path,
                    env=addresses(tmp_path / "data"),
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=SECONDS,
                )
                if done.returncode or block.output not in {None, done.stdout}:
                    failures.append(f"{block.text}--- code {done.returncode}\n{done.stdout}{done.stderr}")
    assert not failures, "\n".join(failures)
