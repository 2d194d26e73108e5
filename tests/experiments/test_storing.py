"""Analyses that are repeated every hour: what is stored stays as large as the days of experiments are many."""

from __future__ import annotations

import time
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.clickhouse import sql
from pipeline.experiments import storing
from pipeline.experiments.analysis import Design, analyse
from pipeline.experiments.asking import Asked
from pipeline.experiments.reading import Question, read_experiment
from pipeline.experiments.rows import day_rows, result_rows
from pipeline.experiments.storing import store
from pipeline.ledger.ledger import ClickHouseLedger
from pipeline.state.campaign_registry import default_rules
from tests.experiments.bank import COUNTING, experiment, play

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.experiments.rows import Row

WINDOW_MS = 3 * 86_400_000
Analysed = tuple[list["Row"], list["Row"]]


@pytest.fixture
def analysed(clickhouse: Any, run_name: str) -> Analysed:
    """Return the rows of an experiment's analysis."""
    play(clickhouse, run_name, experiment({"control": 0.1, "A": 0.3}, customers=300))
    facts = read_experiment(
        ClickHouseLedger(clickhouse, "roi", run_name, ""),
        run_name,
        Question("spring", default_rules(COUNTING), WINDOW_MS),
    )
    analysis = analyse(facts, Design("control", metrics=("converted", "return")))
    return result_rows(run_name, "spring", analysis), list(day_rows(run_name, "spring", analysis))


def parts_of(client: Any, run: str) -> dict[str, int]:
    """Return how many rows were ever written and not merged away, by kind."""
    query = "SELECT kind, count() FROM roi.ab_log WHERE run = {run:String} GROUP BY kind"
    return dict(client.query(query, {"run": run}).result_rows)


def shown(client: Any, run: str) -> list[tuple[Any, ...]]:
    query = "SELECT metric, variant, toString(day), n, mean FROM roi.ab_history WHERE run = {run:String} ORDER BY ALL"
    return list(client.query(query, {"run": run}).result_rows)


def expected(days: Sequence[Row]) -> list[tuple[Any, ...]]:
    return sorted((row["metric"], row["variant"], row["day"], row["n"], row["mean"]) for row in days)


def test_an_analysis_that_finds_the_same_days_writes_none_of_them(
    clickhouse: Any, run_name: str, analysed: Analysed
) -> None:
    results, days = analysed
    for _ in range(3):
        store(clickhouse, "roi", Asked("spring", run_name), results, days)
    assert shown(clickhouse, run_name) == expected(days)
    assert parts_of(clickhouse, run_name)["day"] == len(days)
    clickhouse.command("OPTIMIZE TABLE roi.ab_log FINAL")
    assert parts_of(clickhouse, run_name) == {"day": len(days), "result": len(results)}


def test_days_that_change_and_new_ones_are_written_alone(clickhouse: Any, run_name: str, analysed: Analysed) -> None:
    results, days = analysed
    store(clickhouse, "roi", Asked("spring", run_name), results, days)
    later = [row | {"n": row["n"] + 1} if place == 3 else row for place, row in enumerate(days)]
    tomorrow = (date.fromisoformat(max(row["day"] for row in days)) + timedelta(days=1)).isoformat()
    later += [row | {"day": tomorrow} for row in days[-2:]]
    store(clickhouse, "roi", Asked("spring", run_name), results, later)
    assert shown(clickhouse, run_name) == expected(later)
    assert parts_of(clickhouse, run_name)["day"] == len(days) + 3


def test_days_that_are_none_any_more_are_gone(clickhouse: Any, run_name: str, analysed: Analysed) -> None:
    results, days = analysed
    store(clickhouse, "roi", Asked("spring", run_name), results, days)
    first = min(row["day"] for row in days)
    fewer = [row for row in days if row["day"] != first or row["metric"] == "return"]
    store(clickhouse, "roi", Asked("spring", run_name), results, fewer)
    assert shown(clickhouse, run_name) == expected(fewer)
    only = [row for row in results if row["metric"] == "return"], [row for row in days if row["metric"] == "return"]
    store(clickhouse, "roi", Asked("spring", run_name), *only)
    assert shown(clickhouse, run_name) == expected(fewer), "another metric was not asked about"


def test_two_at_once_leave_the_days_of_one_of_them(
    clickhouse: Any, run_name: str, analysed: Analysed, monkeypatch: pytest.MonkeyPatch
) -> None:
    results, days = analysed
    asked = Asked("spring", run_name)
    store(clickhouse, "roi", asked, results, days)
    other = [row | {"n": row["n"] + 1000} for row in days]

    def known_days(*arguments: Any) -> Any:
        """Read what is stored; before this analysis is written, another is."""
        found = known(*arguments)
        monkeypatch.setattr(storing, "_known_days", known)
        store(clickhouse, "roi", asked, results, other[2:])
        return found

    known = storing._known_days
    monkeypatch.setattr(storing, "_known_days", known_days)
    store(clickhouse, "roi", asked, results, days)
    assert shown(clickhouse, run_name) == expected(days)


def test_one_that_is_stored_late_leaves_the_days_of_one_of_them(
    clickhouse: Any, run_name: str, analysed: Analysed, monkeypatch: pytest.MonkeyPatch
) -> None:
    results, days = analysed
    asked = Asked("spring", run_name)
    store(clickhouse, "roi", asked, results, days)
    ours = [days[0] | {"n": days[0]["n"] + 5}, *days[1:]]
    others = [days[0], days[1] | {"n": days[1]["n"] + 1_000}, *days[2:]]
    clock = time.time_ns

    def slow_clock() -> int:
        """Take the time; before what is written at it arrives, another analysis begins and ends."""
        taken = clock()
        monkeypatch.setattr(time, "time_ns", clock)
        store(clickhouse, "roi", asked, results, others)
        return taken

    monkeypatch.setattr(time, "time_ns", slow_clock)
    store(clickhouse, "roi", asked, results, ours)
    assert shown(clickhouse, run_name) in (expected(ours), expected(others))


def test_an_analysis_of_an_older_version_is_followed_by_one_of_this(
    clickhouse: Any, run_name: str, analysed: Analysed
) -> None:
    results, days = analysed
    store(clickhouse, "roi", Asked("spring", run_name), results, days)
    older = "ALTER TABLE roi.ab_log UPDATE days_from = version, content = 0 WHERE run = {run:String}"
    clickhouse.command(older, {"run": run_name}, settings={"mutations_sync": 1})
    assert shown(clickhouse, run_name) == expected(days)
    store(clickhouse, "roi", Asked("spring", run_name), results, days)
    assert shown(clickhouse, run_name) == expected(days)
    assert "days_from" in sql.query("write_ab", "roi")
