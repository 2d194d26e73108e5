"""Statistics as of any instant, through a real ClickHouse, against a batch over the events up to it."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from pipeline.alerts.facts import statistics
from tests.alerts.facts_support import POLICY, SHAPE, differences, instants, plans_of, played
from tests.oracle.as_of import expected
from tests.oracle.config import MODELS, OracleConfig
from tests.oracle.generators import random_log
from tests.oracle.verdicts import judge
from tests.support.depth import depth


@pytest.mark.parametrize("seed", range(depth(12)))
def test_statistics_are_those_of_a_batch_over_the_events_up_to_any_instant(
    clickhouse: Any, run_name: str, seed: int
) -> None:
    log = random_log(900 + seed, 400, shape=SHAPE)
    port = played(clickhouse, run_name, log, seed)
    plans = list(plans_of(log).values())
    random = Random(seed)
    model = MODELS[seed % len(MODELS)]
    label = "" if model == MODELS[0] else model
    config = OracleConfig(run=run_name, model=model)
    judged = judge(log, config)
    lines: list[str] = []
    for instant in instants(judged, random, 4):
        found = statistics(port, plans, instant, POLICY, model=label)
        for row, plan in enumerate(plans):
            wanted = expected(judged, config, instant, plan.campaign_id)
            lines += [f"{instant}: {line}" for line in differences(found, row, wanted)]
    assert lines == []
