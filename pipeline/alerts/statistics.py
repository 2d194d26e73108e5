"""What the rule needs to know of campaigns as of an instant, as columns: one row a campaign (or a look at one).

The one shape between the ledger's facts and the rule: live looks, backtests, the calibration and tests all fill it, so
they cannot differ. Nothing here has occurred after its row's instant. Money in minor units, ages and lags in hours.

Only what is paid for counts: while a regular cost feed has not yet booked the newest touches (`pipeline.alerts.costs`)
they stand in ``touches`` and nowhere else, and neither do their arrivals and converters: return without its cost would
flatter, cost without its return condemn. ``…_all`` and ``cost_total`` know no such limit: they are what is shown.

Hours: column ``i`` of a matrix by age is the touch hour that began ``i`` whole hours before the hour of ``as_of``, so
column 0 is the hour under way; what is older than the last column stands in its ``…_older``. Lags are whole hours from
touch to conversion; one that is longer than the last column stands in the last. Where windows are very long the columns
may be coarser: ``unit_hours`` (`column_hours` says which), then read "hour" as that many hours since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import ceil
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Booleans = NDArray[np.bool_]

HOUR_MS: Final = 3_600_000
POWERS: Final = (0.0, 0.25, 0.5, 1.0)
"""Exponents p of the value functional M_p: 0 stands for the geometric mean (sums of logarithms)."""
STRETCHES: Final = (72, 96, 120, 168)
"""The newest touch hours that the change guard looks at, each a window that ends with the newest."""
MAX_BINS: Final = 1440
"""So many columns a window fills at most."""


def column_hours(window_hours: float) -> float:
    """Return the length of a column, in whole hours: 1 up to a window of 60 days, then as coarse as needed."""
    return float(max(1, ceil(window_hours / MAX_BINS)))


@dataclass(frozen=True, slots=True)
class BankLevel:
    """What one transaction that a goal matches is worth at this bank: who has no peers starts from it.

    Attributes:
        mean_log: mean of the logarithm of such transactions' returns (minor units).
        sd_log: their standard deviation.
    """

    mean_log: float
    sd_log: float


@dataclass(frozen=True, slots=True)
class Statistics:
    """Columns of ``B`` rows; ``A`` ages, ``L`` lags, ``K`` products.

    A *converter* is a customer whose net total (credited return less reversals) is above 0 at ``as_of``; the customer,
    not the transaction, is the unit. A converter stands at the hour of the first touch that was credited. An *arrival*
    is a credited transaction, whether or not it has been reversed since, at the first of its touches: arrivals tell the
    lag, converters the return.

    Attributes:
        campaign_id: B names.
        as_of_ms: (B,) the instants.
        cost: (B, A) cost by age of its touch hour; a cost event stands at the touches it pays for.
        cost_older: (B,) cost of older hours.
        touches: (B, A) creditable touches by age.
        touches_older: (B,)
        converters: (B, A) by age of the touch hour.
        converters_older: (B,)
        arrivals: (B, A) by age of the touch hour.
        arrivals_older: (B,)
        lags: (B, L) arrivals by lag.
        product_converters: (B, K) converters by product.
        sums: (B, K, len(POWERS)) Σ log z for power 0, Σ z^p else, over customer totals z (in minor units).
        squares: (B, K, len(POWERS)) Σ log² z for power 0, Σ z^2p else.
        total: (B,) Σ z.
        largest: (B,) the greatest z; 0 without converters.
        cost_total: (B,) everything spent.
        return_all: (B,) net return of all credits.
        converters_all: (B,) all converters.
        planned_hours: (B,) from the first touch hour to the planned end; infinite without one.
        elapsed_hours: (B,) from the first touch hour to ``as_of``.
        window_hours: (B,) attribution window.
        booked_share: (B,) share of the creditable touches so far whose cost is booked (1: all).
        booked_age: (B,) hours from the newest touch that is paid for to ``as_of``; 0 where no cost is awaited.
        weekday: (B,) of the first touch hour, Monday 0, in the zone of the business day.
        hour_of_day: (B,) of the first touch hour in that zone, 0 to 23: with the weekday, the day of every column.
        products: what the K columns stand for, by row: B tuples of names, padded with "".
        reversed: (B,) arrivals that have been fully reversed by ``as_of``; None where nobody counted them.
        unit_hours: length of a column by age or lag, in hours.
        root_values: (B, A) Σ √z by age of the touch hour: whether newer customers are worth more; None where nobody
            counted.
    """

    campaign_id: tuple[str, ...]
    as_of_ms: Integers
    cost: Floats
    cost_older: Floats
    touches: Floats
    touches_older: Floats
    converters: Floats
    converters_older: Floats
    arrivals: Floats
    arrivals_older: Floats
    lags: Floats
    product_converters: Floats
    sums: Floats
    squares: Floats
    total: Floats
    largest: Floats
    cost_total: Floats
    return_all: Floats
    converters_all: Floats
    planned_hours: Floats
    elapsed_hours: Floats
    window_hours: Floats
    booked_share: Floats
    booked_age: Floats
    weekday: Integers
    hour_of_day: Integers
    products: tuple[tuple[str, ...], ...]
    reversed: Floats | None = None
    unit_hours: float = 1.0
    root_values: Floats | None = None

    def rows(self, chosen: Sequence[int]) -> Statistics:
        """Return some of the rows."""
        part: dict[str, Any] = {}
        for one in fields(self):
            values = getattr(self, one.name)
            if isinstance(values, np.ndarray):
                part[one.name] = values[list(chosen)]
            else:
                part[one.name] = tuple(values[row] for row in chosen) if isinstance(values, tuple) else values
        return Statistics(**part)

    def __len__(self) -> int:
        return len(self.campaign_id)


@dataclass(frozen=True, slots=True)
class FinishedCampaign:
    """What a campaign that is over teaches its successors: all its conversions have come.

    Attributes:
        campaign_id: its name.
        product: whose successors it teaches.
        ended_at_ms: the last instant at which anything of it could change.
        window_hours: attribution window.
        first_weekday: of the first touch's business day, Monday 0.
        touches: (D,) creditable touches by business day, from that of the first touch on.
        converters: (D,) converters by business day of the first credited touch, reversed since or not.
        lags: (n,) hours from touch to conversion of every arrival, fractions kept.
        reversal_hours: (r,) hours from conversion to reversal of every arrival that was fully reversed.
        totals: by product name, the net customer totals above 0 (minor units).
        settled_ratio: net return per cost in the end; None without cost.
    """

    campaign_id: str
    product: str
    ended_at_ms: int
    window_hours: float
    first_weekday: int
    touches: Floats
    converters: Floats
    lags: Floats
    reversal_hours: Floats
    totals: dict[str, Floats]
    settled_ratio: float | None

    def teaches_the_same(self, other: FinishedCampaign) -> bool:
        """Tell whether two readings of a campaign agree in everything."""
        arrays = ("touches", "converters", "lags", "reversal_hours")
        return (
            all(np.array_equal(getattr(self, name), getattr(other, name)) for name in arrays)
            and self.totals.keys() == other.totals.keys()
            and all(np.array_equal(values, other.totals[name]) for name, values in self.totals.items())
            and all(
                getattr(self, one.name) == getattr(other, one.name)
                for one in fields(self)
                if one.name not in {*arrays, "totals"}
            )
        )
