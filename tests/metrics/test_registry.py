from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry
from rich.console import Group
from rich.table import Table

from pipeline.alerts.telemetry import AlertTelemetry
from pipeline.cli.demo_table import Pace, live_table
from pipeline.clickhouse import sql
from pipeline.metrics.dimensions import DIMENSIONS
from pipeline.metrics.operational_metrics import ALERT_PROMETHEUS_METRICS, PROMETHEUS_METRICS
from pipeline.metrics.registry import METRICS, defined_columns, headings, metric, undefined
from pipeline.transport.metrics import TransportMetrics
from pipeline.worker.telemetry import Telemetry
from tools import metric_docs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.metrics.definitions import MetricDefinition

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = ROOT.parent / "shared" / "contract.md"
# views of the contract that later stages bring; the test below fails when one of them appears and is still listed
STILL_TO_COME: set[str] = set()


@pytest.fixture(scope="session")
def views(clickhouse: Any) -> dict[str, list[str]]:
    # board_uncounted_… is a half of what board_… shows (0036_either_figures.sql)
    names = clickhouse.query(
        "SELECT name FROM system.tables "
        "WHERE database = 'roi' AND engine = 'View' AND NOT startsWith(name, 'board_uncounted_')"
    ).result_rows
    return {name: [row[0] for row in clickhouse.query(f"DESCRIBE roi.{name}").result_rows] for (name,) in names}


def test_every_column_of_every_view_has_a_definition(views: dict[str, list[str]]) -> None:
    shown = [f"{view}.{column}" for view, names in views.items() for column in names]
    assert undefined(shown) == [], "these columns are shown to users and docs/metrics.md does not say what they are"


def test_every_definition_stands_where_it_says(views: dict[str, list[str]]) -> None:
    shown = {f"{view}.{column}" for view, names in views.items() for column in names}
    assert defined_columns() - shown == set(), "docs/metrics.md points to columns that no view has"


def test_every_dimension_is_in_use(views: dict[str, list[str]]) -> None:
    used = {column for names in views.values() for column in names}
    assert {dimension.name for dimension in DIMENSIONS} - used == set()


def test_undefined_column_is_told() -> None:
    shown = ["campaign_totals.touches", "campaign_totals.run", "campaign_totals.mystery", "other.touches"]
    assert undefined(shown) == ["campaign_totals.mystery", "other.touches"]


def test_names_and_columns_are_defined_once() -> None:
    assert [name for name, count in Counter(found.name for found in METRICS).items() if count > 1] == []
    columns = Counter(column for found in METRICS for column in found.columns)
    assert [column for column, count in columns.items() if count > 1] == []
    assert not {found.name for found in METRICS} & {dimension.name for dimension in DIMENSIONS}


@pytest.mark.parametrize("found", METRICS, ids=lambda found: found.name)
def test_definition_is_complete(found: MetricDefinition) -> None:
    assert all((found.name, found.label, found.formula, found.unit, found.source))
    if found.source.endswith(".sql"):
        text = (sql.MIGRATIONS / found.source).read_text()
        assert not found.columns or any(column.partition(".")[0] in text for column in found.columns)
    if found.source.endswith(".py"):
        assert (ROOT / found.source).exists()
    if found.name.endswith("_minor"):
        assert found.unit.startswith("minor units")


def test_docs_are_what_the_registry_says() -> None:
    assert metric_docs.PATH.read_text() == metric_docs.render(), "run: python -m tools.metric_docs"


def test_check_mode_fails_on_drift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drifted = tmp_path / "metrics.md"
    monkeypatch.setattr(metric_docs, "PATH", drifted)
    monkeypatch.setattr(sys, "argv", ["metric_docs", "--check"])
    assert metric_docs.main() == 1
    drifted.write_text(metric_docs.render())
    assert metric_docs.main() == 0
    drifted.write_text(metric_docs.render().replace("converters / reached", "converters / touches"))
    assert metric_docs.main() == 1


@pytest.mark.process
def test_docs_command_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "tools.metric_docs", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0


def test_prometheus_metrics_are_the_registrys() -> None:
    telemetry, collectors = Telemetry(), CollectorRegistry()
    TransportMetrics(collectors)
    exported = {family.name: family.documentation for family in (*telemetry.registry.collect(), *collectors.collect())}
    assert exported == {found.name: found.formula for found in PROMETHEUS_METRICS}


def test_prometheus_metrics_of_alerts_are_the_registrys_and_all_series_are_there_from_the_start() -> None:
    families = list(AlertTelemetry().registry.collect())
    assert {one.name: one.documentation for one in families} == {
        one.name: one.formula for one in ALERT_PROMETHEUS_METRICS
    }
    assert all(family.samples for family in families)


def test_boards_call_metrics_by_their_labels() -> None:
    pace = Pace(events=0, events_per_second=None, lag=None, freshness_seconds=None)
    group = live_table([], pace, "", 20)
    assert isinstance(group, Group)
    table = group.renderables[0]
    assert isinstance(table, Table)
    scale = "0       1:2       4"  # the bar's own scale, and the word that judges the row
    shown = {str(column.header) for column in table.columns} - {scale, "State"}
    assert shown <= headings()
    assert shown >= {metric("reached").label, metric("return_ratio").short}


def contract_table(lines: Iterable[str]) -> dict[str, set[str]]:
    """Return the columns that section 5 promises, by view."""
    promised: dict[str, set[str]] = {}
    last: set[str] = set()
    for line in lines:
        found = re.fullmatch(r"\| `(\w+)` \| (.*) \| (.*) \|", line)
        if found is None:
            continue
        view, key, columns = found.groups()
        words = {"the same": last, "the": last}.get(columns.partition(";")[0].strip())
        last = (
            set(re.findall(r"\b[a-z][a-z0-9_]*\b", re.sub(r"\(.*?and (.*?) at .*?\)", r"\1", columns)))
            if (words is None)
            else words
        )
        keys = re.sub(r"\(.*?\)", "", key)
        promised[view] = set(last) | {name.strip() for name in keys.split(",")}
    return promised


def test_views_keep_the_contract(views: dict[str, list[str]]) -> None:
    if not CONTRACT.exists():
        pytest.skip("the contract is not beside this checkout: ITS TABLE OF VIEWS WAS NOT COMPARED")
    promised = contract_table(CONTRACT.read_text().partition("\n## 5.")[2].partition("\n## 6.")[0].splitlines())
    assert len(promised) >= 10
    missing = defaultdict(set)
    for view, columns in promised.items():
        if view in views:
            missing[view] = columns - set(views[view])
    assert {view: names for view, names in missing.items() if names} == {}
    assert promised.keys() - views.keys() == STILL_TO_COME
    assert promised["campaign_variant_totals"] >= {"variant", "net_roi"}
    assert promised["campaign_cohorts"] >= {"touch_day", "lag_day", "cost_minor", "reached"}
