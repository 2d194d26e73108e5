"""What is told of campaigns whose newest touches, or all, have cost nothing or less."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pipeline.alerts.judging import judge
from pipeline.alerts.rule import AlertRule
from pipeline.alerts.verdict import LARGEST
from pipeline.alerts.words import reasons
from tests.alerts.campaigns import draw, library, statistics_at
from tests.alerts.test_judging import GENERIC, PEERS, RULE, codes, numbers

if TYPE_CHECKING:
    from pipeline.alerts.statistics import Floats, Statistics


def paid(by_age: Floats) -> Statistics:
    """Return campaigns that wake up, whose newest customers are worth more, with this cost by age of the touch."""
    waking = draw(4, 2.0)
    kept = (waking.touch >= 200) | (np.arange(len(waking.touch)) % 5 == 0)
    names = ("touch", "at", "value", "customer", "product", "reversed_at", "lags")
    slept = replace(waking, **{name: getattr(waking, name)[kept] for name in names})
    rows = statistics_at([(slept, 336), (draw(3, 3.0), 336)])
    converters = np.maximum(rows.converters, 0)
    roots = converters * np.where(np.arange(converters.shape[1]) < 72, 900.0, 30.0)
    cost = np.broadcast_to(by_age, rows.cost.shape) * (rows.touches > 0)
    return replace(rows, cost=cost, cost_total=cost.sum(axis=1), root_values=roots)


AGES = np.arange(400)
COSTS = {
    "nothing": np.zeros(400),
    "first hours": np.where(AGES > 300, 1e4, 0.0),
    "corrected later": np.where(AGES < 100, -1e5, np.where(AGES == 100, 1e2, 1e5)),
    "taken back": np.where(AGES == 5, -1e7, 1e3),
    "all but a rounding": np.where(AGES < 100, -1e5 - 1e-9, np.where(AGES < 200, 1e5, 1e-9)),
    "under a minor unit": np.full(400, 1e-6),
    "negative": np.full(400, -1e9),
}


@pytest.mark.parametrize("peers", [PEERS, GENERIC, library(6, reversals=0.2)], ids=["peers", "nothing", "reversals"])
@pytest.mark.parametrize("cost", COSTS.values(), ids=COSTS)
def test_cost_of_nothing_or_less_makes_no_number_that_cannot_be_and_every_text_can_be_written(
    cost: Floats, peers: Any
) -> None:
    rows = paid(cost)
    for minimum in (0, -(10**13)):
        rule = AlertRule(min_cost_minor=minimum, min_expected_converters=0)
        for verdict in judge(rows, peers, rule):
            assert all(abs(number) <= LARGEST for number in numbers(verdict))
            hours = [one.values["hours"] for one in verdict.caveats if one.code == "upfront_cost"]
            assert all(float(each) <= 400 for each in hours)
            assert all(len(text) < 130 for text in reasons(verdict, rule))


def test_newest_customers_who_cost_nothing_are_said_to_convert_better_without_a_ratio() -> None:
    verdict = judge(paid(np.zeros(400)), PEERS, RULE)[0]
    assert "changing_for_nothing" in codes(verdict)
    assert "changing" not in codes(verdict)
