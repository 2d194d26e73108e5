"""From one campaign's arrays to the columns of `Statistics`, many campaigns at once. Pure.

Every sum is taken in an order that follows from the values alone (`pipeline.alerts.conversions.Customers`), so the same
facts give the same bits, in whatever order they came, were stored or are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.alerts.conversions import Customers
from pipeline.alerts.costs import cost_by_hour, last_paid_hour
from pipeline.alerts.statistics import HOUR_MS, POWERS, STRETCHES, Statistics, column_hours

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from zoneinfo import ZoneInfo

    from pipeline.alerts.amounts import Amounts
    from pipeline.alerts.costs import CostEvent
    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.statistics import Booleans, Floats, Integers

_NO_HOURS: Final = np.empty(0, np.int64)
_NO_COST: Final = np.empty(0)
_FOREVER: Final = np.iinfo(np.int64).max


def no_customers() -> Customers:
    """Return no customers."""
    return Customers(_NO_HOURS, _NO_HOURS, _NO_COST, _NO_HOURS)


@dataclass(slots=True)
class CampaignFacts:
    """What had occurred of one campaign (or one segment of it) by an instant.

    Attributes:
        plan: its definition.
        hours: touch hours since the epoch, ascending.
        touches: creditable touches of each.
        touch_cost: the touches' own cost of each, creditable or not.
        events: cost events.
        customers: customers with credit; ``row`` is not read.
        arrival_touched_at: of every credited transaction, the first touch that was credited.
        arrival_lag_ms: from there to the transaction.
        arrival_eaten: whether reversals have left nothing of it.
        cost_hours: hours at which cost stands; made from the rest by `pay`.
        cost: the cost of each.
    """

    plan: CampaignPlan
    hours: Integers = field(default_factory=_NO_HOURS.copy)
    touches: Amounts = field(default_factory=_NO_HOURS.copy)
    touch_cost: Amounts = field(default_factory=_NO_HOURS.copy)
    events: tuple[CostEvent, ...] = ()
    customers: Customers = field(default_factory=no_customers)
    arrival_touched_at: Integers = field(default_factory=_NO_HOURS.copy)
    arrival_lag_ms: Integers = field(default_factory=_NO_HOURS.copy)
    arrival_eaten: Integers = field(default_factory=_NO_HOURS.copy)
    cost_hours: Integers = field(default_factory=_NO_HOURS.copy)
    cost: Floats = field(default_factory=_NO_COST.copy)

    def pay(self) -> CampaignFacts:
        """Put the cost events to the touches they pay for; to be called when touches or events have changed."""
        self.cost_hours, self.cost = cost_by_hour(self.hours, self.touches, self.touch_cost, self.events)
        return self

    @property
    def first_hour(self) -> int | None:
        """The hour of the first creditable touch."""
        found = np.flatnonzero(self.touches)
        return int(self.hours[found[0]]) if len(found) else None

    @property
    def last_hour(self) -> int | None:
        """The hour of the last creditable touch."""
        found = np.flatnonzero(self.touches)
        return int(self.hours[found[-1]]) if len(found) else None


def columns_needed(windows_ms: Sequence[int]) -> tuple[float, int, int]:
    """Return the length of a column in hours, and the numbers of ages and of lags, for the longest of some windows.

    Ages reach behind the window and the newest stretches, whatever the minute of the instant.
    """
    hours = max(windows_ms, default=HOUR_MS) / HOUR_MS
    unit = column_hours(hours)
    window = int(-(-hours // unit))
    return unit, window + int(-(-max(STRETCHES) // unit)) + 2, window + 1


def alike(plans: Iterable[CampaignPlan]) -> list[list[CampaignPlan]]:
    """Return campaigns in groups whose columns are as long and as many as each needs alone.

    Who judges many at once judges a group at once: a verdict must not depend on whom it is reached with. (With another
    number of rows a matrix product may be another in its last bit; a verdict would have to stand on its limit to the
    sixteenth digit to differ by that.)
    """
    groups: dict[tuple[float, int, int], list[CampaignPlan]] = {}
    for plan in plans:
        groups.setdefault(columns_needed([plan.window_ms]), []).append(plan)
    return list(groups.values())


def assemble(
    facts: Sequence[CampaignFacts], as_of_ms: Sequence[int], zone: ZoneInfo, *, ages: int | None = None
) -> Statistics:
    """Return the statistics of campaigns, each as of its instant; nothing in their facts may be later.

    The longest window says how long the columns of all are, and how many: in a group of `alike` as each needs alone.

    Args:
        facts: the rows.
        as_of_ms: the instant of each.
        zone: of the business day.
        ages: number of columns by age; at first as many as the longest window needs (`columns_needed`).
    """
    unit, needed, lags = columns_needed([one.plan.window_ms for one in facts])
    table = _Table(facts, np.array(as_of_ms, np.int64), unit, ages or needed)
    cost, cost_older = table.by_age("cost_hours", table.every("cost"), paid_only=True)
    touches, touches_older = table.by_age("hours", table.every("touches"), paid_only=False)
    row, hour = table.flat("arrival_touched_at", HOUR_MS)
    keep = table.paid(row, hour)
    arrivals, arrivals_older = table.counts_by_age(row[keep], hour[keep], np.ones(len(row[keep])))
    lag = np.minimum(table.whole("arrival_lag_ms")[keep] // int(unit * HOUR_MS), lags - 1)
    eaten = table.every("arrival_eaten")[keep].astype(np.float64)
    size = len(facts)
    values = _Values(table)
    started = [table.start(number) for number in range(size)]
    start = np.array(started, np.int64)
    local = [datetime.fromtimestamp(hour * 3600, zone) for hour in started]
    total_touches = np.array([one.touches.sum() for one in facts], np.float64)
    paid_touches = _touches_paid(table)
    ends = np.array([np.inf if one.plan.ends_at_ms is None else one.plan.ends_at_ms / HOUR_MS for one in facts])
    behind = np.where(table.limit == _FOREVER, 0.0, table.as_of / HOUR_MS - (table.limit + 1.0))
    return Statistics(
        campaign_id=tuple(one.plan.campaign_id for one in facts),
        as_of_ms=table.as_of,
        cost=cost,
        cost_older=cost_older,
        touches=touches,
        touches_older=touches_older,
        converters=values.converters,
        converters_older=values.converters_older,
        arrivals=arrivals,
        arrivals_older=arrivals_older,
        lags=np.bincount(row[keep] * lags + lag, minlength=size * lags).reshape(size, lags).astype(np.float64),
        product_converters=values.product_converters,
        sums=values.sums,
        squares=values.squares,
        total=values.total,
        largest=values.largest,
        cost_total=table.cost_total,
        return_all=values.return_all,
        converters_all=values.converters_all,
        planned_hours=np.maximum(ends - start, 0.0),
        elapsed_hours=table.as_of / HOUR_MS - start,
        window_hours=np.array([one.plan.window_ms / HOUR_MS for one in facts], np.float64),
        booked_share=np.where(total_touches > 0, paid_touches / np.maximum(total_touches, 1.0), 1.0),
        booked_age=np.maximum(behind, 0.0),
        weekday=np.array([instant.weekday() for instant in local], np.int64),
        hour_of_day=np.array([instant.hour for instant in local], np.int64),
        products=values.products,
        reversed=np.bincount(row[keep], eaten, size).astype(np.float64),
        unit_hours=unit,
        root_values=values.root_values,
    )


class _Table:
    """Campaigns' arrays end to end, with the row of each entry."""

    def __init__(self, facts: Sequence[CampaignFacts], as_of: Integers, unit: float, ages: int) -> None:
        self.facts = facts
        self.size = len(facts)
        self.as_of = as_of
        self._unit = int(unit)
        self._column = as_of // HOUR_MS // self._unit
        self._ages = ages
        self.cost_total = np.bincount(self.flat("cost_hours")[0], self.every("cost"), self.size).astype(np.float64)
        pairs = zip(facts, as_of.tolist(), self.cost_total.tolist(), strict=True)
        limits = [last_paid_hour(one.events, instant, total) if one.events else None for one, instant, total in pairs]
        self.limit = np.array([_FOREVER if limit is None else limit for limit in limits], np.int64)
        self._awaits = bool((self.limit != _FOREVER).any())

    def start(self, row: int) -> int:
        """Return the hour of a campaign's first touch, of its instant where there is none yet."""
        first = self.facts[row].first_hour
        return int(self.as_of[row]) // HOUR_MS if first is None else first

    def every(self, name: str) -> Floats:
        """Return an attribute of all campaigns, end to end."""
        return np.concatenate([getattr(one, name) for one in self.facts]) if self.facts else _NO_COST

    def whole(self, name: str) -> Integers:
        """Return an attribute of all campaigns that holds whole numbers, end to end."""
        return self.every(name).astype(np.int64, copy=False)

    def flat(self, name: str, unit_ms: int = 1) -> tuple[Integers, Integers]:
        """Return the row of each entry of an attribute that holds hours, or instants by ``unit_ms``, and its hour."""
        row = np.repeat(np.arange(self.size), [len(getattr(one, name)) for one in self.facts])
        return row, self.whole(name) if unit_ms == 1 else self.whole(name) // unit_ms

    def paid(self, row: Integers, hour: Integers) -> Booleans | slice:
        """Return which entries stand at hours whose cost is booked; mostly all do, and a slice of them is no copy."""
        return hour <= self.limit[row] if self._awaits else slice(None)

    def by_age(self, name: str, weights: Floats, *, paid_only: bool) -> tuple[Floats, Floats]:
        """Return sums by row and age of an attribute that holds hours."""
        row, hour = self.flat(name)
        if paid_only:
            keep = self.paid(row, hour)
            row, hour, weights = row[keep], hour[keep], weights[keep]
        return self.counts_by_age(row, hour, weights)

    def counts_by_age(self, row: Integers, hour: Integers, weights: Floats) -> tuple[Floats, Floats]:
        """Return sums by row and age, and those of what is older than the last column."""
        width = self._ages + 1
        age = self._column[row] - (hour if self._unit == 1 else hour // self._unit)
        places = row * width + np.minimum(age, self._ages)
        sums: Floats = np.bincount(places, weights, self.size * width).reshape(self.size, width)  # type: ignore[assignment] # floats, for there are weights
        return sums[:, :-1].copy(), sums[:, -1].copy()


def _touches_paid(table: _Table) -> Floats:
    """Return the creditable touches whose cost is booked."""
    row, hour = table.flat("hours")
    keep = table.paid(row, hour)
    return np.bincount(row[keep], table.every("touches")[keep], table.size).astype(np.float64)


class _Values:
    """What customers' totals add up to."""

    def __init__(self, table: _Table) -> None:
        facts, size = table.facts, table.size
        names = [one.plan.products for one in facts]
        width = max((len(each) for each in names), default=1)
        self.products = tuple((*each, *[""] * (width - len(each))) for each in names)
        every = [one.customers for one in facts]
        row = np.repeat(np.arange(size), [len(each.total) for each in every])
        total = np.concatenate([each.total for each in every]) if every else _NO_COST
        product = np.concatenate([each.product for each in every]) if every else _NO_HOURS
        hour = (np.concatenate([each.touched_at for each in every]) if every else _NO_HOURS) // HOUR_MS
        self.return_all = np.bincount(row, total, size).astype(np.float64)
        self.converters_all = np.bincount(row[total > 0], minlength=size).astype(np.float64)
        paid = table.paid(row, hour)
        row, total, product, hour = row[paid], total[paid], product[paid], hour[paid]
        above = total > 0
        row, total, product, hour = row[above], total[above], product[above], hour[above]
        self.converters, self.converters_older = table.counts_by_age(row, hour, np.ones(len(row)))
        self.root_values, _ = table.counts_by_age(row, hour, np.sqrt(total))
        place = row * width + product
        cells = size * width
        self.product_converters = np.bincount(place, minlength=cells).reshape(size, width).astype(np.float64)
        columns = [np.bincount(place, one, cells) for one in chain.from_iterable(map(_powers_of, [total] * 4, POWERS))]
        self.sums = np.stack(columns[::2], axis=-1).reshape(size, width, len(POWERS)).astype(np.float64)
        self.squares = np.stack(columns[1::2], axis=-1).reshape(size, width, len(POWERS)).astype(np.float64)
        self.total = np.bincount(row, total, size).astype(np.float64)
        self.largest = np.zeros(size)
        np.maximum.at(self.largest, row, total)


def _powers_of(total: Floats, power: float) -> tuple[Floats, Floats]:
    """Return z^p and z^2p of totals above 0; for the power 0 log z and log² z.

    Quarters are taken by square roots, which IEEE 754 rounds exactly: the same bits on every machine.
    """
    if power == 0.0:
        logarithm = np.log(total)
        return logarithm, logarithm * logarithm
    root = np.sqrt(total)
    if power == 0.25:
        return np.sqrt(root), root
    return (root, total) if power == 0.5 else (total, total * total)
