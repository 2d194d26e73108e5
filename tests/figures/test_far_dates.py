"""Times that no date of ClickHouse's can hold: every view can be read, and they stand under the nearest day."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from pipeline.state.policy import Policy
from tests.figures.comparing import read
from tests.oracle.building import Ledger
from tests.support.core_player import CorePlayer

VIEWS_OF_RUN = """
    SELECT DISTINCT table FROM system.columns WHERE database = 'roi' AND name = 'run'
        AND table IN (SELECT name FROM system.tables WHERE database = 'roi' AND engine = 'View')
"""


@pytest.mark.parametrize("year", ["2107", "2150", "2299"])
def test_every_view_can_be_read_whatever_the_year(clickhouse: Any, run_name: str, year: str) -> None:
    ledger = Ledger()
    ledger.touch("t", f"{year}-03-01 09:00", cost_minor=5)
    ledger.pay("x", f"{year}-03-01 10:00", 100)
    ledger.cost("k", f"{year}-03-01 10:00", 7)
    ledger.login(f"{year}-03-01 10:00")
    policy = Policy(future_ms=None, pseudonym_key=b"oracle", margins_bps={"deposit": 10_000})
    CorePlayer(clickhouse, "roi", run_name, policy, ledger.log).play(Random(1))
    views = {view: read(clickhouse, view, run_name) for (view,) in clickhouse.query(VIEWS_OF_RUN).result_rows}
    totals = {row["campaign_id"]: row for row in views["campaign_totals"]}
    assert (totals["spring"]["cost_minor"], totals["spring"]["return_minor"]) == (12, 100)
    days = {str(row["touch_day"]) for row in views["campaign_cohorts"]}
    assert days == {f"{year}-03-01" if year < "2149" else "2149-06-06"}
    assert {str(row["day"]) for row in views["active_users"]} == days
    assert {str(row["day"]) for row in views["campaign_days"]} == days
