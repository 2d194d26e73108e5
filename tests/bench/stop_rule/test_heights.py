"""P-values are read from what the rule itself does in campaigns at exactly the required ratio."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from bench.stop_rule.heights import NAMES, heights_of
from bench.stop_rule.scenarios import SCENARIOS
from pipeline.alerts.p_values import p_values


def test_of_campaigns_at_the_limit_as_many_have_a_small_p_value_as_it_says() -> None:
    """80 campaigns of 4 portfolios: of p ≤ .3 and p ≤ .1, within 4 standard errors of as many coins."""
    names = (NAMES[0], "heavy values, σ 1.6", "two products", "0 peers")
    found = p_values(np.concatenate([heights_of(name, 100, 20) for name in names]))
    for level in (0.3, 0.1):
        assert (found <= level).mean() == pytest.approx(level, abs=4 * sqrt(level * (1 - level) / len(found)))


def test_the_scenarios_that_p_values_are_read_from_exist() -> None:
    assert set(NAMES) <= {one.name for one in SCENARIOS}
    assert len(NAMES) == 20
