"""What a converter is worth: the value functional of a product, learnt from its finished campaigns. Pure.

Steps 3 and 4 of rule C13. The mean of heavy-tailed values cannot be known from one campaign's few customers, but the
distance δ_p between the logarithm of the mean and that of a tamer functional M_p can be learnt from all peers:
M_0 = exp(mean log z), M_p = (mean z^p)^(1/p). log mean ≈ log M_p + δ_p; the power with the least noise v_p is taken.
Where the peers' tail is a power law (`pipeline.alerts.tails`) the mean is that of the law, not of what was seen of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.alerts.statistics import POWERS
from pipeline.alerts.tails import power_law

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.alerts.statistics import Floats
    from pipeline.alerts.tails import PowerLaw

HEAVY_TAIL: Final = 0.5
"""Index of a power law from which on its variance is infinite."""
MIN_VARIANCE: Final = 1e-4
"""Values that are all alike would claim to be known without any error."""


@dataclass(frozen=True, slots=True)
class ValueShape:
    """How customer totals of one product are distributed, apart from their level.

    Attributes:
        noise: v_p by power: variance per converter of log M_p.
        distance: δ_p by power.
        error: standard error of δ_p by power.
        log_variance: s², variance of log z within campaigns.
        kurtosis: k4 of the logarithms.
        shape_spread: τs², variance of log s² between campaigns beyond noise.
        tail_index: 1 / exponent of the tail where it is a power law; 0 where it is none, or too few tell.
        customers: how many it was learnt from.
    """

    noise: tuple[float, ...]
    distance: tuple[float, ...]
    error: tuple[float, ...]
    log_variance: float
    kurtosis: float
    shape_spread: float
    tail_index: float
    customers: int

    @property
    def power(self) -> int:
        """The index in `POWERS` of the functional with the least noise; the plainest of equals."""
        least = min(self.noise)
        return max(index for index, noise in enumerate(self.noise) if noise <= least)

    @property
    def heavy(self) -> bool:
        """Whether the values' variance is infinite, as far as can be seen."""
        return self.tail_index > HEAVY_TAIL


COLD_SHAPE: Final = ValueShape(
    noise=(9.0, 9.0, 1.40, 9.0),
    distance=(0.6, 0.45, 0.30, 0.0),
    error=(0.0, 0.0, 0.0, 0.0),
    log_variance=1.2,
    kurtosis=3.0,
    shape_spread=0.25,
    tail_index=0.0,
    customers=0,
)
"""What is assumed without any peer (step 10)."""


def shape_of(totals: Sequence[Floats]) -> ValueShape | None:
    """Return the shape of customer totals (> 0), one array a campaign; None where they are too few to tell."""
    kept = [one for one in totals if len(one)]
    customers, campaigns = sum(map(len, kept)), len(kept)
    if customers - campaigns < 2:
        return None
    law = power_law(np.sort(np.concatenate([one / _middle(one, 0.0) for one in kept])))
    measured = [_functional(kept, power, law) for power in POWERS]
    deviations = np.concatenate([np.log(one) - np.log(one).mean() for one in kept])
    variance = max(float((deviations**2).mean()), MIN_VARIANCE)
    kurtosis = float(np.clip((deviations**4).mean() / variance**2, 1.5, 100.0))
    return ValueShape(
        noise=tuple(noise for noise, _, _ in measured),
        distance=tuple(distance for _, distance, _ in measured),
        error=tuple(error for _, _, error in measured),
        log_variance=measured[0][0],
        kurtosis=kurtosis,
        shape_spread=_shape_spread(kept, kurtosis),
        tail_index=law.index if law else 0.0,
        customers=customers,
    )


def _middle(values: Floats, power: float) -> float:
    if power == 0:
        return exp(float(np.log(values).mean()))
    scale = float(values.max())
    inner = float(((values / scale) ** power).mean())
    return scale * float(inner ** (1 / power))


def _functional(totals: Sequence[Floats], power: float, law: PowerLaw | None) -> tuple[float, float, float]:
    """Return v_p, δ_p and its standard error (step 3)."""
    customers, campaigns = sum(map(len, totals)), len(totals)
    scaled = np.concatenate([one / _middle(one, power) for one in totals])
    bent = np.log(scaled) if power == 0 else (scaled**power - 1) / power
    mean = float(scaled.mean())
    freedom = customers - campaigns
    noise = max(float((bent**2).sum()) / freedom, MIN_VARIANCE)
    together = float(((scaled / mean - 1) * bent).mean()) * customers / freedom
    # each campaign's M_p is itself an estimate from few customers; to first order that moves δ by so much
    correction = (together - noise * (1 + power) / 2) * campaigns / customers
    if law is None:
        return noise, log(mean) + correction, float(scaled.std()) / mean / sqrt(customers)
    return noise, log(mean * law.mean_factor) + correction, law.mean_error


def _shape_spread(totals: Sequence[Floats], kurtosis: float) -> float:
    own = [(float(np.var(np.log(one), ddof=1)), len(one)) for one in totals if len(one) > 8]
    if len(own) <= 2:
        return 0.25
    logs = np.log(np.maximum([variance for variance, _ in own], MIN_VARIANCE))
    noise = float(np.mean([(kurtosis - 1) / count for _, count in own]))
    return max(0.0, float(np.var(logs, ddof=1)) - noise)
