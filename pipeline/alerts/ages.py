"""A peer library's curves at the ages and lags of the columns that statistics have. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline.alerts.lag import interpolated

if TYPE_CHECKING:
    from pipeline.alerts.learning import PeerLibrary
    from pipeline.alerts.statistics import Floats


class Grid(NamedTuple):
    """Number of columns by age and by lag, and the length of one in hours."""

    columns: int
    lags: int
    unit_hours: float


class CurvesAt(NamedTuple):
    """``C`` curves.

    Attributes:
        ages: (A,) mean age of what stands in a column, in hours.
        arrived: (C, A) F.
        log_arrived: (C, A) its logarithm.
        gone: (C, A) F*K; zeros where nothing is reversed.
        reverses: whether anything is.
        older: share that has come of what is older than the columns.
        prior: (C,)
        log_densities: (C, L) log f by lag.
    """

    ages: Floats
    arrived: Floats
    log_arrived: Floats
    gone: Floats
    reverses: bool
    older: float
    prior: Floats
    log_densities: Floats


@lru_cache(maxsize=64)
def curves_at(library: PeerLibrary, grid: Grid, part: float) -> CurvesAt:
    """Return a library's curves on a grid, ``part`` of whose column under way has passed: the same for a minute."""
    places = np.arange(float(grid.columns)) - 0.5 + part
    places[0] = part / 2
    ages = np.asarray(places * grid.unit_hours, dtype=np.float64)
    both = library.arrived_and_reversed
    arrived = interpolated(both[0], ages / library.unit_hours)
    reverses = library.reversed_share > 0
    prior = library.curves.prior
    return CurvesAt(
        ages=ages,
        arrived=arrived,
        log_arrived=np.asarray(np.log(np.maximum(arrived, 1e-9))),
        gone=interpolated(both[1], ages / library.unit_hours) if reverses else np.zeros_like(arrived),
        reverses=reverses,
        older=1.0 if ages[-1] >= library.window_hours else float(prior @ arrived[:, -1]),
        prior=prior,
        log_densities=library.curves.log_densities(grid.lags, grid.unit_hours),
    )
