from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.forecast.lag_curve import last_mature_day
from pipeline.forecast.maturity import forecast
from tests.forecast.simulated import WINDOW_DAYS, Outcome, Scenario, simulate

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result

    from tests.cli.conftest import FakeClickHouse

OUTCOME = simulate(Random(3), Scenario(14, 12, 1.5, 1.0, 14))
EXPECTED = forecast(OUTCOME.cells, as_of=OUTCOME.as_of, window_days=WINDOW_DAYS, converters=OUTCOME.converters)


def campaign_row(outcome: Outcome, **values: Any) -> dict[str, Any]:
    return {
        "campaign_id": "spring",
        "definition": json.dumps({"attribution_window_days": WINDOW_DAYS}),
        "converters": outcome.converters.count,
        "converted_return_minor": outcome.converters.return_minor,
        "squared_return": outcome.converters.squared_return,
        "cost_minor": 14_000,
        "return_minor": outcome.converters.return_minor,
        "return_ratio": 1.5,
        "counted_by": "",
    } | values


def answer_forecast(clickhouse: FakeClickHouse, campaign: dict[str, Any]) -> None:
    clickhouse.answer_rows("campaign_converters", [campaign])
    clickhouse.answer_rows(
        "campaign_cohorts",
        [
            {
                "campaign_id": "spring",
                "touch_day": cell.touch_day.isoformat(),
                "lag_day": cell.lag_day,
                "conversions": cell.conversions,
                "return_minor": cell.return_minor,
                "cost_minor": cell.cost_minor,
            }
            for cell in OUTCOME.cells
        ],
    )
    clickhouse.answer_rows("run_days", [{"as_of": OUTCOME.as_of.isoformat()}])


@pytest.fixture
def ledger(clickhouse: FakeClickHouse) -> FakeClickHouse:
    answer_forecast(clickhouse, campaign_row(OUTCOME))
    return clickhouse


def test_json_is_the_pure_forecast(roi: Callable[..., Result], ledger: FakeClickHouse) -> None:
    result = roi("forecast", "spring", "--json")
    assert result.exit_code == 0, result.stderr
    (shown,) = json.loads(result.stdout)
    assert EXPECTED.ratio is not None
    assert shown["forecast"]["immature"] is None
    assert shown["forecast"]["ratio"] == pytest.approx(
        {"low": EXPECTED.ratio.low, "value": EXPECTED.ratio.value, "high": EXPECTED.ratio.high}
    )
    assert shown["forecast"]["as_of"] == OUTCOME.as_of.isoformat()
    assert [step["lag_day"] for step in shown["forecast"]["return_curve"]] == list(range(WINDOW_DAYS))


def test_one_campaign_shows_curve_and_band(roi: Callable[..., Result], ledger: FakeClickHouse) -> None:
    lines = roi("forecast", "spring").stdout.splitlines()
    assert EXPECTED.ratio is not None
    assert f"forecast ratio {EXPECTED.ratio.value:.3f} (90 %: {EXPECTED.ratio.low:.3f} to" in lines[-1]
    assert f"{EXPECTED.matured_share:.0%} of the final return is in" in lines[-1]
    assert sum(line.strip().endswith("%") for line in lines) == WINDOW_DAYS
    assert "100.0%" in "".join(lines)


def test_all_campaigns_are_one_row_each(roi: Callable[..., Result], ledger: FakeClickHouse) -> None:
    ledger.answer_rows(
        "campaign_converters",
        [
            campaign_row(OUTCOME),
            campaign_row(OUTCOME, campaign_id="new", converters=0, converted_return_minor=0, squared_return=0),
        ],
    )
    result = roi("forecast")
    assert "immature: the oldest touch day has lived through 0 of the window's 7 lag days" in result.stdout
    assert f"{EXPECTED.matured_share:.0%}" in result.stdout


def test_a_forecast_below_what_came_in_says_which_days_it_leaves_out(
    roi: Callable[..., Result], ledger: FakeClickHouse
) -> None:
    last = last_mature_day(OUTCOME.as_of)
    newest = {"campaign_id": "spring", "lag_day": 0, "conversions": 9.0}
    # the day before is mature, the days after are not
    days = [(last, 0, 0), (last + timedelta(days=1), 50_000, 9_999_900), (OUTCOME.as_of, 10_001, 123_456)]
    ledger.answer_rows(
        "campaign_cohorts",
        [
            *({"campaign_id": "spring"} | asdict(cell) | {"touch_day": str(cell.touch_day)} for cell in OUTCOME.cells),
            *(newest | {"touch_day": str(day), "cost_minor": cost, "return_minor": back} for day, cost, back in days),
        ],
    )
    mature = [cell for cell in OUTCOME.cells if cell.touch_day <= last]
    young = [cell for cell in OUTCOME.cells if cell.touch_day > last]
    lines = roi("forecast").stdout.splitlines()
    ratio = sum(cell.return_minor for cell in mature) / sum(cell.cost_minor for cell in mature)
    assert next(line for line in lines if "spring" in line).split()[1:3] == ["1.500", f"{ratio:.3f}"]
    assert lines[-3].endswith(f"Mature is touch days up to {last}.")
    cost = (60_001 + sum(cell.cost_minor for cell in young)) / 100
    back = (10_123_356 + sum(cell.return_minor for cell in young)) / 100
    left_out = f"cost {cost:,.2f}, return {back:,.2f}"
    assert lines[-1] == f"too young, so not in the forecast of spring: {left_out}"
    assert max(map(len, lines)) <= 80
    assert f"the newest touch days, too young to count: {left_out}" in roi("forecast", "spring").stdout


def test_campaigns_without_a_forecast_leave_nothing_out(roi: Callable[..., Result], ledger: FakeClickHouse) -> None:
    ledger.answer_rows("campaign_converters", [campaign_row(OUTCOME, converters=0)])
    assert "too young" not in roi("forecast").stdout


def test_many_campaigns_name_the_costliest_ten(roi: Callable[..., Result], ledger: FakeClickHouse) -> None:
    names = [f"c{number}" for number in range(12)]
    young = {"lag_day": 0, "conversions": 0.0, "return_minor": 0, "cost_minor": 7, "touch_day": str(OUTCOME.as_of)}
    cells = [asdict(cell) | {"touch_day": str(cell.touch_day)} for cell in OUTCOME.cells]
    ledger.answer_rows("campaign_converters", [campaign_row(OUTCOME, campaign_id=name) for name in names])
    ledger.answer_rows("campaign_cohorts", [cell | {"campaign_id": name} for name in names for cell in [*cells, young]])
    lines = roi("forecast").stdout.splitlines()
    assert [line.partition(" forecast of ")[2].partition(":")[0] for line in lines[-11:-1]] == names[:10]
    assert lines[-1] == "… and of 2 others: --json"


def test_campaign_without_definition_has_the_settings_window(
    roi: Callable[..., Result], ledger: FakeClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROI_ATTRIBUTION__WINDOW_DAYS", "3")
    ledger.answer_rows("campaign_converters", [campaign_row(OUTCOME, definition="")])
    (shown,) = json.loads(roi("forecast", "spring", "--json").stdout)
    assert shown["window_days"] == 3
    assert len(shown["forecast"]["return_curve"]) == 3


def test_a_window_is_the_one_that_the_run_was_begun_with(
    roi: Callable[..., Result], ledger: FakeClickHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROI_ATTRIBUTION__WINDOW_DAYS", "3")
    begun = "models=last_touch half_life_days=7.0 window_days=5.0 margins_bps={} zone=UTC"
    ledger.answer_rows("campaign_converters", [campaign_row(OUTCOME, definition="", counted_by=begun)])
    (shown,) = json.loads(roi("forecast", "spring", "--json").stdout)
    assert shown["window_days"] == 5


def test_run_without_a_transaction_is_immature(roi: Callable[..., Result], ledger: FakeClickHouse) -> None:
    ledger.answer_rows("run_days", [])
    (shown,) = json.loads(roi("forecast", "spring", "--json").stdout)
    assert "0 of the window's 7 lag days" in shown["forecast"]["immature"]


def test_absent_campaign_is_one_line(roi: Callable[..., Result], ledger: FakeClickHouse) -> None:
    ledger.answer_rows("campaign_converters", [])
    ledger.answer_rows("run_states", [{"run": "live"}, {"run": "r-1"}])
    result = roi("forecast", "nobody", "--run", "r-1")
    assert result.exit_code == 1
    assert result.stderr == ("error: campaign 'nobody' has no event in run 'r-1'; roi forecast lists those that have\n")
