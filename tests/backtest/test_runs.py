"""Commands over a replayed run: counted and defined as the replay was asked to, whatever is live."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pipeline.cli import build_app
from pipeline.ledger.ledger import ClickHouseLedger
from pipeline.policies import describe_policy
from pipeline.replay.plan import FROM_FILES, Plan
from pipeline.replay.record import ReplayRecord, State, write_record
from pipeline.settings import AttributionSettings
from tests.alerts.facts_support import POLICY, played
from tests.backtest.stories import bank
from tests.oracle.building import moment
from tests.oracle.config import MODELS
from tests.support.given_settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

    from pipeline.settings import Settings

SETTINGS = {
    "ROI_ALERTS__MIN_COST_MINOR": "1000",
    "ROI_ALERTS__MIN_EXPECTED_CONVERTERS": "1",
    "ROI_ALERTS__CONFIDENCE": "0.55",
    "ROI_ALERTS__FALSE_SHARE_LIMIT": "0.9",
}


@pytest.fixture
def roi(migrated: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    for name in ("clickhouse_url", "clickhouse_database", "clickhouse_user", "clickhouse_writer_user"):
        monkeypatch.setenv(f"ROI_{name.upper()}", str(getattr(migrated, name)))
    monkeypatch.setenv("ROI_CLICKHOUSE_PASSWORD", migrated.clickhouse_password.get_secret_value())
    monkeypatch.setenv("ROI_CLICKHOUSE_WRITER_PASSWORD", migrated.clickhouse_writer_password.get_secret_value())
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: CliRunner().invoke(build_app(), list(arguments), prog_name="roi")


@pytest.fixture
def replayed(clickhouse: Any, run_name: str) -> str:
    """Return the name of a run with a bank's events, definitions and record."""
    ledger = bank(3, campaigns=4)
    begun = describe_policy(settings(attribution=AttributionSettings(models=MODELS)))
    ClickHouseLedger(clickhouse, "roi", run_name, "").begin(POLICY, begun)
    played(clickhouse, run_name, ledger.log, 3)
    port = ClickHouseLedger(clickhouse, "roi", run_name, "")
    texts = {
        (record.key or b"").decode(): (record.value or b"").decode()
        for record in ledger.records
        if record.topic.endswith("campaigns.v1")
    }
    port.execute("write_run_campaigns", campaigns=list(texts), definitions=list(texts.values()))
    overrides = {"attribution.models": list(MODELS)}
    plan = Plan(run_name, FROM_FILES, (), (), {}, overrides=overrides)
    write_record(port, ReplayRecord(plan, State.COMPLETE, 0), is_new=True)
    return run_name


def test_a_replay_is_backtested_and_its_alerts_stand_as_its_clock_says(
    roi: Callable[..., Result], replayed: str
) -> None:
    told = roi("backtest", "--run", replayed, "--json", "--workers", "1")
    assert told.exit_code == 0, told.stderr
    found = json.loads(told.stdout)
    assert found["source"] == f"run {replayed}"
    default = {one["campaign_id"]: one for one in found["rules"][1]["campaigns"]}
    assert set(default) >= {"c0", "c1", "c2", "c3"}
    listed = roi("alerts", "list", "--run", replayed, "--json")
    assert "its own clock; nobody is told" in listed.stderr
    alerts = {row["campaign_id"]: row for row in json.loads(listed.stdout)}
    assert {name: one["state"] for name, one in alerts.items() if one["state"] in {"firing", "resolved"}} == {
        name: "resolved" if one["episodes"][-1]["resolved_at"] else "firing"
        for name, one in default.items()
        if one["episodes"]
    }
    assert alerts["c2"]["reason"].startswith("stays below 1:2")
    assert alerts["c2"]["return_ratio"] == default["c2"]["ratio_so_far"]
    (only,) = json.loads(roi("alerts", "list", "--run", replayed, "--campaign", "c2", "--json").stdout)
    assert only["alert_id"] == alerts["c2"]["alert_id"]


def test_a_backtest_that_is_kept_stands_in_the_views_and_replaces_the_one_before(
    roi: Callable[..., Result], replayed: str, clickhouse: Any, tmp_path: Path
) -> None:
    rule = tmp_path / "strict.toml"
    rule.write_text("min_return_ratio = 3.0")
    common = ("backtest", "--run", replayed, "--json", "--workers", "1", "--keep", replayed, "--every", "12h")
    assert len(json.loads(roi(*common, "--rule", str(rule)).stdout)["rules"]) == 3
    found = {rule["name"]: rule for rule in json.loads(roi(*common).stdout)["rules"]}
    asked = {"name": replayed}
    rules = clickhouse.query("SELECT * FROM roi.backtest_rules WHERE name = {name:String} ORDER BY place", asked)
    kept = {row["rule"]: row for row in rules.named_results()}
    assert list(kept) == ["plain", "default"], "the third was not compared any more"
    for name, row in kept.items():
        money = found[name]["money"]
        assert {key: row[key] for key in money} == money
    campaigns = clickhouse.query("SELECT * FROM roi.backtest_campaigns WHERE name = {name:String}", asked)
    shown = {(row["rule"], row["campaign_id"]): row for row in campaigns.named_results()}
    for name, rule_found in found.items():
        for one in rule_found["campaigns"]:
            row = shown.pop((name, one["campaign_id"]))
            for key in ("settled_ratio", "fired_right", "hours_to_fire", "cost_after_firing_minor", "product"):
                assert row[key] == one[key]
            assert (row["fired_at"] is None) == (one["fired_at"] is None)
            assert row["reason"] == "; ".join(one["reasons"])
    assert not shown


def test_an_unknown_run_is_named_with_those_there_are(roi: Callable[..., Result], replayed: str) -> None:
    for words in (("backtest", "--run", "nothing"), ("alerts", "list", "--run", "nothing")):
        result = roi(*words)
        assert result.exit_code == 1
        assert "there is no run 'nothing'" in result.stderr
        assert replayed in result.stderr


def test_a_run_of_a_range_is_known_to_the_ranges_end_only(
    roi: Callable[..., Result], replayed: str, clickhouse: Any
) -> None:
    port = ClickHouseLedger(clickhouse, "roi", replayed, "")
    end = moment("2026-03-09 12:00")
    plan = Plan(replayed, FROM_FILES, (), (), {}, overrides={"attribution.models": list(MODELS)}, end_ms=end)
    write_record(port, ReplayRecord(plan, State.COMPLETE, 0))
    found = json.loads(roi("backtest", "--run", replayed, "--json", "--workers", "1", "--every", "12h").stdout)
    assert found["source"] == f"run {replayed}, events before 2026-03-09T04:00:00.000Z"
    assert found["known_until"] == "2026-03-09T03:59:00.000Z"
    beyond = roi("backtest", "--run", replayed, "--from", "2026-03-10")
    assert beyond.exit_code == 1
    assert "the range is outside of the data; what is known reaches from 2026-03-02" in beyond.stderr
    assert "to 2026-03-09T03:59" in beyond.stderr


def test_a_run_is_looked_at_as_it_was_begun_whatever_the_shell_is_set_to(
    roi: Callable[..., Result], replayed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("backtest", "--run", replayed, "--json", "--workers", "1", "--every", "12h")
    expected = roi(*words)
    monkeypatch.setenv("ROI_TIME__LATENESS_DAYS", "9")
    monkeypatch.setenv("ROI_ATTRIBUTION__WINDOW_DAYS", "3")
    monkeypatch.setenv("ROI_ATTRIBUTION__MARGINS_BPS", '{"payment": 1}')
    found = roi(*words)
    assert found.exit_code == expected.exit_code == 0, found.stderr
    assert json.loads(found.stdout) == json.loads(expected.stdout)


def test_days_are_those_of_the_run_whatever_the_zone_of_the_shell(
    roi: Callable[..., Result], replayed: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tried = ("backtest", "--run", replayed, "--json", "--workers", "1", "--every", "12h", "--from", "2026-03-05")
    page = tmp_path / "c2.html"
    reported = ("report", "c2", "--run", replayed, "--html", str(page), "--from", "2026-03-05")
    expected = json.loads(roi(*tried).stdout)
    for name, value in (("TIME__ZONE", "Pacific/Apia"), ("REPORTING_CURRENCY", "USD")):
        monkeypatch.setenv(f"ROI_{name}", value)
    assert json.loads(roi(*tried).stdout) == expected
    told = roi(*reported)
    assert told.exit_code == 0, told.stderr
    text = page.read_text()
    assert "2026-03-05 00:00 (Asia/Shanghai)" in text
    assert " CNY" in text
    assert "Apia" not in text
    assert "USD" not in text
