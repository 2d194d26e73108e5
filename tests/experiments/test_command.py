from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.ledger.ledger import ClickHouseLedger
from pipeline.replay.plan import FROM_FILES, Plan
from pipeline.replay.record import ReplayRecord, State, write_record
from tests.experiments.bank import experiment, play
from tests.oracle.building import moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result

CONTRACT = {"run", "campaign_id", "metric", "variant", "n", "mean", "lift", "ci_low", "ci_high", "p_value"}
CONTRACT |= {"always_valid_p", "srm_p", "decision"}
ADDED = {"incremental_return_minor", "cost_minor", "incremental_roi", "customers_left_out", "days_to_decision"}
ADDED |= {"cuped_lift"}


def rows_of(result: Result) -> dict[tuple[str, str], dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return {(row["metric"], row["variant"]): row for row in json.loads(result.output)}


def stored(client: Any, view: str, run: str) -> list[dict[str, Any]]:
    answer = client.raw_query(
        f"SELECT * FROM roi.{view} WHERE run = '{run}' ORDER BY metric, variant FORMAT JSONEachRow",
        settings={"output_format_json_quote_64bit_integers": 0},
    )
    return [json.loads(line) for line in answer.splitlines()]


def test_a_variant_that_converts_better_is_better(clickhouse: Any, run_name: str, roi: Callable[..., Result]) -> None:
    play(clickhouse, run_name, experiment({"control": 0.05, "A": 0.3, "B": 0.05}, twice=3))
    found = rows_of(roi("ab", "spring", "--run", run_name, "--json"))
    assert set(found) == {
        (metric, name) for metric in ("converted", "return", "aum", "logins") for name in ("control", "A", "B")
    }
    better = found["converted", "A"]
    assert better.keys() >= CONTRACT | ADDED
    assert better["decision"] == "better"
    assert better["always_valid_p"] < 0.01
    assert better["lift"] == pytest.approx(better["mean"] - found["converted", "control"]["mean"])
    assert better["ci_low"] < better["lift"] < better["ci_high"]
    assert better["customers_left_out"] == 3
    assert sum(found["converted", name]["n"] for name in ("control", "A", "B")) == 897
    assert found["converted", "B"]["decision"] in {"too_early", "no_difference"}
    assert found["logins", "A"]["decision"] == "too_early"
    assert "higher by" in better["verdict"]
    assert "looked at any day" in better["verdict"]


def test_money_is_incremental_and_attributed(clickhouse: Any, run_name: str, roi: Callable[..., Result]) -> None:
    play(clickhouse, run_name, experiment({"control": 0.1, "A": 0.4}))
    found = rows_of(roi("ab", "spring", "--run", run_name, "--metric", "return", "--json"))
    row = found["return", "A"]
    assert row["cost_minor"] == row["n"] * 150 == row["incremental_cost_minor"]
    assert row["incremental_return_minor"] == pytest.approx(row["lift"] * row["n"], abs=1)
    assert row["incremental_roi"] == pytest.approx(
        (row["incremental_return_minor"] - row["cost_minor"]) / row["cost_minor"]
    )
    assert row["incremental_roi"] < row["attributed_roi"], "attribution takes credit for who would have come anyway"
    assert row["attributed_roi"] == pytest.approx(row["attributed_return_minor"] / row["cost_minor"] - 1)
    assert set(found) == {("return", "A"), ("return", "control")}


def test_results_are_stored_as_the_contract_says(clickhouse: Any, run_name: str, roi: Callable[..., Result]) -> None:
    play(clickhouse, run_name, experiment({"control": 0.05, "A": 0.3}))
    printed = rows_of(roi("ab", "spring", "--run", run_name, "--json"))
    kept = stored(clickhouse, "ab_results", run_name)
    assert len(kept) == len(printed) == 8
    for row in kept:
        said = printed[row["metric"], row["variant"]]
        assert {name: row[name] for name in CONTRACT} == {
            name: pytest.approx(value) if isinstance(value, float) else value
            for name, value in said.items()
            if name in CONTRACT
        }


def test_a_later_analysis_takes_the_place_of_the_one_before(
    clickhouse: Any, run_name: str, roi: Callable[..., Result]
) -> None:
    play(clickhouse, run_name, experiment({"control": 0.05, "A": 0.3}, customers=300))
    rows_of(roi("ab", "spring", "--run", run_name, "--json"))
    rows_of(
        roi(
            "ab",
            "spring",
            "--run",
            run_name,
            "--metric",
            "converted",
            "--control",
            "A",
            "--horizon-days",
            "3",
            "--json",
        )
    )
    kept = {(row["metric"], row["variant"]): row for row in stored(clickhouse, "ab_results", run_name)}
    assert len(kept) == 8
    assert kept["converted", "A"]["is_control"] == 1
    assert kept["converted", "control"]["window_days"] == 3
    assert kept["return", "A"]["window_days"] == 7


def test_the_history_ends_with_the_result(clickhouse: Any, run_name: str, roi: Callable[..., Result]) -> None:
    play(clickhouse, run_name, experiment({"control": 0.05, "A": 0.3}))
    row = rows_of(roi("ab", "spring", "--run", run_name, "--json"))["converted", "A"]
    days = [each for each in stored(clickhouse, "ab_history", run_name) if each["variant"] == "A"]
    days = sorted((each for each in days if each["metric"] == "converted"), key=lambda each: each["day"])
    assert [days[0]["day"], days[-1]["day"]] == ["2026-03-01", "2026-03-16"]
    assert days[0]["ended"] == 0
    assert days[0]["always_low"] is None
    last = days[-1]
    assert (last["n"], last["ended"], last["always_low"], last["always_valid_p"], last["srm_p"]) == pytest.approx(
        (row["n"], row["ended"], row["always_low"], row["always_valid_p"], row["srm_p"])
    )
    assert [each["ended"] for each in days] == sorted(each["ended"] for each in days)


def test_open_windows_make_no_decision(clickhouse: Any, run_name: str, roi: Callable[..., Result]) -> None:
    play(clickhouse, run_name, experiment({"control": 0.05, "A": 0.4}, after=0))
    row = rows_of(roi("ab", "spring", "--run", run_name, "--json"))["converted", "A"]
    assert row["decision"] == "too_early"
    assert row["ended"] == 0
    assert row["n"] > 400, "everyone assigned is shown"
    shorter = rows_of(roi("ab", "spring", "--run", run_name, "--horizon-days", "2", "--json"))["converted", "A"]
    assert shorter["decision"] == "better"
    assert any("windows are open" in caveat for caveat in shorter["caveats"])


def test_a_wrong_sample_ratio_is_invalid(clickhouse: Any, run_name: str, roi: Callable[..., Result]) -> None:
    play(clickhouse, run_name, experiment({"control": 0.05, "A": 0.3}, weights={"control": 1, "A": 2}))
    row = rows_of(roi("ab", "spring", "--run", run_name, "--json"))["converted", "A"]
    assert row["decision"] == "invalid"
    assert row["srm_p"] < 0.001
    assert "planned" in row["verdict"]


def test_planned_shares_come_from_the_definition(clickhouse: Any, run_name: str, roi: Callable[..., Result]) -> None:
    play(clickhouse, run_name, experiment({"control": 0.05, "A": 0.3}, weights={"control": 1, "A": 2}))
    body = json.dumps({
        "campaign_id": "spring", "name": "Spring", "starts_at": "2026-03-01T00:00:00Z", "goal": {"kinds": ["deposit"]},
        "variant_shares": {"control": 1, "A": 2}, "ends_at": "2026-03-07T00:00:00Z",
    })  # fmt: skip
    clickhouse.command(
        "INSERT INTO roi.run_campaigns (run, campaign_id, definition, version) VALUES",
        data=f"('{run_name}', 'spring', '{body}', 1)",
    )
    found = rows_of(roi("ab", "spring", "--run", run_name, "--json"))
    assert found["converted", "A"]["decision"] == "better"
    assert found["converted", "A"]["planned_share"] == pytest.approx(2 / 3)
    assert found["logins", "A"]["decision"] == "no_difference", "nobody comes any more"
    assert "nobody comes any more" in found["logins", "A"]["verdict"]


def test_variants_of_first_contacts_are_compared_with_a_caveat(
    clickhouse: Any, run_name: str, roi: Callable[..., Result]
) -> None:
    play(clickhouse, run_name, experiment({"A": 0.05, "B": 0.3}, assigned=False))
    row = rows_of(roi("ab", "spring", "--run", run_name, "--control", "A", "--json"))["converted", "B"]
    assert row["decision"] == "better"
    assert row["arms_by"] == "first_touch"
    assert any("nobody was assigned" in caveat for caveat in row["caveats"])


def test_contacts_without_a_variant_may_be_the_control(
    clickhouse: Any, run_name: str, roi: Callable[..., Result]
) -> None:
    play(clickhouse, run_name, experiment({"": 0.05, "B": 0.3}, assigned=False))
    refused = roi("ab", "spring", "--run", run_name)
    assert "variants: '' (none), B" in refused.stderr
    row = rows_of(roi("ab", "spring", "--run", run_name, "--control", "", "--json"))["converted", "B"]
    assert (row["control"], row["decision"]) == ("", "better")


def test_people_read_it_in_eighty_columns(clickhouse: Any, run_name: str, roi: Callable[..., Result]) -> None:
    play(clickhouse, run_name, experiment({"control": 0.05, "A": 0.3, "B-long-name": 0.05}, twice=30))
    said = roi("ab", "spring", "--run", run_name).output
    assert max(map(len, said.splitlines())) <= 80
    for text in ("conversion", "better", "sample ratio", "Incremental", "two variants", "in money"):
        assert text in said, text


def test_a_wrong_sample_ratio_is_said_once(clickhouse: Any, run_name: str, roi: Callable[..., Result]) -> None:
    play(clickhouse, run_name, experiment({"control": 0.1, "A": 0.1}, weights={"control": 1, "A": 3}, customers=400))
    said = " ".join(roi("ab", "spring", "--run", run_name).output.split())
    assert said.count("did not get their planned shares") == 1
    assert said.count("invalid") == 4


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (("ab", "spring", "--run", "no-such-run"), "there is no run 'no-such-run'"),
        (("ab", "autumn"), "has no touch in run"),
        (("ab", "spring", "--control", "nobody"), "nobody is in the control 'nobody'"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(
    clickhouse: Any, run_name: str, roi: Callable[..., Result], arguments: tuple[str, ...], cause: str
) -> None:
    play(clickhouse, run_name, experiment({"control": 0.1, "A": 0.1}, customers=20))
    run = () if "--run" in arguments else ("--run", run_name)
    result = roi(*arguments, *run)
    assert result.exit_code == 1
    assert cause in result.output
    assert len(result.output.splitlines()) == 1


@pytest.mark.parametrize(
    ("rates", "kind", "cause"),
    [({"A": 0.1}, "assign", "all customers are in one variant"), ({"A": 0.1, "B": 0.1}, "send", "no assign touch")],
)
def test_an_experiment_without_a_control_is_none(
    clickhouse: Any, run_name: str, roi: Callable[..., Result], rates: dict[str, float], kind: str, cause: str
) -> None:
    play(clickhouse, run_name, experiment(rates, customers=20, assigned=kind == "assign"))
    result = roi("ab", "spring", "--run", run_name)
    assert (result.exit_code, cause in result.output) == (1, True)


def test_overlapping_assignments_leave_nobody_to_compare(
    clickhouse: Any, run_name: str, roi: Callable[..., Result]
) -> None:
    play(clickhouse, run_name, experiment({"control": 0.1, "A": 0.1}, customers=20, twice=20))
    result = roi("ab", "spring", "--run", run_name)
    assert result.exit_code == 1
    assert "every customer was assigned to two variants or more (20)" in result.output
    assert "roi ab --assign" in result.output


def test_too_little_data_is_too_early_and_says_how_much_it_takes(
    clickhouse: Any, run_name: str, roi: Callable[..., Result]
) -> None:
    play(clickhouse, run_name, experiment({"control": 0.1, "A": 0.9}, customers=60))
    told = roi("ab", "spring", "--run", run_name, "--metric", "converted", "--json")
    row = rows_of(told)["converted", "A"]
    assert row["decision"] == "too_early"
    assert "50 customers" in row["verdict"]


def limited(client: Any, run: str, begin: str | None, end: str | None) -> None:
    """Record a run as a replay of a range."""
    begin_ms, end_ms = (None if each is None else moment(each) for each in (begin, end))
    plan = Plan(run, FROM_FILES, (), (), {}, begin_ms=begin_ms, end_ms=end_ms)
    write_record(ClickHouseLedger(client, "roi", run, ""), ReplayRecord(plan, State.COMPLETE, 0), is_new=True)


def test_a_run_of_a_range_knows_nothing_after_its_end(
    clickhouse: Any, run_name: str, roi: Callable[..., Result]
) -> None:
    play(clickhouse, run_name, experiment({"control": 0.1, "A": 0.3}, customers=300))
    limited(clickhouse, run_name, None, "2026-03-10 12:00")
    found = rows_of(roi("ab", "spring", "--run", run_name, "--metric", "converted", "--json"))
    for row in found.values():
        assert row["as_of"].startswith("2026-03-10T04:00")
        assert 0 < row["ended"] < row["n"], "its clock has gone on, with events that it does not count"


def test_a_campaign_outside_of_a_runs_range_is_told_with_the_range(
    clickhouse: Any, run_name: str, roi: Callable[..., Result]
) -> None:
    play(clickhouse, run_name, experiment({"control": 0.1, "A": 0.3}, customers=20))
    limited(clickhouse, run_name, "2026-03-01 00:00", "2026-04-01 00:00")
    result = roi("ab", "autumn", "--run", run_name)
    assert result.exit_code == 1
    assert "events from 2026-02-28T16:00:00.000Z before 2026-03-31T16:00:00.000Z" in result.output
    assert "roi replay" in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--horizon-days", "0"), "above 0, at most 36,500"),
        (("--horizon-days", "nan"), "above 0, at most 36,500"),
        (("--horizon-days", "36501"), "above 0, at most 36,500"),
        (("--salt", "x"), "--salt"),
        (("--metric", "love"), "'love'"),
    ],
)
def test_wrong_usage_is_told(roi: Callable[..., Result], arguments: tuple[str, ...], words: str) -> None:
    result = roi("ab", "spring", *arguments)
    assert (result.exit_code, words in result.stderr) == (2, True)
