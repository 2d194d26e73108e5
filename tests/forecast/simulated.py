"""Campaigns whose future is known: exponential lags, cut off at the window and at the day of looking."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from pipeline.forecast.lag_curve import CohortCell
from pipeline.forecast.maturity import Converters

if TYPE_CHECKING:
    from random import Random

START: Final = date(2026, 3, 1)
WINDOW_DAYS: Final = 7
_COST_MINOR: Final = 1_000
_VALUE_MINOR: Final = 1_000


@dataclass(frozen=True, slots=True)
class Scenario:
    """A campaign touching on ``days`` days, looked at when day ``seen_days`` begins; sigma 0 = equal values."""

    days: int
    converters_a_day: float
    mean_lag_days: float
    sigma: float
    seen_days: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is seen, and what the touch days old enough to count will have returned in the end."""

    cells: list[CohortCell]
    as_of: date
    converters: Converters
    final_return: int


def simulate(random: Random, scenario: Scenario) -> Outcome:
    """Return one campaign; customers convert at random and once each."""
    seen: dict[tuple[int, int], list[int]] = defaultdict(list)
    final = 0
    time = random.expovariate(scenario.converters_a_day)
    while time < scenario.days:
        lag = random.expovariate(1 / scenario.mean_lag_days)
        if lag <= WINDOW_DAYS:
            value = round(_VALUE_MINOR * math.exp(random.gauss(0, scenario.sigma)))
            if time + lag <= scenario.seen_days:
                seen[int(time), int(lag)].append(value)
            if int(time) <= scenario.seen_days - 2:
                final += value
        time += random.expovariate(scenario.converters_a_day)
    cells = [CohortCell(START + timedelta(day), lag, len(values), sum(values)) for (day, lag), values in seen.items()]
    days = range(min(scenario.days, scenario.seen_days))
    cells += [CohortCell(START + timedelta(day), 0, cost_minor=_COST_MINOR) for day in days]
    values = [value for members in seen.values() for value in members]
    converters = Converters(len(values), sum(values), float(sum(value * value for value in values)))
    return Outcome(cells, START + timedelta(scenario.seen_days), converters, final)
