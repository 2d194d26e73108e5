"""How conversions come after a touch: a library of curves, each the share that has come by an age. Pure.

Step 2 of rule C13 (docs/stop-rule.md): the peers' pooled curve, slower or faster (17 logarithmic stretches) and with
0, 10 or 25 % of it moved to the end of the window; 51 curves, of which a campaign's own conversions choose. Without
peers: Weibull curves (step 10), whose means grow with the window.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, gamma, log
from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.alerts.statistics import column_hours

if TYPE_CHECKING:
    from pipeline.alerts.statistics import Floats

STRETCH_LOGS: Final = np.linspace(-1.2, 1.2, 17)
LATE_SHARES: Final = ((0.0, 0.75), (0.10, 0.15), (0.25, 0.10))
"""Share of the curve that is moved to the end of the window, and its prior."""
GENERIC_LATE: Final = ((0.0, 0.85), (0.15, 0.15))
WEIBULL_SHAPES: Final = ((0.6, 0.3), (1.0, 0.5), (1.6, 0.2))
GENERIC_MEANS: Final = np.exp(np.linspace(log(3), log(100), 13)) / 168
"""Means of the generic curves as shares of the window: 3 to 100 hours of 7 days."""
HEAVY_PRIOR: Final = 0.15
"""Weight of the uniform part of the stretches' prior: a drift beyond what the peers show stays possible."""
LATE_PART: Final = 48 / 168
"""The end of the window that late conversions fall into, as a share of it."""
FLOOR: Final = 1e-7
"""Smallest probability of a bin: one odd conversion must not rule a curve out."""
FINE_BINS: Final = 72
"""A window of less than so many hours is cut into so many bins."""


@dataclass(frozen=True, slots=True, eq=False)
class LagCurves:
    """``C`` curves on one grid.

    Attributes:
        unit_hours: length of a bin.
        shares: (C, bins + 1) share of the conversions that have come by the bin's edge, 0 to 1.
        prior: (C,) probabilities, sum 1.
    """

    unit_hours: float
    shares: Floats
    prior: Floats

    def at(self, ages_hours: Floats) -> Floats:
        """Return the (C, len(ages)) shares at these ages; beyond the grid the last one."""
        return interpolated(self.shares, ages_hours / self.unit_hours)

    def log_densities(self, columns: int, column_unit: float) -> Floats:
        """Return the (C, columns) log probability of every lag column; the last takes all longer lags."""
        cumulative = self.at(np.arange(columns + 1.0) * column_unit)
        cumulative[:, -1] = 1.0
        floor = FLOOR * column_unit / self.unit_hours
        return np.asarray(np.log(np.maximum(np.diff(cumulative, axis=1), floor)))


def interpolated(table: Floats, positions: Floats) -> Floats:
    """Return the rows of a table, linear between its columns, at positions in columns; constant beyond its ends."""
    inside = np.clip(positions, 0.0, table.shape[1] - 1.0)
    left = np.minimum(inside.astype(np.int64), max(table.shape[1] - 2, 0))
    right = np.minimum(left + 1, table.shape[1] - 1)
    part = inside - left
    return np.asarray(table[:, left] * (1 - part) + table[:, right] * part)


def bin_hours(window_hours: float) -> float:
    """Return the length of a bin of a window's curves: the statistics' columns, finer for windows of hours."""
    return column_hours(window_hours) if window_hours >= FINE_BINS else max(window_hours, 1e-6) / FINE_BINS


def bin_count(window_hours: float) -> int:
    """Return how many bins the curves of a window have."""
    return max(1, ceil(window_hours / bin_hours(window_hours) - 1e-9))


def pooled_curve(lags: Floats, window_hours: float) -> Floats:
    """Return the (bins + 1,) smoothed share of these lags (hours) by bin edge.

    A moving mean of 5 bins, but for the first 6 where the curve is steep, and 0.2 % spread evenly.
    """
    bins, unit = bin_count(window_hours), bin_hours(window_hours)
    counts = np.bincount(np.clip(lags / unit, 0, bins - 1).astype(np.int64), minlength=bins).astype(np.float64)
    smooth = np.convolve(np.pad(counts, 2, mode="edge"), np.ones(5) / 5, "valid")
    smooth[:6] = counts[:6]
    smooth += 0.002 * smooth.sum() / bins
    return np.concatenate([[0.0], np.cumsum(smooth / smooth.sum())])


def spread_of_lags(lags: list[Floats]) -> float:
    """Return τ: how much the log of the mean lag differs between campaigns, beyond their noise.

    Below 3 campaigns .35, below 8 at least .3: so few cannot show how much lags differ.
    """
    if len(lags) < 3:
        return 0.35
    means = np.array([max(float(one.mean()), 1e-3) for one in lags])
    noise = np.array([(float(one.std()) / mean) ** 2 / len(one) for one, mean in zip(lags, means, strict=True)])
    spread = float(np.sqrt(np.clip(np.var(np.log(means), ddof=1) - noise.mean(), 0.01, 0.36)))
    return max(spread, 0.3) if len(lags) < 8 else spread


def stretched_curves(pooled: Floats, spread: float, window_hours: float) -> LagCurves:
    """Return the library of step 2 around a pooled curve: F_j(a) = (1 - ε)·F(a / e^g) + ε·late."""
    bins = len(pooled) - 1
    edges = np.arange(bins + 1.0)
    late = np.clip((edges / bins - (1 - LATE_PART)) / LATE_PART, 0, 1)
    tail = np.diff(pooled)[-max(1, round(LATE_PART * bins)) :].mean()
    normal = np.exp(-(STRETCH_LOGS**2) / (2 * spread**2))
    weights = (1 - HEAVY_PRIOR) * normal / normal.sum() + HEAVY_PRIOR / len(STRETCH_LOGS)
    curves, prior = [], []
    for stretch, weight in zip(STRETCH_LOGS, weights, strict=True):
        positions = edges / np.exp(stretch)
        curve = np.interp(positions, edges, pooled) + np.maximum(positions - bins, 0) * tail
        curve /= curve[-1]
        for share, likely in LATE_SHARES:
            curves.append((1 - share) * curve + share * late)
            prior.append(weight * likely)
    return _library(curves, prior, window_hours)


def generic_curves(window_hours: float) -> LagCurves:
    """Return the library of who has no peers: 3 shapes × 13 means × 2 late shares."""
    bins = bin_count(window_hours)
    parts = np.arange(bins + 1.0) / bins
    late = np.clip((parts - (1 - LATE_PART)) / LATE_PART, 0, 1)
    curves, prior = [], []
    for shape, likely_shape in WEIBULL_SHAPES:
        for mean in GENERIC_MEANS:
            curve = 1 - np.exp(-((parts / (mean / gamma(1 + 1 / shape))) ** shape))
            curve /= curve[-1]
            for share, likely in GENERIC_LATE:
                curves.append((1 - share) * curve + share * late)
                prior.append(likely_shape * likely)
    return _library(curves, prior, window_hours)


def _library(curves: list[Floats], prior: list[float], window_hours: float) -> LagCurves:
    densities = np.maximum(np.diff(np.array(curves), axis=1), FLOOR)
    densities /= densities.sum(axis=1, keepdims=True)
    shares = np.concatenate([np.zeros((len(curves), 1)), np.cumsum(densities, axis=1)], axis=1)
    weights = np.array(prior)
    return LagCurves(bin_hours(window_hours), shares, weights / weights.sum())
