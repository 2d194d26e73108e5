"""The conversion-lag curve of a campaign, from cohorts that are still too young to show long lags. Pure.

Lags are *right-truncated*: a cohort of touches shows a lag only once it is old enough to have lived through it, so
the plain distribution of the lags seen so far leans to short ones. The curve here is the non-parametric maximum
likelihood estimate under right truncation (Lagakos, Barraj and De Gruttola 1988; Kalbfleisch and Lawless 1989). With
``T(d)`` the longest lag that cohort ``d`` has completely lived through, and sums over cohorts::

    g(l) = sum of x(d, l) over T(d) >= l  /  sum of x(d, 0..l) over T(d) >= l      (reverse hazard)
    F(l) = product of (1 - g(k)) over k > l                                        (share seen by lag l)

In discrete time ``1 / (1 - g(l))`` is the development factor of the chain ladder (Mack 1993), so the same formula
serves conversions (counts) and return (money).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

_DAYS_OF_A_CELL: Final = 2  # a lag of 0 days after a touch late on its day ends on the evening of the next day

Measure = Literal["conversions", "return_minor"]


@dataclass(frozen=True, slots=True)
class CohortCell:
    """A row of the view ``campaign_cohorts``: what the touches of one business day brought at one lag."""

    touch_day: date
    lag_day: int
    conversions: float = 0.0
    return_minor: int = 0
    cost_minor: int = 0


@dataclass(frozen=True, slots=True)
class LagStep:
    """One lag day of a curve.

    Attributes:
        lag_day: whole 24-hour days from touch to transaction.
        cohorts: touch days old enough to show this lag.
        at_lag: what these cohorts brought at exactly this lag.
        through_lag: what they brought up to and including it.
        share: estimated share of everything up to the curve's last lag that comes by the end of this one.
    """

    lag_day: int
    cohorts: int
    at_lag: float
    through_lag: float
    share: float


def longest_lag(touch_day: date, as_of: date) -> int:
    """Return the longest whole lag a cohort has lived through when ``as_of`` has only begun; negative: not even 0."""
    return (as_of - touch_day).days - _DAYS_OF_A_CELL


def last_mature_day(as_of: date) -> date:
    """Return the newest touch day that is old enough to show any lag."""
    return as_of - timedelta(days=_DAYS_OF_A_CELL)


def last_lag_of_window(window_days: float) -> int:
    """Return the lag day in which an attribution window ends.

    A conversion at the very end of a window of whole days has a lag day of its own; it counts with the one before.
    """
    return max(0, math.ceil(window_days) - 1)


def completed(cells: Iterable[CohortCell], as_of: date, last_lag: int) -> dict[date, list[CohortCell]]:
    """Return the cells whose lag their cohort has lived through, by touch day; lags past the last count with it.

    Every touch day old enough to show any lag has an entry.
    """
    cohorts: dict[date, list[CohortCell]] = {}
    for cell in cells:
        age = longest_lag(cell.touch_day, as_of)
        if age < 0:
            continue
        cohort = cohorts.setdefault(cell.touch_day, [])
        if min(cell.lag_day, last_lag) <= age:
            cohort.append(cell)
    return dict(sorted(cohorts.items()))


def lag_curve(cells: Iterable[CohortCell], *, as_of: date, last_lag: int, measure: Measure) -> tuple[LagStep, ...]:
    """Return the curve up to the last lag that any cohort has lived through.

    Args:
        cells: rows of ``campaign_cohorts`` of one campaign, in any order.
        as_of: business day up to whose beginning the transactions are known.
        last_lag: lag day in which the attribution window ends.
        measure: what the shares are shares of.

    Returns:
        One step per lag day from 0; empty while no cohort has lived through any. Shares end at 1; they never fall,
        unless reversals or negative margins make the amount at a lag negative. Where nothing came at all, the shares
        are 1: nothing is missing.
    """
    triangle = Triangle(completed(cells, as_of, last_lag), as_of, last_lag, measure)
    return triangle.steps()


class Triangle:
    """A measure by cohort and lag, as far as each cohort shows it: the run-off triangle of the chain ladder."""

    def __init__(self, cohorts: dict[date, list[CohortCell]], as_of: date, last_lag: int, measure: Measure) -> None:
        self.ages = [min(longest_lag(day, as_of), last_lag) for day in cohorts]
        self.amounts = [[0.0] * (age + 1) for age in self.ages]
        for row, members in zip(self.amounts, cohorts.values(), strict=True):
            for cell in members:
                row[min(cell.lag_day, last_lag)] += getattr(cell, measure)

    @property
    def totals(self) -> list[float]:
        """What each cohort has brought within the lags it has lived through."""
        return [math.fsum(row) for row in self.amounts]

    def steps(self) -> tuple[LagStep, ...]:
        """Return the estimated curve."""
        sums = [self._sums(lag) for lag in range(max(self.ages, default=-1) + 1)]
        shares = _shares([(at_lag, through) for _, at_lag, through in sums])
        return tuple(
            LagStep(lag, cohorts, at_lag, through, share)
            for lag, ((cohorts, at_lag, through), share) in enumerate(zip(sums, shares, strict=True))
        )

    def _sums(self, lag: int) -> tuple[int, float, float]:
        rows = [row[: lag + 1] for row in self.amounts if len(row) > lag]
        return len(rows), math.fsum(row[lag] for row in rows), math.fsum(math.fsum(row) for row in rows)


def _shares(sums: Sequence[tuple[float, float]]) -> list[float]:
    share, shares = 1.0, []
    for at_lag, through in reversed(sums):
        shares.append(share)
        # as the ratio of two sums, so that a lag before which nothing ever came gives a plain 0
        share *= (through - at_lag) / through if through else 1.0
    return shares[::-1]
