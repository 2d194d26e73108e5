"""Normal quantiles of a rule's confidence, whatever number between 0 and 1 it is. Pure."""

from __future__ import annotations

from statistics import NormalDist
from typing import Final

_LEAST: Final = 5e-324


def two_sided(confidence: float) -> float:
    """Return z with P(|Z| ≤ z) = confidence, above 0.

    By way of the lower tail: (1 + confidence) / 2 rounds to 1 for the greatest number below 1, and 1 has no quantile.
    """
    return max(-NormalDist().inv_cdf((1 - confidence) / 2), _LEAST)
