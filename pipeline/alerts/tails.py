"""Is the tail of values a power law, and what mean does it then have? Pure.

Of a power law with index ξ ≥ ½ the variance is infinite: the mean of a sample is mostly too low, now and then far too
high. Two portfolios of peers in three with Pareto values of exponent 1.5 taught a δ that was too low. The Hill estimate
(1975) of a power law is ξ at whatever threshold; that of a lognormal falls as the threshold rises, by 1.5 from the top
fifth to the top fiftieth. So the two can be told apart where thousands of customers tell, and the mean of the law,
u/(1 - ξ) above the threshold u, has half the error of the sample's.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from pipeline.alerts.statistics import Floats

TOP: Final = 0.10
"""Share of the values that the law is fitted to."""
PAIRS: Final = ((0.20, 0.02), (0.10, 0.01))
"""Shares whose Hill estimates are compared."""
ALIKE: Final = (0.8, 1.2)
"""Ratio of two estimates of one power law; of 40 portfolios of 30 peers 38 lie within."""
LOGNORMAL_RATIO: Final = 1.5
CERTAIN: Final = 1.3
"""Standard errors by which the ratio must be below a lognormal's."""
LARGEST_INDEX: Final = 0.85
"""Beyond it the mean is made of values that nobody has seen."""


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """A tail.

    Attributes:
        index: ξ = 1 / exponent.
        mean_factor: mean of all values by the law over the mean of the sample.
        mean_error: standard error of the logarithm of that mean.
    """

    index: float
    mean_factor: float
    mean_error: float


def power_law(ascending: Floats) -> PowerLaw | None:
    """Return the law of the upper tail of sorted positive values; None where it is none or too few tell."""
    for wide, narrow in PAIRS:
        error = 1 / sqrt(max(narrow * len(ascending), 1e-9))
        highest = min(ALIKE[1], LOGNORMAL_RATIO * (1 - CERTAIN * error))
        if highest <= ALIKE[0] or not ALIKE[0] <= _ratio(ascending, wide, narrow) <= highest:
            return None
    count = int(TOP * len(ascending))
    index = min(hill_index(ascending, TOP), LARGEST_INDEX)
    threshold = float(ascending[-count - 1])
    above = count * threshold / (1 - index)
    mean = (float(ascending[:-count].sum()) + above) / len(ascending)
    share = above / (mean * len(ascending))
    return PowerLaw(index, mean / float(ascending.mean()), share * index / (1 - index) / sqrt(count))


def _ratio(ascending: Floats, wide: float, narrow: float) -> float:
    below = hill_index(ascending, narrow)
    return hill_index(ascending, wide) / below if below > 0 else 0.0


def hill_index(ascending: Floats, share: float) -> float:
    """Return the Hill estimate of ξ from the top share of sorted values."""
    count = max(1, int(share * len(ascending)))
    return float(np.log(ascending[-count:] / ascending[-count - 1]).mean())
