from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from os import environ
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.clickhouse.connection import connect
from pipeline.errors import UserError
from pipeline.evaluator.run_rules import RunRules
from pipeline.ledger.ledger import ClickHouseLedger
from pipeline.policies import policy_of
from pipeline.settings import environment_of
from pipeline.state.policy import Policy
from tests.support.endpoint import ROOT

if TYPE_CHECKING:
    from pipeline.settings import Settings

POLICY = Policy(models=("last_touch",), pseudonym_key=b"of the worker alone")
OTHER = replace(POLICY, window_ms=1)


def rules_of(ledger: ClickHouseLedger, run: str, policy: Policy) -> RunRules:
    return RunRules(ledger, run, replace(policy, pseudonym_key=b""), "today's")


def test_an_evaluator_judges_a_run_by_the_settings_it_was_begun_with_only(clickhouse: Any, run_name: str) -> None:
    ledger = ClickHouseLedger(clickhouse, "roi", run_name, "someone")
    rules = rules_of(ledger, run_name, OTHER)
    rules.check()  # nobody has begun it
    ledger.begin(POLICY, "as begun")
    rules_of(ledger, run_name, POLICY).check()
    with pytest.raises(UserError) as refused:
        rules.check()
    with pytest.raises(UserError) as refused_worker:
        ledger.begin(OTHER, "today's")
    assert str(refused.value) == str(refused_worker.value)


def test_a_run_that_was_begun_before_rules_were_recorded_has_them_once_a_worker_goes_on(
    clickhouse: Any, run_name: str
) -> None:
    ledger = ClickHouseLedger(clickhouse, "roi", run_name, "someone")
    ledger.execute(
        "begin_run", fingerprint=POLICY.fingerprint(), settings="as begun", models=["m"], zone="UTC", rules=""
    )
    rules = rules_of(ledger, run_name, OTHER)
    rules.check()
    ledger.begin(POLICY, "as begun")
    with pytest.raises(UserError):
        rules.check()
    (row,) = clickhouse.query(f"SELECT settings, zone FROM roi.runs FINAL WHERE run = '{run_name}'").result_rows
    assert row == ("as begun", "UTC")


@pytest.mark.process
def test_the_evaluator_of_another_window_ends_with_one_line(migrated: Settings) -> None:
    settings = migrated
    client = connect(settings, "writer")
    ClickHouseLedger(client, "roi", "live", "someone").begin(
        replace(policy_of(settings), window_ms=1), "window_days=0.1"
    )
    try:
        environment = environ | environment_of(settings) | {"ROI_ALERTS__METRICS_PORT": "0"}
        command = [sys.executable, "-m", "pipeline", "alerts", "run"]
        ended = subprocess.run(
            command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True, timeout=60
        )
        assert ended.returncode == 1
        assert "Traceback" not in ended.stderr
        last = ended.stderr.strip().splitlines()[-1]
        assert last.startswith("error: run 'live' was begun under other settings than today's: ROI_ATTRIBUTION__WINDOW")
    finally:
        client.command("TRUNCATE TABLE roi.runs")
        client.close()
