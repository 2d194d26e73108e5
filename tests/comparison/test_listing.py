from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pipeline.cli import build_app
from pipeline.cli.instants import instant_ms
from pipeline.ledger.ledger import ClickHouseLedger
from pipeline.replay.plan import FROM_FILES, Plan
from pipeline.replay.record import ReplayRecord, State, write_record

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.settings import Settings

SECOND_MS = 1_772_409_600_000  # 2026-03-02T00:00:00Z


@pytest.mark.parametrize(
    ("begin_ms", "end_ms", "begin", "end"),
    [
        (SECOND_MS, None, "2026-03-02T00:00:00Z", None),
        (SECOND_MS + 1, SECOND_MS + 1_500, "2026-03-02T00:00:00.001Z", "2026-03-02T00:00:01.500Z"),
        (None, 253_370_764_800_007, None, "9999-01-01T00:00:00.007Z"),
    ],
)
def test_a_range_is_listed_as_it_can_be_given_again(
    migrated: Settings,
    clickhouse: Any,
    run_name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    begin_ms: int | None,
    end_ms: int | None,
    begin: str | None,
    end: str | None,
) -> None:
    plan = Plan(run_name, FROM_FILES, (), (), {}, begin_ms=begin_ms, end_ms=end_ms)
    # a long cell of another run takes no width from the range
    broken = Plan(f"{run_name}-broken", FROM_FILES, (), (), {})
    for record in (ReplayRecord(plan, State.COMPLETE, 0), ReplayRecord(broken, State.FAILED, 0, cause="why " * 60)):
        write_record(ClickHouseLedger(clickhouse, "roi", record.plan.run, ""), record, is_new=True)
    monkeypatch.chdir(tmp_path)  # no roi.toml of whoever runs the tests
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("ROI_CLICKHOUSE_URL", migrated.clickhouse_url)
    monkeypatch.setenv("ROI_CLICKHOUSE_PASSWORD", migrated.clickhouse_password.get_secret_value())
    listed = CliRunner().invoke(build_app(), ["runs", "list", "--json"])
    assert listed.exit_code == 0, listed.output
    (row,) = [row for row in json.loads(listed.stdout) if row["run"] == run_name]
    assert (row["from_time"], row["to_time"]) == (begin, end)
    for bound_ms, bound in ((begin_ms, begin), (end_ms, end)):
        assert bound is None or instant_ms(bound, "--from", "UTC") == bound_ms
    assert f" {begin or '…'} – {end or '…'} " in CliRunner().invoke(build_app(), ["runs", "list"]).stdout
