"""The p-value of a campaign that is looked at again and again. Pure.

Under "the settled ratio is what is required" the standardised root behaves like W(f)/f^0.15, W a Brownian motion over
the information f. What counts is the chance that it *ever* reaches a height between f = .04 (half a day of 14 days)
and 1. The table is that chance, simulated with 1,000,000 paths of hourly looks; beyond it 4·P(Z > z), which is never
less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.alerts.boundary import normal_tail

if TYPE_CHECKING:
    from pipeline.alerts.statistics import Floats

HEIGHTS: Final = np.linspace(-1.0, 3.75, 20)
CHANCES: Final = np.array(
    [
        *(0.999972, 0.999608, 0.996036, 0.97847, 0.923072, 0.812447, 0.658487, 0.495257, 0.35058, 0.233652),
        *(0.147739, 0.088231, 0.049882, 0.026753, 0.01346, 0.006416, 0.002924, 0.001261, 0.000491, 0.000189),
    ]
)


def p_values(standardised: Floats) -> Floats:
    """Return the running p-values as of this look; a campaign's own is the smallest of its looks so far."""
    heights = np.nan_to_num(standardised, nan=-np.inf, posinf=40.0)
    table = np.exp(np.interp(heights, HEIGHTS, np.log(CHANCES)))
    table = np.where(heights < HEIGHTS[0], 1.0, table)
    far = heights > HEIGHTS[-1]
    if far.any():
        table[far] = np.minimum(np.maximum(4 * normal_tail(heights[far]), 1e-300), CHANCES[-1])
    return table
