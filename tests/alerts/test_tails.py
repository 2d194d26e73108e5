from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from pipeline.alerts.tails import hill_index, power_law
from pipeline.alerts.values import shape_of
from tests.support.depth import depth

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.alerts.statistics import Floats

    Draw = Callable[[np.random.Generator, int], Floats]

CUSTOMERS = 5_000
LAWS: dict[str, tuple[float, Draw]] = {
    "Pareto 1.5": (3.0, lambda random, count: random.pareto(1.5, count) + 1),
    "Pareto 1.8": (2.25, lambda random, count: random.pareto(1.8, count) + 1),
}
OTHERS: dict[str, Draw] = {
    "lognormal 1.0": lambda random, count: np.exp(random.standard_normal(count)),
    "lognormal 1.6": lambda random, count: np.exp(1.6 * random.standard_normal(count)),
    "Gamma ½": lambda random, count: random.gamma(0.5, 2.0, count),
    "2 % loans": lambda random, count: (
        np.exp(0.6 * random.standard_normal(count)) * np.where(random.random(count) < 0.02, 40, 1)
    ),
    "all alike": lambda _, count: np.full(count, 700.0),
}


def samples(draw: Draw, count: int = CUSTOMERS) -> list[Floats]:
    return [np.sort(draw(np.random.default_rng(seed), count)) for seed in range(depth(60))]


def test_the_hill_estimate_of_a_worked_example() -> None:
    """The top half of 1, e, e², e³ over e: (log e² + log e³)/2 - log e = 1.5."""
    assert hill_index(np.exp(np.arange(4.0)), 0.5) == pytest.approx(1.5)


@pytest.mark.parametrize("name", LAWS)
def test_a_power_law_is_known_and_its_mean_better_than_the_sample_s(name: str) -> None:
    mean, draw = LAWS[name]
    drawn = samples(draw)
    found = [(law, values) for values in drawn if (law := power_law(values))]
    assert len(found) > 0.7 * len(drawn)
    by_law = np.array([law.mean_factor * values.mean() / mean for law, values in found])
    of_sample = np.array([values.mean() / mean for values in drawn])
    assert np.abs(np.log(by_law)).mean() < np.abs(np.log(of_sample)).mean()
    errors = np.array([law.mean_error for law, _ in found])
    assert np.log(by_law).std() < 1.5 * errors.mean()


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_power_law_is_not_taken_for_one(name: str) -> None:
    drawn = samples(OTHERS[name])
    assert sum(power_law(values) is not None for values in drawn) <= 0.1 * len(drawn)


def test_too_few_customers_tell_nothing() -> None:
    assert not any(power_law(values) for values in samples(LAWS["Pareto 1.5"][1], 300))
    assert power_law(np.ones(0)) is None


def test_peers_with_a_power_law_teach_its_mean_and_are_flagged() -> None:
    random = np.random.default_rng(3)
    shape = shape_of([factor * (random.pareto(1.5, 400) + 1) for factor in (1.0, 5.0, 20.0) * 5])
    assert shape is not None
    assert shape.heavy
    assert shape.tail_index == pytest.approx(1 / 1.5, abs=0.05)
    # log mean less mean log of this law: log 3 - 1/1.5
    assert shape.distance[0] == pytest.approx(np.log(3) - 1 / 1.5, abs=0.12)
