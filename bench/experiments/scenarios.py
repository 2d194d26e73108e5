"""Experiments whose truth is known: how customers come, and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Draw = "Callable[[np.random.Generator, Floats, Floats], Floats]"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of experiment.

    Attributes:
        name: what is unusual about it.
        metric: the outcome, as `roi ab` names it.
        draw: outcomes of customers, given each one's inclination (mean 1) and factor of effect (1 without).
        per_day: customers assigned a day.
        control: share of the control.
        days: how long customers come.
        ramp: share of the treated on the first day where it grows to 1 - control by the last; None = always that.
        spread: a factor by which the treated's outcomes are rarer and larger, at the same mean.
        trend: how many times the first day's inclination the last day's is.
    """

    name: str
    metric: str
    draw: Callable[[np.random.Generator, Floats, Floats], Floats]
    per_day: int = 200
    control: float = 0.5
    days: int = 60
    ramp: float | None = None
    spread: float = 1.0
    trend: float = 1.0


def converted(rate: float) -> Callable[[np.random.Generator, Floats, Floats], Floats]:
    """Return 1 for a share of the customers, 0 for the others."""

    def draw(random: np.random.Generator, inclined: Floats, factor: Floats) -> Floats:
        return (random.random(inclined.shape) < rate * np.minimum(inclined * factor, 1 / rate)).astype(np.float64)

    return draw


def returned(
    rate: float, sigma: float | None = None, tail: float | None = None
) -> Callable[[np.random.Generator, Floats, Floats], Floats]:
    """Return amounts of the few who convert: lognormal of this sigma, or Pareto of this tail index."""

    def draw(random: np.random.Generator, inclined: Floats, factor: Floats) -> Floats:
        found = random.random(inclined.shape) < rate * np.minimum(inclined, 1 / rate)
        if tail is not None:
            return np.where(found, np.ceil(10_000 * factor * (random.pareto(tail, inclined.shape) + 1)), 0.0)
        return np.where(found, np.ceil(factor * random.lognormal(9.0, sigma or 1.0, inclined.shape)), 0.0)

    return draw


def moved(rate: float, sigma: float) -> Callable[[np.random.Generator, Floats, Floats], Floats]:
    """Return deposits and withdrawals, the former a little more often."""

    def draw(random: np.random.Generator, inclined: Floats, factor: Floats) -> Floats:
        found = random.random(inclined.shape) < rate * np.minimum(inclined, 1 / rate)
        sign = np.where(random.random(inclined.shape) < 0.6, 1.0, -1.0)
        amounts = np.ceil(random.lognormal(11.0, sigma, inclined.shape))
        return np.where(found, sign * amounts * np.where(sign > 0, factor, 1.0), 0.0)

    return draw


def logins(random: np.random.Generator, inclined: Floats, factor: Floats) -> Floats:
    """Return days of a week on which a customer is engaged."""
    return random.binomial(8, np.clip(0.2 * inclined * factor, 0.0, 1.0)).astype(np.float64)


SMALL: Final = 0.1
SCENARIOS: Final = (
    Scenario("3 % convert", "converted", converted(0.03)),
    Scenario("3 % convert, control of a tenth", "converted", converted(0.03), control=SMALL),
    Scenario("0.3 % convert", "converted", converted(0.003)),
    Scenario("0.3 % convert, control of a tenth", "converted", converted(0.003), control=SMALL),
    Scenario("30 % convert", "converted", converted(0.3)),
    Scenario("30 % convert, 20 customers a day", "converted", converted(0.3), per_day=20),
    Scenario(
        "3 % convert, 2,000 a day, 3 % control", "converted", converted(0.03), per_day=2000, control=0.03, days=30
    ),
    Scenario("rate doubles over time", "converted", converted(0.03), trend=2.0),
    Scenario("σ 1.0", "return", returned(0.03, 1.0)),
    Scenario("σ 1.0, control of a tenth", "return", returned(0.03, 1.0), control=SMALL),
    Scenario("σ 1.6", "return", returned(0.03, 1.6)),
    Scenario("σ 1.6, control of a tenth", "return", returned(0.03, 1.6), control=SMALL),
    Scenario("σ 1.6, treated of a tenth", "return", returned(0.03, 1.6), control=1 - SMALL),
    Scenario("σ 2.2, control of a tenth", "return", returned(0.03, 2.2), control=SMALL),
    Scenario("Pareto 1.5 (infinite variance)", "return", returned(0.03, tail=1.5)),
    Scenario("Pareto 1.5, control of a tenth", "return", returned(0.03, tail=1.5), control=SMALL),
    Scenario("σ 1.6, 20 customers a day", "return", returned(0.1, 1.6), per_day=20),
    Scenario("σ 1.6, 20 a day, control of a tenth", "return", returned(0.1, 1.6), per_day=20, control=SMALL),
    Scenario("same mean, twice as rare, control of a tenth", "return", returned(0.06, 1.0), control=SMALL, spread=2.0),
    Scenario("same mean, twice as rare, treated of a tenth", "return", returned(0.06, 1.0), control=0.9, spread=2.0),
    Scenario("deposits and withdrawals, σ 1.5", "aum", moved(0.1, 1.5)),
    Scenario("σ 1.5, control of a tenth", "aum", moved(0.1, 1.5), control=SMALL),
    Scenario("σ 1.5, 20 customers a day", "aum", moved(0.2, 1.5), per_day=20),
    Scenario("engaged days", "logins", logins),
    Scenario("engaged days, control of a tenth", "logins", logins, control=SMALL),
    Scenario("engaged days, 20 customers a day", "logins", logins, per_day=20),
)
BROKEN: Final = (
    Scenario("shares moved from 10 to 50 % while the rate doubles", "converted", converted(0.03), ramp=0.1, trend=2.0),
)
"""Experiments that break an assumption: what happens then."""
