from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.oracle.building import Ledger
from tests.oracle.compare import COLUMNS, KEYS, differences
from tests.oracle.config import OracleConfig
from tests.oracle.evaluate import VIEWS, Views, conversions, evaluate

Actual = dict[str, list[dict[str, Any]]]


@pytest.fixture
def views() -> Views:
    ledger = Ledger()
    ledger.campaign("quiet")
    ledger.login("2026-03-01 10:00")
    ledger.login("2026-03-03 10:00", automated=True)
    ledger.touch("t", "2026-03-01 10:00", cost_minor=300, variant="A")
    ledger.pay("x", "2026-03-02 10:00")
    ledger.pay("y", "2026-03-02 10:00", currency="USD")
    return evaluate(ledger.log, OracleConfig(margins_bps={"deposit": 1000}))


@pytest.fixture
def actual(views: Views) -> Actual:
    return deepcopy(dict(views.rows))


def test_equal_views_have_no_differences(views: Views, actual: Actual) -> None:
    assert differences(views, actual) == []


@pytest.mark.parametrize("view", VIEWS)
def test_every_column_of_every_view_is_compared(views: Views, actual: Actual, view: str) -> None:
    row = actual[view][-1]
    assert set(row) - {"run"} == set(KEYS[view]) | set(COLUMNS[view])
    for column in COLUMNS[view]:
        changed = deepcopy(actual)
        changed[view][-1][column] = "other" if isinstance(row[column], str) else (row[column] or 0) + 1
        lines = differences(views, changed)
        assert [line for line in lines if line.startswith(view) and column in line]


@pytest.mark.parametrize("view", VIEWS)
def test_missing_and_repeated_rows_are_told(views: Views, actual: Actual, view: str) -> None:
    assert "more than one row" in differences(views, actual | {view: [*actual[view], actual[view][-1]]})[0]
    assert "the row is missing" in differences(views, actual | {view: actual[view][:-1]}, compare_zero_rows=VIEWS)[0]
    del actual[view]
    assert differences(views, actual) == [f"{view}: the view is missing"]


def test_a_missing_column_is_told(views: Views, actual: Actual) -> None:
    del actual["campaign_totals"][-1]["cost_minor"]
    (line,) = differences(views, actual)
    assert line == "campaign_totals [campaign_id='spring'] cost_minor: expected 300, actual '(no such column)'"


def test_null_zero_and_nan_are_three_things(views: Views, actual: Actual) -> None:
    assert actual["campaign_totals"][0]["return_ratio"] is None
    for wrong in (0.0, float("nan")):
        actual["campaign_totals"][0]["return_ratio"] = wrong
        assert differences(views, actual, compare_zero_rows=["campaign_totals"]) != []


def test_rows_of_zeros_may_be_there_or_not(views: Views, actual: Actual) -> None:
    actual["campaign_totals"] = [row for row in actual["campaign_totals"] if row["campaign_id"] != "quiet"]
    assert differences(views, actual) == []
    assert len(differences(views, actual, compare_zero_rows=["campaign_totals"])) == 1


def test_days_without_logins_must_be_there_over_all_tiers(views: Views, actual: Actual) -> None:
    empty = {"dau": 0, "wau": 0, "mau": 0, "mau_gross": 0, "reactivated": 0, "stickiness": None, "run": "live"}
    surplus = [*actual["active_users"], empty | {"day": "2026-03-04", "tier": ""}]
    assert len(differences(views, actual | {"active_users": surplus})) == 1
    harmless = [*actual["active_users"], empty | {"day": "2026-03-04", "tier": "growth"}]
    assert differences(views, actual | {"active_users": harmless}) == []


def test_rows_of_another_run_are_left_out(views: Views, actual: Actual) -> None:
    actual["campaign_totals"].append(actual["campaign_totals"][-1] | {"run": "what-if", "touches": 9})
    assert differences(views, actual) == []


def test_ratio_may_differ_in_its_tenth_digit_only(views: Views, actual: Actual) -> None:
    row = actual["campaign_totals"][-1]
    row["net_roi"] *= 1 + 1e-10
    assert differences(views, actual) == []
    row["net_roi"] *= 1 + 1e-8
    assert len(differences(views, actual)) == 1


def test_values_as_drivers_give_them_are_read(views: Views, actual: Actual) -> None:
    for row in actual["campaign_totals"]:
        row["conversions"] = conversions(row.pop("conversion_millionths"))
        row["cost_minor"] = str(row["cost_minor"])
    for row in actual["campaign_minutes"]:
        row["minute"] = datetime.fromtimestamp(row["minute"] * 60, UTC).replace(tzinfo=None)
        row["conversions"] = Decimal(row.pop("conversion_millionths")) / 1_000_000
    for row in actual["campaign_cohorts"]:
        row["touch_day"] = date.fromisoformat(row["touch_day"])
    for row in actual["credits"]:
        row["touched_at"] = "2026-03-01 02:00:00.000"
        row["converted_at"] = datetime(2026, 3, 2, 2, tzinfo=UTC)
    assert differences(views, actual) == []
    assert differences(views, json.loads(json.dumps(actual, default=str))) == []
