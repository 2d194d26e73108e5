from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from bench.children import REPOSITORY, own_module

if TYPE_CHECKING:
    from pathlib import Path

WORDS = (
    *("--only", "processes,flatness,start", "--brokers", "tansu", "--events", "5000"),
    *("--customers", "1000", "--campaigns", "", "--partitions", ""),
)


@pytest.mark.slow
@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_workers_and_starts_can_be_measured_on_few_events(tmp_path: Path) -> None:
    results = tmp_path / "found.json"
    done = subprocess.run(
        own_module("bench", *WORDS, "--json", results), cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(results.read_text())
    assert [(one["workers"], len(one["cpu_seconds"])) for one in found["processes"]] == [(1, 1), (2, 2)]
    assert [(one["customers"], one["events"]) for one in found["flatness"]] == [(1_000, 5_000)]
    for one in found["processes"] + found["flatness"]:
        assert one["events"] == 5_000
        assert min(one["cpu_seconds"]) > 0
        assert one["seconds"] > 0
    assert [one["directory"] for one in found["start"]] == ["new", "existing"]
    for one in found["start"]:
        assert 0 < one["seconds"]["command"] < one["seconds"]["broker"] < one["seconds"]["page"]
        assert one["seconds"]["topics and tables"] < one["seconds"]["worker counts"]
