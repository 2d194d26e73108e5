"""A few logs through the real engine; `test_core_properties` plays many through the fake one."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from pipeline.state.policy import Policy
from tests.oracle.compare import differences
from tests.oracle.config import MODELS, Model, OracleConfig
from tests.oracle.evaluate import evaluate
from tests.oracle.generators import random_log
from tests.state.rules import RETURNING
from tests.support.core_player import CorePlayer

pytestmark = pytest.mark.usefixtures("each_core")


def _policy(models: tuple[Model, ...] = ("last_touch",)) -> Policy:
    return Policy(models=models, future_ms=None, pseudonym_key=b"oracle")


@pytest.mark.parametrize("seed", range(2))
def test_any_interleaving_gives_the_batch_numbers(clickhouse: Any, run_name: str, seed: int) -> None:
    log = random_log(seed, 300)
    player = CorePlayer(clickhouse, "roi", run_name, _policy(), log)
    player.play(Random(seed))
    assert differences(evaluate(log, OracleConfig(run=run_name)), player.views(), run=run_name) == []


@pytest.mark.parametrize("seed", range(2))
def test_crashes_at_any_point_change_nothing(clickhouse: Any, run_name: str, seed: int) -> None:
    log = random_log(100 + seed, 300)
    player = CorePlayer(clickhouse, "roi", run_name, _policy(), log)
    player.play(Random(seed), crashes=6)
    assert differences(evaluate(log, OracleConfig(run=run_name)), player.views(), run=run_name) == []


@pytest.mark.parametrize("model", MODELS[1:])
def test_every_model_gives_the_batch_numbers(clickhouse: Any, run_name: str, model: Model) -> None:
    log = random_log(7, 400)
    player = CorePlayer(clickhouse, "roi", run_name, _policy((model,)), log)
    player.play(Random(7), crashes=3)
    assert differences(evaluate(log, OracleConfig(run=run_name, model=model)), player.views(), run=run_name) == []


@pytest.mark.parametrize("model", ["last_touch", "linear"])
def test_ids_that_come_again_give_the_batch_numbers(clickhouse: Any, run_name: str, model: Model) -> None:
    log = random_log(3, 200, shape=RETURNING)
    player = CorePlayer(clickhouse, "roi", run_name, _policy((model,)), log)
    player.play(Random(3), crashes=4)
    assert differences(evaluate(log, OracleConfig(run=run_name, model=model)), player.views(), run=run_name) == []
