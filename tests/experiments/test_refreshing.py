"""The evaluator keeps analyses up to date: what is due when, and that it is stored as it had been asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.evaluator.experiments import Keeping
from pipeline.experiments.asking import Asked, analysis_of
from pipeline.experiments.facts import METRICS
from pipeline.experiments.refreshing import FINISHED_TIMES, Due, due
from pipeline.ledger.ledger import LedgerUnavailableError
from tests.experiments.bank import experiment, play

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result

    from pipeline.experiments.analysis import Analysis
    from pipeline.settings import Settings

HOUR = 3_600_000
ASKED = '{"control": null, "horizon_days": null}'


def row(campaign: str, metric: str = "", as_of: int = 0, *, asked: str = ASKED, finished: bool = False) -> list[Any]:
    return [campaign, metric, asked, "control", 7.0, as_of, finished, 100 * HOUR]


def test_what_is_planned_is_analysed_first_and_then_as_event_time_goes_on() -> None:
    rows = [row("new"), row("known"), row("known", "return", 99 * HOUR), row("fresh", "return", 99 * HOUR + 1)]
    assert due(rows, {}, HOUR) == [Due(Asked("new"), 0), Due(Asked("known", metrics=("return",)), 99 * HOUR)]
    assert due([], {}, HOUR) == []


def test_of_what_was_never_analysed_that_of_ended_campaigns_comes_first() -> None:
    rows = [row("a"), row("z", finished=True), row("b", finished=True), row("old", "aum", HOUR)]
    assert [one.asked.campaign_id for one in due(rows, {}, HOUR)] == ["b", "z", "a", "old"]


def test_what_could_not_be_analysed_is_tried_again_later() -> None:
    assert due([row("new")], {"new": 99 * HOUR + 1}, HOUR) == []
    assert [one.asked.campaign_id for one in due([row("new")], {"new": 99 * HOUR}, HOUR)] == ["new"]


def test_what_is_over_is_analysed_more_seldom() -> None:
    after = 100 - FINISHED_TIMES
    assert due([row("over", "aum", after * HOUR + 1, finished=True)], {}, HOUR) == []
    assert len(due([row("over", "aum", after * HOUR, finished=True)], {}, HOUR)) == 1


def test_each_question_is_repeated_as_it_was_asked() -> None:
    other = json.dumps({"control": "A", "horizon_days": 3})
    rows = [row("one", "aum"), row("one", "return"), row("one", "converted", asked=other), row("old", "aum", asked="")]
    assert [one.asked for one in due(rows, {}, HOUR)] == [
        Asked("old", metrics=("aum",), control="control", horizon_days=7.0),
        Asked("one", metrics=("return", "aum")),
        Asked("one", metrics=("converted",), control="A", horizon_days=3),
    ]


def stored(client: Any, run: str) -> list[tuple[Any, ...]]:
    query = "SELECT metric, variant, is_control, window_days FROM roi.ab_results WHERE run = {run:String} ORDER BY ALL"
    return list(client.query(query, {"run": run}).result_rows)


def test_the_evaluator_repeats_what_was_asked(
    clickhouse: Any, migrated: Settings, run_name: str, roi: Callable[..., Result]
) -> None:
    play(clickhouse, run_name, experiment({"control": 0.05, "A": 0.3}, customers=300))
    keeping = Keeping(migrated, run_name)
    assert keeping.turn() is None, "nobody has planned or asked anything"
    arguments = ("--metric", "converted", "--control", "A", "--horizon-days", "3")
    assert roi("ab", "spring", "--run", run_name, *arguments).exit_code == 0
    assert roi("ab", "spring", "--run", run_name, "--metric", "return").exit_code == 0
    before = stored(clickhouse, run_name)
    assert keeping.turn() is None, "no event has come since"
    older = "ALTER TABLE roi.ab_log UPDATE as_of = as_of - INTERVAL 2 HOUR WHERE run = {run:String}"
    clickhouse.command(older, {"run": run_name}, settings={"mutations_sync": 1})
    assert [keeping.turn(), keeping.turn(), keeping.turn()] == ["spring", "spring", None]
    assert stored(clickhouse, run_name) == before
    assert {(metric, days) for metric, *_, days in before} == {("converted", 3.0), ("return", 7.0)}


def plan(clickhouse: Any, run: str, campaign: str, ends_at: str | None) -> None:
    body: dict[str, Any] = {"campaign_id": campaign, "name": campaign, "starts_at": "2026-03-01T00:00:00Z"}
    body |= {"ends_at": ends_at, "goal": {"kinds": ["deposit"]}, "variant_shares": {"control": 1, "A": 1}}
    row_of = {"run": run, "campaign_id": campaign, "definition": json.dumps(body), "version": 1}
    clickhouse.command("INSERT INTO roi.run_campaigns FORMAT JSONEachRow", data=json.dumps(row_of))


def test_an_experiment_that_cannot_be_analysed_yet_keeps_no_other_waiting(
    clickhouse: Any, migrated: Settings, run_name: str
) -> None:
    play(clickhouse, run_name, experiment({"control": 0.05, "A": 0.3}, customers=300))
    plan(clickhouse, run_name, "a-plan", None)
    plan(clickhouse, run_name, "spring", "2099-01-01T00:00:00Z")
    plan(clickhouse, run_name, "z-over", "2026-03-02t00:00:00z")
    keeping = Keeping(migrated, run_name)
    assert [keeping.turn() for _ in range(4)] == ["z-over", "a-plan", "spring", None]
    assert {metric for metric, *_ in stored(clickhouse, run_name)} == set(METRICS)


@pytest.mark.parametrize("fault", [LedgerUnavailableError("memory limit exceeded"), ValueError("a bug")])
def test_an_experiment_that_clickhouse_gives_up_or_a_bug_stops_keeps_no_other_waiting(
    clickhouse: Any, migrated: Settings, run_name: str, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    play(clickhouse, run_name, experiment({"control": 0.05, "A": 0.3}, customers=300))
    plan(clickhouse, run_name, "a-whale", None)
    plan(clickhouse, run_name, "spring", None)

    def failing(port: Any, settings: Settings, asked: Asked) -> Analysis:
        if asked.campaign_id == "a-whale":
            raise fault
        return analysis_of(port, settings, asked)

    monkeypatch.setattr("pipeline.experiments.asking.analysis_of", failing)
    keeping = Keeping(migrated, run_name)
    with pytest.raises(type(fault)):
        keeping.turn()
    assert [keeping.turn(), keeping.turn()] == ["spring", None]
