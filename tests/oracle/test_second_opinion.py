from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from tests.oracle import brute_force
from tests.oracle.compare import differences
from tests.oracle.config import MODELS, Model, OracleConfig
from tests.oracle.evaluate import evaluate
from tests.oracle.generators import Records, logs, random_log
from tests.oracle.second_opinion import opinion
from tests.oracle.story import Shape
from tests.support.depth import depth

MARGINS = {"deposit": 12, "payment": 250, "wealth_purchase": 80}
_CONFIGS = strategies.builds(
    OracleConfig,
    model=strategies.sampled_from(MODELS),
    margins_bps=strategies.sampled_from([{}, MARGINS]),
    half_life_days=strategies.sampled_from([7.0, 0.5]),
    lateness_days=strategies.sampled_from([3.0, 1.0]),
    reversal_days=strategies.sampled_from([30.0, 2.0]),
)
_RETURNING = Shape(customers=2, campaigns=2, partitions=1, returning_share=0.5)


def _check(log: Records, config: OracleConfig) -> None:
    views = evaluate(log, config)
    others = [view for view in views.rows if view != "dead_letters"]
    assert differences(views, opinion(log, views.judged, config), views=others) == []
    everything = brute_force.arrived(log, config)
    orphaned = brute_force.orphans(brute_force.accepted(everything, config), everything, config)
    assert orphaned == {
        place for place, verdict in views.judged.verdicts.items() if verdict.reason == "orphan_reversal"
    }


@settings(
    max_examples=depth(150), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(logs() | logs(shape=_RETURNING), _CONFIGS)
def test_oracle_agrees_with_brute_force_and_sql(log: Records, config: OracleConfig) -> None:
    _check(log, config)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("seed", range(depth(3)))
def test_oracle_agrees_on_denser_logs(seed: int, model: Model) -> None:
    shape = Shape(customers=3, span_days=12)
    _check(random_log(seed, 250, shape=shape), OracleConfig(model=model, margins_bps=MARGINS))
