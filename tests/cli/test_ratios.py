"""A ratio below its limit is never printed as if it were at it, whichever command prints it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.cli.alerts_showing import print_alert
from pipeline.cli.demo_table import plain_lines
from pipeline.cli.output import Column
from pipeline.ratios import ratio_decimals
from tests.cli.test_demo_table import PACE, row
from tests.cli.test_forecast import OUTCOME, answer_forecast, campaign_row
from tests.cli.test_status_watch import drawn, looked
from tests.operations.test_definitions import campaign

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result

    from pipeline.settings import Settings
    from tests.cli.conftest import FakeClickHouse

ALERT: dict[str, Any] = {
    "alert_id": "alr_1",
    "campaign_id": "spring",
    "state": "decided",
    "return_ratio": 1.9999,
    "upper_bound": 1.99999,
    "money_at_risk_minor": 5,
    "decision": "continue",
    "owner": None,
    "opened_at": "2026-03-01T00:00:00.000Z",
    "as_of": "2026-03-01T00:00:00.000Z",
    "reason": "",
    "proposed_by": None,
    "record": {"rule": {"min_return_ratio": 2.0}},
    "history": [],
    "notifications": [],
    "after_decision": {
        "decision": "continue",
        "days": 7,
        "days_so_far": 1.0,
        "before": {"return_ratio": 1.99996},
        "after": None,
    },
}


@pytest.mark.parametrize(
    ("ratio", "limit", "written"),
    [
        (1.38, 2.0, "1.380"),
        (1.9994, 2.0, "1.999"),
        (1.9996, 2.0, "1.9996"),
        (1.9999999, 2.0, "1.9999999"),
        (1.9996, None, "2.000"),
        (2.0, 2.0, "2.000"),
        (2.0001, 2.0, "2.000"),
        (1.99963, 1.99964, "1.9996"),
        (1.99964, 1.99964, "1.99964"),
        (1.99966, 1.99964, "2.000"),
    ],
)
def test_a_ratio_reads_as_on_its_side_of_its_limit(ratio: float, limit: float | None, written: str) -> None:
    assert Column("ratio", "Ratio", "ratio", limit="limit").of({"ratio": ratio, "limit": limit}) == written


@pytest.mark.parametrize("ratio", [float("inf"), float("-inf"), float("nan"), 1e300, 1.99999999999])
def test_every_ratio_can_be_written(ratio: float) -> None:
    assert 2 <= ratio_decimals(ratio, 2.0, 2) <= 8


def test_a_demo_and_a_watched_status_tell_it() -> None:
    assert " 1.9999  below 1:2 so far" in plain_lines([row(return_ratio=1.9999)], PACE)
    assert "ratio 1.9999 " in drawn(looked(ratio=1.9999), 120)


def test_campaigns_are_listed_with_it(roi: Callable[..., Result], clickhouse: FakeClickHouse) -> None:
    totals = {"reached": 9, "converters": 5, "cost_minor": 4200, "return_minor": 8400, "updated_at": ""}
    rows = [
        {"campaign_id": name, "definition": json.dumps(campaign(name, **values)), "return_ratio": ratio, **totals}
        for name, ratio, values in (("spring", 1.9999, {}), ("autumn", 2.99999, {"min_return_ratio": 3.0}))
    ]
    clickhouse.answer_rows("campaign_definitions", rows)
    printed = roi("campaigns", "list").stdout
    assert [ratio for ratio in ("1.9999", "2.99999") if ratio not in printed] == []
    assert [row["min_return_ratio"] for row in json.loads(roi("campaigns", "list", "--json").stdout)] == [2.0, 3.0]


def test_alerts_are_listed_and_shown_with_it(
    roi: Callable[..., Result], clickhouse: FakeClickHouse, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    clickhouse.answer_rows("roi.alerts", [ALERT | {"record": json.dumps(ALERT["record"])}])
    listed = roi("alerts", "list").stdout
    assert [ratio for ratio in ("1.9999", "1.99999") if ratio not in listed] == []
    print_alert(ALERT, settings, as_json=False)
    shown = capsys.readouterr().out
    assert "return ratio 1.9999, at most 1.99999, required 2.000" in shown
    assert "ratio 1.99996 in the 7 days before" in shown


def test_a_forecast_tells_it(roi: Callable[..., Result], clickhouse: FakeClickHouse) -> None:
    answer_forecast(clickhouse, campaign_row(OUTCOME, return_ratio=1.99999))
    assert " 1.99999 " in roi("forecast").stdout
