from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.clickhouse.reader import Reader
from pipeline.comparison.comparing import ViewComparison, compare, compare_view
from pipeline.comparison.diff import diff
from pipeline.comparison.grounds import grounds
from pipeline.comparison.verifying import ROUNDS, verify
from pipeline.comparison.views import NOT_COMPARED, PROCESSING, SNAPSHOTS, ComparedView, compared_views, quoted
from pipeline.errors import UserError
from pipeline.state.policy import Policy
from tests.oracle.generators import random_log
from tests.oracle.story import Shape
from tests.support.core_player import CorePlayer

if TYPE_CHECKING:
    from pipeline.settings import Settings

LEFT, RIGHT, OTHER = "compared-a", "compared-b", "compared-c"
LOG = random_log(21, 400, shape=Shape(customers=8, huge_share=0.0))


@pytest.fixture(scope="module")
def runs(clickhouse: Any) -> None:
    """Two runs of one log, cut and crashed differently, and one of it under another window."""
    for run, seed in ((LEFT, 1), (RIGHT, 2)):
        policy = Policy(future_ms=None, pseudonym_key=b"oracle")
        CorePlayer(clickhouse, "roi", run, policy, LOG).play(Random(seed), crashes=3)
    for run in (LEFT, RIGHT, OTHER):
        clickhouse.command(
            "INSERT INTO roi.run_campaigns (run, campaign_id, definition, version) "
            f"""VALUES ('{run}', 'defined', '{{"name": "Defined", "starts_at": "2026-01-01T00:00:00Z"}}', 1)"""
        )
    narrow = Policy(future_ms=None, pseudonym_key=b"oracle", window_ms=3_600_000, models=("first_touch",))
    CorePlayer(clickhouse, "roi", OTHER, narrow, LOG).play(Random(3))


@pytest.fixture(scope="module")
def reader(migrated: Settings, runs: None) -> Reader:
    return Reader(migrated)


def test_every_view_with_a_run_is_compared_or_has_a_reason(reader: Reader, migrated: Settings) -> None:
    rows = reader.rows(
        "SELECT DISTINCT table FROM system.columns WHERE database = 'roi' AND name = 'run' AND table IN "
        "(SELECT name FROM system.tables WHERE database = 'roi' AND engine = 'View')"
    )
    there = {row["table"] for row in rows}
    compared = {view.name for view in compared_views(reader, migrated.clickhouse_database)}
    left_out = {view for view in there if view in NOT_COMPARED or view.startswith(SNAPSHOTS)}
    assert compared == there - left_out
    assert set(NOT_COMPARED) <= there, "a reason that no view needs"
    assert {view for view in PROCESSING if view} <= compared
    contract = {
        *("campaign_totals", "campaign_variant_totals", "campaign_tier_totals", "campaign_minutes"),
        *("campaign_cohorts", "active_users", "credits", "dead_letters"),
    }
    assert contract <= compared


def test_what_a_board_shows_is_compared_where_it_comes_from(reader: Reader, migrated: Settings) -> None:
    compared = {view.name for view in compared_views(reader, migrated.clickhouse_database)}
    by_run = (
        "SELECT DISTINCT table FROM system.columns WHERE database = 'roi' AND name = 'run' AND table LIKE 'board\\_%'"
    )
    boards = {row["table"] for row in reader.rows(by_run)}
    assert boards
    # migration 0036 makes each of three: what has been counted or not, and which of both is asked
    figures = {name.removeprefix(SNAPSHOTS).removeprefix("either_").removeprefix("uncounted_") for name in boards}
    assert figures <= compared


def test_runs_of_one_log_are_equal_however_it_was_cut(reader: Reader) -> None:
    found = compare(reader, "roi", LEFT, RIGHT)
    assert [view for view in found if view.differing] == []
    empty = {view.view for view in found if not view.right_rows}
    assert empty == set(), "every view must have had something to compare"
    assert all(view.left_rows == view.right_rows for view in found)


def planted(client: Any, view: ComparedView, column: str, *, in_run: str) -> str:
    """Return the name of a table with the view's rows of both runs, one cell of one run another than it was."""
    name = quoted(column)
    changed = (
        f"multiIf(startsWith(toTypeName({name}), 'Nullable') AND {name} IS NULL, {{default}}, {{other}})"
        if "Nullable" in type_of(client, view.name, column)
        else "{other}"
    )
    kind = type_of(client, view.name, column)
    # far away from every other value: a key that met another row's would be no row less and one more
    other = f"concat({name}, 'x')" if "String" in kind else f"NOT {name}" if "Bool" in kind else f"{name} + 101"
    cell = changed.format(other=other, default="7")
    table = f"planted_{view.name}_{column}"
    client.command(f"DROP TABLE IF EXISTS roi.`{table}`")
    client.command(
        f"CREATE TABLE roi.`{table}` ENGINE = MergeTree ORDER BY tuple() AS "
        f"SELECT * EXCEPT (place, {name}), "
        f"CAST(if(run = '{in_run}' AND place = 1, {cell}, {name}) AS {kind}) AS {name} "
        f"FROM (SELECT *, row_number() OVER (PARTITION BY run) AS place FROM roi.{quoted(view.name)} "
        f"WHERE run IN ('{LEFT}', '{RIGHT}'))",
        settings={"allow_suspicious_low_cardinality_types": 1},
    )
    return table


def type_of(client: Any, view: str, column: str) -> str:
    found = client.query(
        f"SELECT type FROM system.columns WHERE database = 'roi' AND table = '{view}' AND name = '{column}'"
    )
    return str(found.result_rows[0][0])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_one_cell_that_differs_is_found_in_every_view(reader: Reader, clickhouse: Any) -> None:
    random = Random(5)
    for view in compared_views(reader, "roi"):
        columns = [random.choice(names) for names in (view.keys, view.values, view.inexact) if names]
        for column in columns:
            table = planted(clickhouse, view, column, in_run=random.choice((LEFT, RIGHT)))
            try:
                found = compare_view(
                    reader, "roi", ComparedView(table, view.keys, view.values, view.inexact), LEFT, RIGHT
                )
            finally:
                clickhouse.command(f"DROP TABLE roi.`{table}`")
            assert found.differing in {1, 2}, (view.name, column)
            assert found.left_rows == found.right_rows
            (first, *more) = found.first
            if column in view.keys:  # one row less and one more; what is not unique has another number of rows
                sides = {first.left is None, *(one.left is None for one in more)}
                assert sides == {True, False} or set(first.left or ()) == {"rows"}, (view.name, column, found.first)
            else:
                assert (set(first.left or ()), more) == ({column}, []), (view.name, column)


def counted(views: list[ViewComparison]) -> dict[str, int]:
    return {view.view: view.differing for view in views if view.differing}


def test_a_run_under_other_settings_differs_only_in_what_they_decide(reader: Reader) -> None:
    found = counted(compare(reader, "roi", LEFT, OTHER))
    assert {"credits", "campaign_totals", "campaign_model_totals"} <= found.keys()
    assert found.keys().isdisjoint({"active_users", "dead_letters", "touch_days", "transaction_days", "campaign_costs"})


def test_the_diff_says_which_settings_are_others(reader: Reader) -> None:
    found = diff(reader, "roi", LEFT, OTHER)
    assert [one for one in found.campaigns if one.changed]
    assert [one.money for one in found.campaigns] == sorted((one.money for one in found.campaigns), reverse=True)
    sums = {
        run: reader.rows(f"SELECT sum(return_minor) AS s FROM roi.campaign_totals WHERE run = '{run}'")[0]["s"]
        for run in (LEFT, OTHER)
    }
    by_measure = [{one.measure: one for one in campaign.measures} for campaign in found.campaigns]
    assert sum(one["return_minor"].difference for one in by_measure) == int(sums[OTHER]) - int(sums[LEFT])
    assert not any(one["touches"].difference or one["cost_minor"].difference for one in by_measure)


def test_a_run_does_not_differ_from_itself(reader: Reader) -> None:
    found = diff(reader, "roi", LEFT, LEFT)
    assert found.campaigns
    assert not [one for one in found.campaigns if one.changed]
    assert (found.grounds, grounds(reader, "roi", LEFT, LEFT)) == ([], [])


@pytest.mark.parametrize("name", ["nowhere", "'; DROP TABLE roi.ledger; --", "", "\\N", "{left:String}"])
def test_an_unknown_run_is_told_with_those_there_are(reader: Reader, name: str) -> None:
    with pytest.raises(UserError, match=f"there is no run .*name one of .*{LEFT}"):
        diff(reader, "roi", LEFT, name)


def test_what_the_left_run_goes_on_with_is_followed_before_each_comparison(reader: Reader) -> None:
    behind = iter((3, 3, 3, 3, 0, 0))
    followed: list[int] = []
    found = verify(reader, "roi", LEFT, OTHER, ahead=lambda: next(behind), go_on=lambda: followed.append(1))
    assert (len(followed), found.ahead, bool(found.differing)) == (2, 0, True)


def test_runs_that_are_equal_are_compared_once_whatever_comes_in_meanwhile(reader: Reader) -> None:
    behind = iter((0, 7))
    followed: list[int] = []
    found = verify(reader, "roi", LEFT, RIGHT, ahead=lambda: next(behind), go_on=lambda: followed.append(1))
    assert (followed, found.ahead, found.differing) == ([], 7, [])


def test_a_run_that_never_stands_still_is_given_up_on_after_some_rounds_and_said(reader: Reader) -> None:
    followed: list[int] = []
    found = verify(reader, "roi", LEFT, OTHER, ahead=lambda: 9, go_on=lambda: followed.append(1))
    assert (len(followed), found.ahead, bool(found.differing)) == (ROUNDS, 9, True)
