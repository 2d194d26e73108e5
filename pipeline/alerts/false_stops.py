"""How many of the alerts are false, over all campaigns at once, and which may fire where too many would be. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, log, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.alerts.quantiles import two_sided

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.alerts.rule import AlertRule
    from pipeline.alerts.statistics import Booleans, Floats
    from pipeline.alerts.verdict import Verdict

CONSERVATISM: Final = 4.0
"""Level of Benjamini-Hochberg over the share that is wanted.

The running p-values are those of a campaign at exactly the required ratio, and those that are clearly better are never
stopped: the level times the share of campaigns near the limit is what is false. Four allows for a quarter of them.
"""
MIN_VARIANCE: Final = 0.04
"""Variance of log ratios between campaigns that is always reckoned with: no portfolio is all alike."""


@dataclass(frozen=True, slots=True)
class FalseStops:
    """The alerts of all campaigns together.

    Attributes:
        expected_share: share of those below that are expected to settle at or above what is required; 0 without any.
        is_controlled: whether it is beyond the limit, so that Benjamini-Hochberg decides.
        may_fire: campaigns below that may fire.
    """

    expected_share: float
    is_controlled: bool
    may_fire: frozenset[str]


def false_stops(
    verdicts: Sequence[Verdict], rules: Sequence[AlertRule], limit: float, smallest: Mapping[str, float] | None = None
) -> FalseStops:
    """Return what is to be said of all campaigns' alerts.

    Args:
        verdicts: one a campaign: all that are looked at, not only those below.
        rules: theirs.
        limit: expected share of false stops beyond which only the clearest may fire.
        smallest: the smallest p-value of earlier looks by campaign, where the caller keeps them.
    """
    below = [one for one in verdicts if one.outcome == "below"]
    share = expected_false_share(verdicts, rules)
    everybody = frozenset(one.campaign_id for one in below)
    if share <= limit:
        return FalseStops(share, is_controlled=False, may_fire=everybody)
    earlier = smallest or {}
    p_values = np.array([min(one.p_value, earlier.get(one.campaign_id, 1.0)) for one in verdicts])
    clear = benjamini_hochberg(p_values, min(1.0, CONSERVATISM * limit))
    kept = {one.campaign_id for one, fires in zip(verdicts, clear.tolist(), strict=True) if fires}
    return FalseStops(share, is_controlled=True, may_fire=everybody & kept)


def benjamini_hochberg(p_values: Floats, level: float) -> Booleans:
    """Return which hypotheses are rejected at this false discovery rate (Benjamini & Hochberg 1995)."""
    count = len(p_values)
    if not count:
        return np.zeros(0, dtype=bool)
    ordered = np.sort(p_values)
    # multiplied, not divided: level * 3 / 3 may be less than level
    passing = np.flatnonzero(ordered * count <= level * np.arange(1, count + 1))
    return np.asarray(p_values <= (ordered[passing[-1]] if len(passing) else -1.0))


def holm(p_values: Floats, level: float) -> Booleans:
    """Return which hypotheses are rejected with this chance of any false one (Holm 1979)."""
    order = np.argsort(p_values, kind="stable")
    count = len(p_values)
    passing = p_values[order] * (count - np.arange(count)) <= level
    rejected = np.zeros(count, dtype=bool)
    rejected[order[: count if passing.all() else int(passing.argmin())]] = True
    return rejected


def expected_false_share(verdicts: Sequence[Verdict], rules: Sequence[AlertRule]) -> float:
    """Return the share of the campaigns below that are expected to settle at or above what is required.

    Empirical Bayes: the campaigns' log ratios over the required ones are taken to be normal, mean and variance from all
    forecasts (method of moments, DerSimonian & Laird 1986); each forecast is drawn towards them by its band. So the
    same band means more false alarms in a good portfolio than in a bad one. Campaigns below without a forecast count as
    right: they convert nobody.
    """
    rows = [(one, rule) for one, rule in zip(verdicts, rules, strict=True) if _has_band(one, rule)]
    total = sum(one.outcome == "below" for one in verdicts)
    if not rows or not total:
        return 0.0
    # a difference: the quotient by a limit near 0 is infinite, and would make everybody's share unknown
    centre = np.array([log(one.forecast.value) - log(rule.min_return_ratio) for one, rule in rows if one.forecast])
    error = np.array([_error(one, rule) for one, rule in rows])
    mean, variance = _moments(centre, error)
    precision = 1 / error**2 + 1 / variance
    expected = (centre / error**2 + mean / variance) / precision
    chance = np.array([0.5 * erfc(-value / sqrt(2)) for value in (expected * np.sqrt(precision)).tolist()])
    return float(sum(p for p, (one, _) in zip(chance.tolist(), rows, strict=True) if one.outcome == "below") / total)


def _has_band(verdict: Verdict, rule: AlertRule) -> bool:
    band = verdict.forecast
    return band is not None and band.value > 0 and band.high > band.low > 0 and rule.min_return_ratio > 0


def _error(verdict: Verdict, rule: AlertRule) -> float:
    band = verdict.forecast
    if band is None:
        return 1.0
    width = 2 * two_sided(rule.confidence)
    return min(max((log(band.high) - log(band.low)) / width, 1e-3), 10.0)


def _moments(centre: Floats, error: Floats) -> tuple[float, float]:
    """Return the mean and the variance between campaigns (DerSimonian & Laird)."""
    weight = 1 / error**2
    mean = float((weight * centre).sum() / weight.sum())
    excess = float((weight * (centre - mean) ** 2).sum()) - (len(centre) - 1)
    scale = float(weight.sum() - (weight**2).sum() / weight.sum())
    variance = max(MIN_VARIANCE, excess / scale) if scale > 1e-9 else 1.0
    weight = 1 / (error**2 + variance)
    return float((weight * centre).sum() / weight.sum()), variance
