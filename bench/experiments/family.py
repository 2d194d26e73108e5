"""Several variants and metrics at once, none with an effect: how often is any of them called?"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from bench.experiments.scenarios import converted, logins, moved, returned
from bench.experiments.trials import SEED
from pipeline.experiments.always_valid import ALPHA, always_valid
from pipeline.experiments.discovery import adjusted
from pipeline.experiments.moments import Moments

_DAYS: Final = 30
_PER_DAY: Final = 150
_METRICS: Final = (converted(0.05), returned(0.05, 1.6), moved(0.1, 1.5), logins)
_VARIANTS: Final = 3  # the first is the control


def measure_family(experiments: int) -> dict[str, Any]:
    """Return in how many of a hundred experiments any comparison was called on any day."""
    random = np.random.default_rng([SEED, 8])
    plain = with_all = 0
    for _ in range(experiments):
        looks = _looks(random)
        plain += any(min(look.values()) < ALPHA for look in looks)
        with_all += any(
            min(value for value in adjusted(look).values() if value is not None) <= ALPHA
            for look in looks
            if min(look.values()) < ALPHA  # none is called that is not called alone
        )
    return {"experiments": experiments, "plain": 100 * plain / experiments, "adjusted": 100 * with_all / experiments}


def _looks(random: np.random.Generator) -> list[dict[tuple[int, int], float]]:
    """Return the p-values of every day by metric and variant; a customer's metrics share the inclination."""
    shape = (_DAYS, _PER_DAY)
    inclined, arm = random.gamma(2.0, 0.5, shape), random.integers(0, _VARIANTS, shape)
    sums = {}
    for number, draw in enumerate(_METRICS):
        values = draw(random, inclined, np.ones(shape))
        for variant in range(_VARIANTS):
            chosen = arm == variant
            columns = (chosen, (values != 0) & chosen, values * chosen, values**2 * chosen)
            sums[number, variant] = [np.cumsum(column.sum(axis=1)) for column in columns]
    return [
        {
            (number, variant): always_valid(
                _moments(sums[number, variant], day), _moments(sums[number, 0], day)
            ).p_value
            for number in range(len(_METRICS))
            for variant in range(1, _VARIANTS)
        }
        for day in range(_DAYS)
    ]


def _moments(columns: list[Any], day: int) -> Moments:
    return Moments(*(int(column[day]) for column in columns))
