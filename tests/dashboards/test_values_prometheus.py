"""Board Operations: what Prometheus makes of series whose sums are known by heart, by its own promtool."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from dashboards.boards.operations import OPERATIONS

PROMETHEUS = [panel for panel in OPERATIONS.panels if panel.source == "prometheus"]
RISES = "0+{}x60"
"""So much every 15 seconds for a quarter of an hour."""
SERIES = {
    'roi_events_total{topic="t",instance="a"}': RISES.format(30),
    'roi_events_total{topic="t",instance="b"}': RISES.format(60),
    'roi_lag_records{topic="t",instance="a"}': "5x60",
    'roi_lag_records{topic="t",instance="b"}': "7x60",
    'roi_dead_letters_total{topic="t",reason="late",instance="a"}': RISES.format(15),
    'roi_dead_letters_total{topic="t",reason="late",instance="b"}': RISES.format(15),
    'roi_dead_letters_total{topic="t",reason="none",instance="a"}': "9x60",
    'roi_ledger_blocks_total{outcome="written",instance="a"}': RISES.format(15),
    'roi_ledger_blocks_total{outcome="written",instance="b"}': RISES.format(30),
    'roi_ledger_rows_total{instance="a"}': RISES.format(150),
    'roi_ledger_rows_total{instance="b"}': RISES.format(150),
    'roi_ledger_bytes_total{instance="a"}': RISES.format(15_000),
    'roi_customers_in_memory{instance="a",shard="0"}': "5x60",
    'roi_customers_in_memory{instance="a",shard="1"}': "7x60",
    'process_resident_memory_bytes{job="worker",instance="a"}': "100x60",
    'process_resident_memory_bytes{job="clickhouse",instance="a"}': "900x60",
    'roi_alerts_turn_age_seconds{instance="a"}': "3x60",
    'roi_alerts_turn_age_seconds{instance="b"}': "900x60",
    'roi_alerts_deciding{instance="a"}': "1x60",
    'roi_alerts_deciding{instance="b"}': "0x60",
    'roi_alert_notifications_total{outcome="sent",instance="a"}': RISES.format(15),
    'roi_alerts_waiting{kind="message",instance="a"}': "3x60",
    'roi_alerts_waiting{kind="message",instance="b"}': "4x60",
} | {
    # half of them within one second, all within two
    f'{family}_bucket{{le="{edge}"}}': RISES.format(count)
    for family in ("roi_freshness_seconds", "roi_ledger_block_seconds", "roi_alert_turn_seconds")
    for edge, count in (("1", 5), ("2", 10), ("+Inf", 10))
}
PLOTTED: dict[str, list[dict[str, float]]] = {
    "operations-throughput": [{'{topic="t"}': 6}],
    "operations-lag": [{'{topic="t"}': 12}],
    "operations-freshness": [{"{}": 1}, {"{}": 1.9}, {"{}": 1.98}],
    "operations-blocks": [{"{}": 1}, {"{}": 1.98}],
    "operations-refusal-rate": [{'{topic="t",reason="late"}': 2}],
    "operations-block-outcomes": [{'{outcome="written"}': 3}],
    "operations-writes": [{"{}": 20}],
    "operations-bytes": [{"{}": 1000}],
    "operations-customers": [{'{instance="a"}': 12}],
    "operations-memory": [{'process_resident_memory_bytes{job="worker",instance="a"}': 100}],
    "operations-turns": [{"{}": 1}, {"{}": 1.98}, {"{}": 3}],
    "operations-notices": [{'{outcome="sent"}': 300}],
    "operations-waiting": [{'{kind="message"}': 7}],
}


@pytest.mark.process
def test_prometheus_counts_what_the_panels_say(tmp_path: Any) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("PROMETHEUS VALUES NOT CHECKED: there is no `promtool` (Debian: apt-get install prometheus)")
    assert PLOTTED.keys() == {panel.id for panel in PROMETHEUS}
    expected = [
        {
            "expr": f"round({expression}, 0.0001)" if not expression.startswith("process") else expression,
            "eval_time": "10m",
            "exp_samples": [{"labels": labels, "value": value} for labels, value in samples.items()],
        }
        for panel in PROMETHEUS
        for expression, samples in zip(panel.sql.splitlines(), PLOTTED[panel.id], strict=True)
    ]
    series = [{"series": name, "values": values} for name, values in SERIES.items()]
    tests = [{"interval": "15s", "input_series": series, "promql_expr_test": expected}]
    path = tmp_path / "values.yml"
    path.write_text(json.dumps({"evaluation_interval": "15s", "tests": tests}))
    checked = subprocess.run(["promtool", "test", "rules", str(path)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
