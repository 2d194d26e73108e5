"""Times that DateTime and Date cannot hold: each stands under its own, until dates of ClickHouse end at all."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import count
from random import Random
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.state.policy import Policy
from tests.figures.comparing import read
from tests.oracle.building import Ledger
from tests.oracle.compare import differences
from tests.oracle.config import OracleConfig
from tests.oracle.evaluate import evaluate
from tests.support.core_player import CorePlayer
from tests.support.depth import depth

VIEWS_OF_RUN = """
    SELECT DISTINCT table FROM system.columns WHERE database = 'roi' AND name = 'run'
        AND table IN (SELECT name FROM system.tables WHERE database = 'roi' AND engine = 'View')
"""
_numbers = count(1)
_ZONES: Final = ("Asia/Shanghai", "America/New_York", "Pacific/Kiritimati", "Etc/GMT+12", "UTC")
_BY_TIME: Final = ("campaign_minutes", "campaign_hours", "campaign_days", "campaign_cohorts", "active_users", "credits")
_FIRST_DAY: Final = date(2099, 1, 1)
_LAST_DAY: Final = date(2299, 12, 30)


def _policy(zone: str = "Asia/Shanghai") -> Policy:
    return Policy(future_ms=None, pseudonym_key=b"oracle", margins_bps={"deposit": 10_000}, zone=zone)


def _views_of_a_day(client: Any, run: str, day: str) -> dict[str, list[dict[str, Any]]]:
    """Count a touch, a payment, a cost and a login of one day, and return all views of the run."""
    ledger = Ledger()
    ledger.touch("t", f"{day} 09:00", cost_minor=5)
    ledger.pay("x", f"{day} 10:00", 100)
    ledger.cost("k", f"{day} 11:20", 7)
    ledger.login(f"{day} 10:00")
    CorePlayer(client, "roi", run, _policy(), ledger.log).play(Random(1))
    return {view: read(client, view, run) for (view,) in client.query(VIEWS_OF_RUN).result_rows}


@pytest.mark.parametrize("day", ["2107-03-01", "2149-06-07", "2150-03-01", "2299-03-01", "2299-12-30"])
def test_every_view_shows_what_is_far_away_under_its_own_date(clickhouse: Any, run_name: str, day: str) -> None:
    views = _views_of_a_day(clickhouse, run_name, day)
    (totals,) = views["campaign_totals"]
    assert (totals["cost_minor"], totals["return_minor"]) == (12, 100)
    for view, column in (("campaign_cohorts", "touch_day"), ("active_users", "day"), ("campaign_days", "day")):
        assert {row[column] for row in views[view]} == {day}, view
    minutes = ["01:00", "02:00", "03:20"]  # of the UTC clock
    assert sorted(row["minute"] for row in views["campaign_minutes"]) == [f"{day} {each}:00" for each in minutes]
    assert sorted(row["hour"] for row in views["campaign_hours"]) == [f"{day} 0{each}:00:00" for each in (1, 2, 3)]
    for view in ("transaction_figures", "channel_mix", "customer_figures", "campaign_aum", "board_campaign_aum_costs"):
        starts = {row["period_kind"]: row["period_start"] for row in views[view]}
        quarter = f"{day[:4]}-{(int(day[5:7]) - 1) // 3 * 3 + 1:02}-01"
        assert starts == {"month": f"{day[:8]}01", "quarter": quarter, "year": f"{day[:4]}-01-01"}, view
    assert [row["today"] for row in views["run_clocks"]] == [day]


@pytest.mark.parametrize("year", ["2300", "9998"])
def test_what_is_beyond_every_date_is_a_dead_letter(clickhouse: Any, run_name: str, year: str) -> None:
    views = _views_of_a_day(clickhouse, run_name, f"{year}-03-01")
    letters = views.pop("dead_letters")
    assert [row["reason"] for row in letters] == ["implausible_time"] * 4
    assert {row["detail"] for row in letters} == {
        "occurred_at: before 2299-12-31 expected, the end of ClickHouse's dates"
    }
    assert not any(views[view] for view in (*_BY_TIME, "campaign_totals", "transaction_figures"))


@settings(max_examples=depth(15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    days=st.lists(st.dates(_FIRST_DAY, _LAST_DAY), min_size=1, max_size=4, unique=True),
    minute=st.integers(0, 1439),
    zone=st.sampled_from(_ZONES),
)
def test_views_by_time_equal_the_oracle_however_far_events_are(
    clickhouse: Any, run_name: str, days: list[date], minute: int, zone: str
) -> None:
    ledger, run = Ledger(), f"{run_name}-{next(_numbers)}"
    for number, day in enumerate(sorted(days)):
        instant = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=minute)
        at, later = (f"{each:%Y-%m-%d %H:%M}" for each in (instant, instant + timedelta(minutes=90)))
        if later < "2299-12-31":
            ledger.touch(f"t{number}", at, cost_minor=5 + number)
            ledger.pay(f"x{number}", later, 100)
            ledger.cost(f"k{number}", later, 7)
    CorePlayer(clickhouse, "roi", run, _policy(zone), ledger.log).play(Random(minute), crashes=1)
    found = {view: read(clickhouse, view, run) for view in _BY_TIME}
    config = OracleConfig(run=run, zone=zone, margins_bps={"deposit": 10_000})
    assert differences(evaluate(ledger.log, config), found, views=_BY_TIME, run=run) == []
