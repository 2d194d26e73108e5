"""Conversions that are taken back later: what share of the final return is in at an age. Pure.

Peers give q, the share of conversions that is reversed in the end, and K, the distribution of the hours from
conversion to reversal. At age a the share F(a) of all conversions has come and q·(F*K)(a) has gone again; of what
stays in the end, 1 - q, that is Fnet = (F - q·F*K)/(1 - q). It may exceed 1: what is there now and will still be
taken back.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from pipeline.alerts.lag import LagCurves
    from pipeline.alerts.statistics import Floats

MAX_SHARE: Final = 0.9
"""A product of which more is taken back has no return to speak of."""
MAX_REACH_BINS: Final = 4000


def reversal_bins(hours: Floats, unit_hours: float) -> Floats:
    """Return K on bins of this length, sum 1; without any reversal one bin of 0."""
    if not len(hours):
        return np.zeros(1)
    places = np.clip(hours / unit_hours, 0, MAX_REACH_BINS).astype(np.int64)
    counts = np.bincount(places).astype(np.float64)
    return np.asarray(counts / counts.sum())


def arrived_and_reversed(curves: LagCurves, kernel: Floats) -> tuple[Floats, Floats]:
    """Return F and F*K by bin edge, (C, n) each, to the age at which every reversal has come."""
    bins = curves.shares.shape[1] + len(kernel)
    arrived = np.concatenate([curves.shares, np.ones((len(curves.shares), len(kernel)))], axis=1)
    size = 2 ** ceil(np.log2(bins + len(kernel)))
    product = np.fft.rfft(arrived, size) * np.fft.rfft(kernel, size)
    gone = np.fft.irfft(product, size)[:, :bins]
    return arrived, np.clip(gone, 0.0, 1.0)


def median_hours(kernel: Floats, unit_hours: float) -> float:
    """Return the hours by which half of the reversals have come."""
    return float((np.searchsorted(np.cumsum(kernel), 0.5) + 1) * unit_hours)
