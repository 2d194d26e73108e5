from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, strategies

from schemas import topics
from tests.oracle.compare import differences
from tests.oracle.config import MODELS, OracleConfig
from tests.oracle.evaluate import evaluate, evaluate_judged
from tests.oracle.generators import DEFAULT_SHAPE, permuted, random_log, repartitioned
from tests.oracle.log import Log, Record
from tests.state.rules import (
    CAMPAIGN_VIEWS,
    DEFAULT,
    PROPERTY,
    SEEDS,
    Rules,
    any_logs,
    any_rules,
    faults,
    player_of,
    under_model,
)

pytestmark = pytest.mark.usefixtures("each_core_in_depth")
pytestmark = pytest.mark.usefixtures("each_core_in_depth")
EVERY_MODEL = Rules(models=MODELS)
_MODEL_COLUMNS = (
    "touches",
    "reached",
    "converters",
    "cost_minor",
    "return_minor",
    "aum_minor",
    "conversion_millionths",
    "conversion_rate",
    "cpa_minor",
    "return_ratio",
    "net_roi",
)


@PROPERTY
@given(any_logs(), SEEDS, strategies.integers(1, 60), strategies.integers(0, 8))
def test_the_cells_equal_the_batch_whatever_the_batches_and_crashes(
    log: Log, seed: int, most: int, crashes: int
) -> None:
    player = player_of(log, DEFAULT)
    player.play(Random(seed), most=most, crashes=crashes)
    assert faults(log, DEFAULT, player) == []


@PROPERTY
@given(any_logs(150), any_rules(), SEEDS)
def test_the_cells_equal_the_batch_under_any_settings(log: Log, rules: Rules, seed: int) -> None:
    player = player_of(log, rules)
    player.play(Random(seed), crashes=3)
    assert faults(log, rules, player) == []


@PROPERTY
@given(any_logs(150), SEEDS, strategies.permutations(MODELS))
def test_five_models_in_one_pass_equal_five_runs_of_one(log: Log, seed: int, models: list[Any]) -> None:
    rules = Rules(OracleConfig(model=models[0]), tuple(models))
    player = player_of(log, rules)
    player.play(Random(seed), crashes=3)
    assert faults(log, rules, player) == []
    views = player.views()
    judged = evaluate(log, rules.config).judged
    for model in models:
        expected = evaluate_judged(judged, OracleConfig(model=model))
        assert differences(expected, under_model(views, model), views=["credits"]) == []
        rows = [row for row in views["campaign_model_totals"] if row["model"] == model]
        # a model that credits a campaign with nothing has no row of its own: the base is the deciding model's
        credited = {row["campaign_id"]: row for row in rows}
        for row in expected.rows["campaign_totals"]:
            if row["conversion_millionths"]:
                found = credited[row["campaign_id"]]
                assert {name: found[name] for name in _MODEL_COLUMNS} == {name: row[name] for name in _MODEL_COLUMNS}
        assert all(row["decides"] == (model == models[0]) for row in rows)


@PROPERTY
@given(any_logs(150), SEEDS)
def test_sending_everything_a_second_time_changes_no_number(log: Log, seed: int) -> None:
    once = player_of(log, DEFAULT)
    once.play(Random(seed))
    doubled = _sent_twice(log)
    twice = player_of(doubled, DEFAULT)
    twice.play(Random(seed), crashes=2)
    assert _numbers(twice.views()) == _numbers(once.views())
    assert faults(doubled, DEFAULT, twice) == []


@PROPERTY
@given(any_logs(150), SEEDS)
def test_a_whole_partition_at_once_gives_what_single_events_give(log: Log, seed: int) -> None:
    one_by_one, at_once = player_of(log, DEFAULT), player_of(log, DEFAULT)
    one_by_one.play(Random(seed), most=1)
    at_once.play(Random(seed), most=100_000)
    assert _numbers(one_by_one.views()) == _numbers(at_once.views())


@PROPERTY
@given(SEEDS, strategies.integers(1, 7))
def test_another_number_of_partitions_gives_the_same_numbers(seed: int, partitions: int) -> None:
    log = random_log(seed, 150, shape=replace(DEFAULT_SHAPE, late=False))
    spread = repartitioned(log, partitions)
    player = player_of(spread, DEFAULT)
    player.play(Random(seed), crashes=2)
    assert differences(evaluate(log, DEFAULT.config), player.views(), views=CAMPAIGN_VIEWS) == []


@PROPERTY
@given(any_logs(150), SEEDS)
def test_another_order_of_arrival_gives_the_same_numbers(log: Log, seed: int) -> None:
    other = permuted(log, Random(seed), DEFAULT.config)
    player = player_of(other, DEFAULT)
    player.play(Random(seed), crashes=2)
    assert differences(evaluate(log, DEFAULT.config), player.views(), views=CAMPAIGN_VIEWS) == []


@PROPERTY
@given(any_logs(150), SEEDS)
def test_credit_is_conserved_by_every_model_and_in_every_view(log: Log, seed: int) -> None:
    player = player_of(log, EVERY_MODEL)
    player.play(Random(seed), crashes=1)
    views = player.views()
    shares: dict[tuple[str, str], int] = {}
    for row in views["model_credits"]:
        key = (row["model"], row["transaction_event_id"])
        shares[key] = shares.get(key, 0) + row["credit_millionths"]
    assert set(shares.values()) <= {1_000_000}
    credited = {model: {name for own, name in shares if own == model} for model in MODELS}
    assert all(credited[model] == credited[MODELS[0]] for model in MODELS)
    for measure in ("conversion_millionths", "return_minor", "cost_minor"):
        sums = [_sum(views[view], measure) for view in CAMPAIGN_VIEWS[:5]]
        assert len(set(sums)) == 1, (measure, dict(zip(CAMPAIGN_VIEWS, sums, strict=False)))
    assert _sum(views["campaign_totals"], "reached") == _sum(views["campaign_cohorts"], "reached")
    assert _sum(views["campaign_totals"], "converters") == _sum(views["campaign_minutes"], "new_converters")


def _sum(rows: list[dict[str, Any]], measure: str) -> int:
    return sum(row[measure] for row in rows)


def _numbers(views: dict[str, list[dict[str, Any]]]) -> dict[str, list[str]]:
    return {view: sorted(repr(row) for row in views[view] if _says_something(row)) for view in CAMPAIGN_VIEWS}


def _says_something(row: dict[str, Any]) -> bool:
    return any(value for value in row.values() if isinstance(value, int | float))


def _sent_twice(log: Log) -> Log:
    return {
        place: list(records)
        if place[0] in topics.DIMENSION_TOPICS
        else [Record(*place, offset, record.key, record.value) for offset, record in enumerate([*records, *records])]
        for place, records in log.items()
    }
