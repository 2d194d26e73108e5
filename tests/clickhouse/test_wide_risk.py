from __future__ import annotations

import json
from typing import Any

import pytest


@pytest.mark.parametrize("risk", [None, 0, 2**63, 2**64, 29 * 10**21])
def test_money_at_risk_reads_as_it_was_written_however_much_it_is(
    clickhouse: Any, run_name: str, risk: int | None
) -> None:
    name = f"{run_name}-{risk}"
    body = json.dumps({"number": 1, "money_at_risk_minor": risk, "reasons": ["x"]})
    clickhouse.insert(
        "roi.alert_log",
        [["alert", name, name, name, "firing", body, 1]],
        column_names=["kind", "id", "alert_id", "campaign_id", "state", "body", "version"],
    )
    for view in ("alerts", "board_alerts", "campaign_alerts"):
        found = f"SELECT money_at_risk_minor FROM roi.{view} WHERE alert_id = '{name}'"
        assert clickhouse.query(found).result_rows == [(risk,)]
