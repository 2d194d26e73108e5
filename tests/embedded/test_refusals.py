"""`roi up --embedded` refuses settings that its directory's ledger cannot go on under, before anything is halted."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.embedded.test_up import FREE_PORTS, command, environment, roi, running, send_touch, touches

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def start_under(data: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("up", "--embedded", "--data", str(data), *FREE_PORTS),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment() | settings,
        cwd=data.parent,
    )


def test_settings_that_the_ledger_was_not_begun_with_are_refused_in_one_line(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data):
        send_touch(data, "t1")
    fewer = start_under(data, ROI_KAFKA_PARTITIONS="4")
    assert (fewer.returncode, fewer.stdout) == (1, "")
    assert fewer.stderr.startswith("error: bank.")
    assert "would be made with 4 partitions, and the ledger counts with 8; set ROI_KAFKA_PARTITIONS=8" in fewer.stderr
    assert len(fewer.stderr.splitlines()) == 1
    other = start_under(data, ROI_ATTRIBUTION__MODEL="linear", ROI_REPORTING_CURRENCY="USD")
    assert (other.returncode, other.stdout) == (1, "")
    assert other.stderr == (
        "error: run 'live' was begun under other settings than today's: ROI_ATTRIBUTION__MODEL last_touch → linear, "
        "ROI_REPORTING_CURRENCY CNY → USD; set them back, or count anew under another database "
        "(ROI_CLICKHOUSE_DATABASE)\n"
    )
    goal = start_under(data, ROI_DEFAULT_GOAL_KINDS='["payment"]')
    assert "than today's: ROI_DEFAULT_GOAL_KINDS any → payment; set" in goal.stderr
    with running(data):
        send_touch(data, "t2")
        assert touches(data) == 2
        assert "halted" not in roi(data, "status")
