"""Random values and lags of mean one, or as their scenario has them."""

from __future__ import annotations

from math import gamma
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from bench.stop_rule.scenario import Family
    from pipeline.alerts.statistics import Floats

LATE_PART: Final = 36 / 168
"""The end of the window that late conversions fall into."""
_LOAN_SHARE: Final = 0.02
_LOAN_SIZE: Final = 40.0


def lognormal(random: np.random.Generator, count: int, sigma: float) -> Floats:
    """Return lognormal values of mean 1."""
    return np.exp(sigma * random.standard_normal(count) - sigma * sigma / 2)


def unit_values(random: np.random.Generator, count: int, family: Family, sigma: float) -> Floats:
    """Return values of mean 1."""
    if family == "lognormal":
        return lognormal(random, count, sigma)
    if family == "gamma":
        return random.gamma(0.5, 2.0, count)
    if family == "loans":
        small = lognormal(random, count, 0.6)
        loans = random.random(count) < _LOAN_SHARE
        return np.where(loans, _LOAN_SIZE * small, small) / (1 + _LOAN_SHARE * (_LOAN_SIZE - 1))
    exponent = float(family.split()[1])
    return (random.pareto(exponent, count) + 1) * (exponent - 1) / exponent


def lags_at(shares: Floats, mean_hours: Floats | float, shape: float, window_hours: float) -> Floats:
    """Return the quantiles of a Weibull lag that is cut off at the window (mean before the cut)."""
    scale = mean_hours / gamma(1 + 1 / shape)
    inside = -np.expm1(-((window_hours / scale) ** shape))
    lags = scale * (-np.log1p(-shares * inside)) ** (1 / shape)
    return np.minimum(lags, window_hours - 1e-6)


def late_lags(random: np.random.Generator, lags: Floats, share: float, window_hours: float) -> Floats:
    """Move a share of the lags to the end of the window."""
    if not share:
        return lags
    moved = random.random(len(lags)) < share
    latest = window_hours - 1e-6
    return np.where(moved, random.uniform(window_hours * (1 - LATE_PART), latest, len(lags)), lags)
