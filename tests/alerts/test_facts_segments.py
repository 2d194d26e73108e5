"""Segments of a campaign as of any instant, through a real ClickHouse, against a batch over the events up to it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from random import Random
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest

from pipeline.alerts.facts import model_statistics, segment_statistics, statistics
from pipeline.alerts.segments import CampaignReading, Dimension
from pipeline.alerts.statistics import HOUR_MS
from tests.alerts.facts_support import POLICY, SHAPE, differences, instants, plans_of, played
from tests.oracle.as_of import expected
from tests.oracle.config import MODELS, OracleConfig
from tests.oracle.facts import Facts
from tests.oracle.generators import random_log
from tests.oracle.verdicts import judge
from tests.support.depth import depth

if TYPE_CHECKING:
    from tests.oracle.credits import Credit
    from tests.oracle.events import Touch


@pytest.mark.parametrize("seed", range(depth(6)))
def test_segments_are_those_of_a_batch_and_their_costs_add_up(clickhouse: Any, run_name: str, seed: int) -> None:
    log = random_log(1_200 + seed, 300, shape=SHAPE)
    port = played(clickhouse, run_name, log, seed)
    model = MODELS[seed % len(MODELS)]
    label = "" if model == MODELS[0] else model
    config = OracleConfig(run=run_name, model=model)
    judged = judge(log, config)
    plans, facts = plans_of(log), Facts(judged, config)
    campaign_id = Counter(touch.campaign_id for touch in judged.touches).most_common(1)[0][0]
    plan = plans[campaign_id]
    lines: list[str] = []
    for instant in instants(judged, Random(seed), 2):
        whole = statistics(port, [plan], instant, POLICY, model=label)
        reading = CampaignReading(port, plan, instant, POLICY, label)
        (together,) = model_statistics(reading, [label])
        np.testing.assert_equal(asdict(together), asdict(whole))
        for dimension in get_args(Dimension):
            names, found = segment_statistics(reading, dimension)
            if names and abs(found.cost_total.sum() - whole.cost_total[0]) > 1e-6:
                lines.append(f"{dimension}: {found.cost_total.sum()} of {whole.cost_total[0]}")
            for row, name in enumerate(names):

                def wanted(touch: Touch, credit: Credit | None, dimension: str = dimension, name: str = name) -> bool:
                    own = facts.tier(touch.customer_id) if dimension == "tier" else getattr(touch, dimension)
                    return str(own) == name

                right = expected(judged, config, instant, campaign_id, wanted, limit=_limit(found, row))
                lines += [f"{name} {line}" for line in differences(found, row, right, cost=False)]
    assert lines == []


def _limit(found: Any, row: int) -> float:
    if found.booked_age[row] == 0:
        return float("inf")
    return float(found.as_of_ms[row] / HOUR_MS - found.booked_age[row] - 1)
