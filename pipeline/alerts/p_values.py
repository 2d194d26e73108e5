"""The p-value of a campaign that is looked at again and again. Pure.

What counts is the chance that the standardised root of a campaign at exactly the required ratio *ever* reaches a
height. The table is that chance as the rule and its margins have it: the mean over 20 scenarios, among them those it
errs most in, of 10,000 simulated campaigns (``python -m bench.stop_rule --chances``). A Brownian motion over the
information, which knows nothing of guard and margins, would reach them 2.5 times as often. The last three heights,
which few of them reach, have half of its chance, and what is beyond them 2·P(Z > z).
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
        *(0.8943, 0.7987, 0.6953, 0.5919, 0.4833, 0.3797, 0.2842, 0.1979, 0.1365, 0.0904),
        *(0.0566, 0.0335, 0.0193, 0.0112, 0.0066, 0.003, 0.0016, 0.00063, 0.000245, 0.0001),
    ]
)


def p_values(standardised: Floats) -> Floats:
    """Return the running p-values as of this look; a campaign's own is the smallest of its looks so far."""
    heights = np.nan_to_num(standardised, nan=-np.inf, posinf=40.0)
    table = np.exp(np.interp(heights, HEIGHTS, np.log(CHANCES)))
    table = np.where(heights < HEIGHTS[0], 1.0, table)
    far = heights > HEIGHTS[-1]
    if far.any():
        table[far] = np.minimum(np.maximum(2 * normal_tail(heights[far]), 1e-300), CHANCES[-1])
    return table
