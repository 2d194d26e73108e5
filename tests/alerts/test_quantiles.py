from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.alert_settings import AlertSettings
from pipeline.alerts.false_stops import expected_false_share
from pipeline.alerts.judging import judge
from pipeline.alerts.quantiles import two_sided
from pipeline.alerts.rule import AlertRule
from tests.alerts.campaigns import draw, library, statistics_at
from tests.alerts.test_judging import numbers

GREATEST = math.nextafter(1, 0)
SMALLEST = 5e-324
HALF = math.nextafter(0.5, 1)
PEERS = library(8)
ROWS = statistics_at([(draw(seed, 1.4), hours) for seed in range(4) for hours in (30, 100, 220, 336)])


@pytest.mark.parametrize("confidence", [SMALLEST, 1e-300, 1e-17, HALF, 0.95, 1 - 1e-15, GREATEST])
def test_every_confidence_that_a_definition_may_have_is_judged_by(confidence: float) -> None:
    rule = AlertRule(confidence=confidence, min_cost_minor=0)
    verdicts = judge(ROWS, PEERS, rule)
    assert np.isfinite([number for verdict in verdicts for number in numbers(verdict)]).all()
    assert 0 <= expected_false_share(verdicts, [rule] * len(verdicts)) <= 1


@pytest.mark.parametrize("confidence", [HALF, GREATEST])
def test_the_settings_take_the_same(confidence: float) -> None:
    assert two_sided(AlertSettings(confidence=confidence).confidence) > 0


def test_quantiles_are_those_of_tables_and_grow_with_the_confidence() -> None:
    assert [round(two_sided(one), 3) for one in (0.5, 0.9, 0.95, 0.99)] == [0.674, 1.645, 1.96, 2.576]
    grown = [two_sided(one) for one in (SMALLEST, 0.5, 1 - 1e-12, 1 - 1e-15, GREATEST)]
    assert grown == sorted(set(grown))
