"""Weekly swing of the conversion rate, and how much daily counts scatter beyond it. Pure.

Step 2 of rule C13: peers' converters per weekday k_d against e_d expected from their touches. Where Σ(k_d - e_d)²/e_d
passes 22.5·max(1, φ) (χ² with 6 degrees, 0.1 %), k_d/e_d is the profile. φ, the dispersion of daily converters
(Pearson's χ² over its degrees), is taken after the profile and counts only beyond 1.5 standard errors above 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.alerts.statistics import FinishedCampaign, Floats

SIGNIFICANT: Final = 22.5


class Days(NamedTuple):
    """Converters of one campaign by day, as they came and as its touches let expect, and the days' weekdays."""

    seen: Floats
    expected: Floats
    weekday: Floats


class Swing(NamedTuple):
    """``profile``: (7,) conversion rate of a weekday, Monday first, over the mean; ``dispersion``: φ ≥ 1."""

    profile: Floats
    dispersion: float


def swing_of(finished: Sequence[FinishedCampaign]) -> Swing:
    """Return the weekday profile and the dispersion of these campaigns."""
    days = [day for one in finished if (day := _days(one)) is not None]
    freedom = sum(len(day.seen) - 1 for day in days)
    if not freedom:
        return Swing(np.ones(7), 1.0)
    seen, expected = np.zeros(7), np.zeros(7)
    for day in days:
        seen += np.bincount(day.weekday.astype(np.int64), weights=day.seen, minlength=7)
        expected += np.bincount(day.weekday.astype(np.int64), weights=day.expected, minlength=7)
    distance = float(((seen - expected) ** 2 / np.maximum(expected, 1.0)).sum())
    plain = _dispersion(days, np.ones(7), freedom)
    swings = distance > SIGNIFICANT * max(1.0, plain)
    profile = np.where(expected > 0, np.clip(seen / np.maximum(expected, 1.0), 0.05, 20.0), 1.0)
    if not swings:
        profile = np.ones(7)
    dispersion = _dispersion(days, profile, freedom)
    return Swing(profile, dispersion if dispersion > 1 + 1.5 * np.sqrt(2 / freedom) else 1.0)


def _days(one: FinishedCampaign) -> Days | None:
    converters, touches = float(one.converters.sum()), float(one.touches.sum())
    days = max(len(one.touches), len(one.converters))
    if days < 2 or converters <= 0 or touches <= 0:
        return None
    seen, expected = np.zeros(days), np.zeros(days)  # the last days may have had touches and no converter
    seen[: len(one.converters)] = one.converters
    expected[: len(one.touches)] = one.touches * (converters / touches)
    return Days(seen, expected, ((np.arange(len(expected)) + one.first_weekday) % 7).astype(np.float64))


def _dispersion(days: list[Days], profile: Floats, freedom: int) -> float:
    total = 0.0
    for day in days:
        expected = day.expected * profile[day.weekday.astype(np.int64)]
        expected = expected * (day.seen.sum() / expected.sum())
        known = expected > 0
        total += float(((day.seen - expected)[known] ** 2 / np.maximum(expected[known], 0.05)).sum())
    return total / freedom
