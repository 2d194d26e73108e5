"""How much of the spent cost has had its time: the matured cost A, and what of it belongs to the newest touches. Pure.

Steps 1, 2 and 6 of rule C13. Every curve F_j of the library would make the matured cost A_j = Σ_h cost_h·F_j(age).
How likely each is, the campaign's own conversions tell: Σ log f_j(lag) - Σ_h arrivals_h·log F_j(age), the likelihood
of lags that are truncated at the age of their touch (Kalbfleisch & Lawless 1989), so that a change in rate does not
fake a lag. A is the lower 10 % quantile of A_j under these weights, Ā their mean.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from pipeline.alerts.ages import CurvesAt, Grid, curves_at
from pipeline.alerts.reversals import MAX_SHARE
from pipeline.alerts.statistics import HOUR_MS, STRETCHES

if TYPE_CHECKING:
    from pipeline.alerts.learning import PeerLibrary
    from pipeline.alerts.statistics import Floats, Integers, Statistics

LOW_QUANTILE: Final = 0.10
WEEK_HOURS: Final = 168


@dataclass(frozen=True, slots=True)
class Matured:
    """What the lag says of ``B`` rows; money in minor units.

    Attributes:
        low: (B,) A, the lower quantile of the matured cost.
        mean: (B,) Ā, its mean.
        log_spread: (B,) standard deviation of its logarithm.
        cost: (B,) the booked cost that it is a part of, weighted by weekday as it is.
        planned: (B,) A at the planned end, if the cost goes on as so far; infinite without an end.
        newest: (B, stretches) Ā of the newest touch hours.
        newest_converters: (B, stretches) converters of those touches.
        newest_roots: (B, stretches) Σ √z of those converters; 0 where nobody counted.
        touches: (B,) touches that have had their time.
        upfront_hours: (B,) by how much the cost is older than the touches, mean age against mean age.
        reversed_share: (B,) q, as the campaign's own reversals let expect.
    """

    low: Floats
    mean: Floats
    log_spread: Floats
    cost: Floats
    planned: Floats
    newest: Floats
    newest_converters: Floats
    newest_roots: Floats
    touches: Floats
    upfront_hours: Floats
    reversed_share: Floats


def empty_matured(rows: int) -> Matured:
    """Return columns to be filled group by group."""
    two = {"newest", "newest_converters", "newest_roots"}
    return Matured(
        **{one.name: np.zeros((rows, len(STRETCHES)) if one.name in two else rows) for one in fields(Matured)}
    )


def fill(into: Matured, rows: Integers, statistics: Statistics, library: PeerLibrary, phase: Phase) -> None:
    """Compute the matured columns of rows that share a library and the phase of their instants."""
    group = Group(statistics, _view(rows))
    curves = curves_at(library, group.grid, phase.part)
    cost, older = _weighted(group, library, phase)
    weights = _posterior(group, curves)
    arrived, gone = _by_curve(cost, older, curves)
    share = _own_reversals(group, library, weights, arrived, gone)
    by_curve = (arrived - share[:, None] * gone) / (1 - share[:, None])
    mean = (weights * by_curve).sum(axis=1)
    spent = cost.sum(axis=1) + older
    distance = np.log(np.maximum(by_curve, 1e-300)) - np.log(np.maximum(mean, 1e-300))[:, None]
    into.low[rows] = _quantile(by_curve, weights)
    into.mean[rows] = mean
    into.log_spread[rows] = np.sqrt(np.where(mean > 0, (weights * np.clip(distance, -9, 9) ** 2).sum(axis=1), 0))
    into.cost[rows] = spent
    into.planned[rows] = _planned(group, library, spent)
    into.reversed_share[rows] = share
    per_age = weights @ curves.arrived
    if library.reversed_share:
        per_age = (per_age - share[:, None] * (weights @ curves.gone)) / (1 - share[:, None])
    ends = _newest(group, cost)
    into.newest[rows] = _until(cost * per_age, ends)
    into.newest_converters[rows] = _until(group.column("converters"), ends)
    if group.statistics.root_values is not None:
        into.newest_roots[rows] = _until(group.column("root_values"), ends)
    touches = group.column("touches")
    into.touches[rows] = np.einsum("ba,ba->b", touches, per_age) + group.column("touches_older") * curves.older
    into.upfront_hours[rows] = _upfront(group, curves.ages)


class Phase(NamedTuple):
    """Where in its column and in its week an instant stands.

    Attributes:
        part: share of the column under way that has passed, 0 to 1.
        hour_of_week: hours since Monday 0:00, in the business day's zone; the start of the column under way.
    """

    part: float
    hour_of_week: int


def phases_of(statistics: Statistics) -> tuple[Floats, Integers]:
    """Return the parts and the hours of the week of all rows' phases."""
    unit = statistics.unit_hours
    columns = statistics.as_of_ms / (HOUR_MS * unit)
    first = statistics.weekday * 24 + statistics.hour_of_day
    passed = np.floor(statistics.elapsed_hours / unit) * unit
    return columns - np.floor(columns), (first + passed).astype(np.int64) % WEEK_HOURS


class Group:
    """Some rows of statistics; without a copy where they stand one after the other."""

    def __init__(self, statistics: Statistics, rows: Integers | slice) -> None:
        self.statistics = statistics
        self.grid = Grid(statistics.cost.shape[1], statistics.lags.shape[1], statistics.unit_hours)
        self._rows = rows
        self._columns: dict[str, Floats] = {}

    def column(self, name: str) -> Floats:
        """Return a column of the statistics."""
        if name not in self._columns:
            self._columns[name] = getattr(self.statistics, name)[self._rows]
        return self._columns[name]


def _view(rows: Integers) -> Integers | slice:
    first, last = int(rows[0]), int(rows[-1])
    return slice(first, last + 1) if last - first + 1 == len(rows) else rows


def _weighted(group: Group, library: PeerLibrary, phase: Phase) -> tuple[Floats, Floats]:
    """Return the cost by age and of older hours, weighted by the weekday's rate; the planned total is kept (step 2)."""
    cost, older = group.column("cost"), group.column("cost_older")
    if not library.swings:
        return cost, older
    unit = group.statistics.unit_hours
    hours = phase.hour_of_week - np.arange(cost.shape[1]) * unit
    weekday = (hours // 24 % 7).astype(np.int64)
    profile = np.array(library.weekday_profile)
    each = np.eye(7)[weekday]
    planned = np.where(np.isfinite(group.column("planned_hours")), group.column("planned_hours"), WEEK_HOURS)
    elapsed = group.column("elapsed_hours")
    # hours of each weekday in the plan: whole weeks, and the days that its beginning falls on
    first = (phase.hour_of_week + unit - elapsed) // 24
    rest = np.clip(planned[:, None] % WEEK_HOURS - 24 * ((np.arange(7) - first[:, None]) % 7), 0, 24)
    hours_planned = planned[:, None] // WEEK_HOURS * 24 + rest
    seen = np.minimum(elapsed[:, None] // unit, cost.shape[1]) > np.arange(cost.shape[1])
    exposed = seen.astype(np.float64) @ each
    spent = cost @ each
    overall = spent.sum(axis=1, keepdims=True) / np.maximum(exposed.sum(axis=1, keepdims=True), 1)
    rate = np.where(exposed > 0, spent / np.maximum(exposed, 1), overall)
    plain = (hours_planned * rate).sum(axis=1)
    swung = (hours_planned * rate) @ profile
    scale = np.where((plain > 0) & (swung > 0), plain / np.where(swung > 0, swung, 1), 1.0)
    return cost * profile[weekday] * scale[:, None], older


def _posterior(group: Group, curves: CurvesAt) -> Floats:
    """Return the (B, C) probabilities of the curves after the campaign's own conversions."""
    last = curves.log_arrived[:, -1] if curves.older < 1 else np.zeros(len(curves.prior))
    log_weights = group.column("lags") @ curves.log_densities.T
    log_weights -= group.column("arrivals") @ curves.log_arrived.T
    log_weights -= group.column("arrivals_older")[:, None] * last
    log_weights += np.log(curves.prior)
    log_weights -= log_weights.max(axis=1, keepdims=True)
    weights = np.exp(log_weights)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _by_curve(cost: Floats, older: Floats, curves: CurvesAt) -> tuple[Floats, Floats]:
    """Return Σ cost·F_j and Σ cost·(F_j*K), (B, C) each; what is older than the columns has settled as far as F has."""
    arrived = cost @ curves.arrived.T
    gone = cost @ curves.gone.T if curves.reverses else np.zeros_like(arrived)
    # older cost at its final value, q of it gone again: (F - q·gone)/(1 - q) is then F, not beyond it
    settled = curves.arrived[:, -1] if curves.older < 1 else np.ones(len(curves.arrived))
    return arrived + older[:, None] * settled, gone + older[:, None] * settled


def _own_reversals(group: Group, library: PeerLibrary, weights: Floats, arrived: Floats, gone: Floats) -> Floats:
    """Return q by row: the peers', drawn to the campaign's own reversals as far as those have had their time.

    Gamma prior with the peers' mean and variation, Poisson counts: q·(α + seen) / (α + expected). Which part of them
    has had its time, the matured cost tells; where there is none, nothing does, and the peers' share stands.
    """
    share = np.full(len(weights), library.reversed_share)
    if not library.reversed_share or group.statistics.reversed is None:
        return share
    arrivals = group.column("arrivals").sum(axis=1) + group.column("arrivals_older")
    come = (weights * arrived).sum(axis=1)
    known = come > 0
    timely = np.clip((weights * gone).sum(axis=1) / np.where(known, come, 1.0), 0, 1)
    prior = library.reversal_strength
    drawn = share * (prior + group.column("reversed")) / (prior + share * arrivals * timely)
    return np.asarray(np.where(known, np.clip(drawn, 0, MAX_SHARE), share))


def _quantile(by_curve: Floats, weights: Floats) -> Floats:
    """Return the lower quantile of each row's values under its weights."""
    order = np.argsort(by_curve, axis=1)
    reached = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1) >= LOW_QUANTILE
    place = np.take_along_axis(order, reached.argmax(axis=1)[:, None], axis=1)
    return np.take_along_axis(by_curve, place, axis=1)[:, 0]


def _planned(group: Group, library: PeerLibrary, spent: Floats) -> Floats:
    """Return Σ planned cost_h·F̄(end - h), the cost planned as it was spent so far; F̄ is the library's mean curve."""
    mean = library.mean_curve
    unit = library.unit_hours
    integral = np.concatenate([[0.0], np.cumsum((mean[1:] + mean[:-1]) / 2 * unit)])
    hours = np.maximum(group.column("planned_hours"), group.column("elapsed_hours"))
    finite = np.where(np.isfinite(hours), hours, 0.0)
    reach = (len(mean) - 1) * unit
    area = np.interp(finite / unit, np.arange(len(mean)), integral) + np.maximum(finite - reach, 0) * mean[-1]
    booked_hours = np.maximum(group.column("elapsed_hours") - group.column("booked_age"), 1.0)
    return np.where(np.isfinite(hours), spent / booked_hours * area, np.inf)


def _newest(group: Group, cost: Floats) -> Integers:
    """Return the (B, stretches) last columns of the stretches, which end with the newest hour that is paid for."""
    start = (cost > 0).argmax(axis=1)
    unit = group.statistics.unit_hours
    ends = start[:, None] + np.array([max(1, round(hours / unit)) for hours in STRETCHES])
    return np.asarray(np.minimum(ends, cost.shape[1]) - 1)


def _until(table: Floats, ends: Integers) -> Floats:
    """Return the (B, stretches) sums of columns 0 to each end."""
    return np.take_along_axis(np.cumsum(table[:, : int(ends.max()) + 1], axis=1), ends, axis=1)


def _upfront(group: Group, ages: Floats) -> Floats:
    # a correction has no age of its own: with it the mean age would lie anywhere, once little is left of the sum
    cost, touches = np.maximum(group.column("cost"), 0), group.column("touches")
    cost_sum, touch_sum = cost.sum(axis=1), touches.sum(axis=1)
    known = (cost_sum > 0) & (touch_sum > 0)
    distance = (cost @ ages) / np.where(known, cost_sum, 1) - (touches @ ages) / np.where(known, touch_sum, 1)
    return np.where(known, distance, 0.0)
