"""What the rule is shown of a simulated campaign: a row of `Statistics` for every look. Tested against a plain loop."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import lru_cache
from math import log, sqrt
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from bench.stop_rule.campaigns import NEVER, PRODUCTS
from pipeline.alerts.statistics import HOUR_MS, POWERS, STRETCHES, Statistics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.stop_rule.campaigns import Campaign
    from pipeline.alerts.statistics import Floats, Integers

MONDAY_MS: Final = 1_767_571_200_000  # 2026-01-05, 0:00 UTC
MINUTE_MS: Final = 60_000
OLDER_HOURS: Final = max(STRETCHES) + 2
"""Columns beyond the window, as `pipeline.alerts.assembly` has them."""
_TINY: Final = 1e-6


class _Steps(NamedTuple):
    """Changes of customer totals in the order of time: from what, to what, and to whom it belongs."""

    at: Floats
    before: Floats
    after: Floats
    customer: Integers
    hour: Integers
    product: Integers
    first: Floats
    """1 where a conversion arrived, 0 where one was reversed."""
    gone: Floats
    """1 where a conversion was reversed."""

    def taken(self, chosen: Any) -> _Steps:
        """Return some of them, by mask or places."""
        columns: list[Any] = [column[chosen] for column in self]
        return _Steps(*columns)


def start_ms(campaign: Campaign) -> int:
    """Return the instant at which a campaign's first hour begins."""
    return MONDAY_MS + campaign.weekday * 24 * HOUR_MS


def rows_of(campaign: Campaign, looks: Integers, name: str = "") -> Statistics:
    """Return what is known at the end of each of these hours of a campaign, ascending.

    Args:
        campaign: the campaign.
        looks: (J,) hours; a look sees what happened before the hour's last minute was over.
        name: campaign_id of the rows.
    """
    scenario = campaign.scenario
    shape = (len(looks), scenario.hours)
    first_hour = int((campaign.touches > 0).argmax())
    steps = _steps(campaign)
    place = np.searchsorted(looks + 1.0, steps.at, side="right")
    kept = place < len(looks)
    steps, place = steps.taken(kept), place[kept]
    exists = (steps.after > 0).astype(np.float64) - (steps.before > 0)
    products = PRODUCTS if scenario.second_share else PRODUCTS[:1]
    cells, cube = (place, steps.product), (len(looks), len(products))
    total = _by_look((place,), steps.after - steps.before, shape[:1])
    by_hour = (place, steps.hour)
    gained = np.sqrt(steps.after) - np.sqrt(steps.before)
    aged = _ages(campaign, looks, _by_look(by_hour, exists, shape), _by_look(by_hour, gained, shape))
    booked = aged["cost"].sum(axis=1) + aged["cost_older"]
    unpaid = aged["touches"][:, : scenario.cost_delay_hours].sum(axis=1)
    seen = aged["touches"].sum(axis=1) + aged["touches_older"]
    return Statistics(
        campaign_id=(name,) * len(looks),
        as_of_ms=start_ms(campaign) + (looks + 1) * HOUR_MS - MINUTE_MS,
        **aged,  # type: ignore[arg-type] # all of them columns
        product_converters=_by_look(cells, exists, cube),
        sums=_power_sums(steps, cells, cube, 1),
        squares=_power_sums(steps, cells, cube, 2),
        total=total,
        largest=_largest(campaign, steps, place, len(looks)),
        cost_total=booked,
        return_all=total.copy(),
        converters_all=_by_look((place,), exists, shape[:1]),
        planned_hours=np.full(shape[0], float(scenario.hours - first_hour) if scenario.planned else np.inf),
        elapsed_hours=(looks + 1 - first_hour).astype(np.float64),
        window_hours=np.full(shape[0], float(scenario.window_hours)),
        booked_share=np.where(seen > 0, 1 - unpaid / np.maximum(seen, 1), 1.0),
        booked_age=np.full(shape[0], float(scenario.cost_delay_hours)),
        weekday=np.full(shape[0], (campaign.weekday + first_hour // 24) % 7),
        hour_of_day=np.full(shape[0], first_hour % 24),
        products=(products,) * len(looks),
        reversed=_by_look((place,), steps.gone, shape[:1]),
    )


def _ages(campaign: Campaign, looks: Integers, converters: Floats, root_values: Floats) -> dict[str, Floats]:
    """Return the columns by age and lag, given the converters and the roots of their values by touch hour."""
    scenario = campaign.scenario
    columns = min(scenario.hours, scenario.window_hours + OLDER_HOURS)
    place = np.searchsorted(looks + 1.0, _paid(campaign), side="right")
    kept = place < len(looks)
    place, touch_hour = place[kept], campaign.touch_hour[kept]
    lag = np.minimum(campaign.lag[kept].astype(np.int64), scenario.window_hours - 1)
    ages = _Ages(looks, scenario.hours, columns)
    touches, touches_older = ages.of(np.broadcast_to(campaign.touches.astype(np.float64), converters.shape))
    unbooked = slice(0, scenario.cost_delay_hours)
    cost, cost_older = ages.of(np.broadcast_to(campaign.cost, converters.shape))
    cost[:, unbooked] = 0.0
    converted, converted_older = ages.of(converters)
    arrivals, arrivals_older = ages.of(_by_look((place, touch_hour), 1.0, converters.shape))
    return {
        "cost": cost,
        "cost_older": cost_older,
        "touches": touches,
        "touches_older": touches_older,
        "converters": converted,
        "converters_older": converted_older,
        "arrivals": arrivals,
        "arrivals_older": arrivals_older,
        "root_values": ages.of(root_values)[0],
        "lags": _by_look((place, lag), 1.0, (len(looks), scenario.window_hours)),
    }


class _Ages:
    """Turns tables by touch hour into tables by age: column 0 is the look's own hour, later hours are not seen."""

    def __init__(self, looks: Integers, hours: int, columns: int) -> None:
        places = looks[:, None] - np.arange(columns)
        self._seen = places >= 0
        self._flat = np.maximum(places, 0) + np.arange(len(looks))[:, None] * hours
        self._older = np.arange(hours) <= (looks - columns)[:, None] if columns < hours else None

    def of(self, by_hour: Floats) -> tuple[Floats, Floats]:
        """Return the (J, columns) table of a (J, hours) one, and the sums of what is older."""
        table = by_hour.ravel().take(self._flat) * self._seen
        if self._older is None:
            return table, np.zeros(len(table))
        return table, (by_hour * self._older).sum(axis=1)


def scaled(rows: Statistics, factor: float) -> Statistics:
    """Return what would be known if every value were so many times larger: lags and counts stay as they are."""
    if factor == 1:
        return rows
    count = rows.product_converters
    sums, squares = rows.sums.copy(), rows.squares.copy()
    for index, power in enumerate(POWERS):
        if power:
            sums[:, :, index] *= factor**power
            squares[:, :, index] *= factor ** (2 * power)
        else:
            more = log(factor)
            squares[:, :, index] += 2 * more * sums[:, :, index] + more**2 * count
            sums[:, :, index] += more * count
    return replace(
        rows,
        sums=sums,
        squares=squares,
        total=rows.total * factor,
        largest=rows.largest * factor,
        return_all=rows.return_all * factor,
        root_values=None if rows.root_values is None else rows.root_values * sqrt(factor),
    )


def together(parts: Sequence[Statistics]) -> Statistics:
    """Return the rows of all parts, which must be of one scenario."""
    joined: dict[str, Any] = {}
    for field in fields(Statistics):
        values = [getattr(part, field.name) for part in parts]
        if isinstance(values[0], tuple):
            joined[field.name] = tuple(value for part in values for value in part)
        elif isinstance(values[0], np.ndarray):
            joined[field.name] = np.concatenate(values)
        else:
            joined[field.name] = values[0]
    return Statistics(**joined)


def _paid(campaign: Campaign) -> Floats:
    """Return when each conversion counts: when it came, but not before the cost of its touch is booked."""
    delay = campaign.scenario.cost_delay_hours
    return np.maximum(campaign.at, campaign.touch_hour + delay + _TINY) if delay else campaign.at


@lru_cache(maxsize=128)  # a campaign is looked at in several passes
def _steps(campaign: Campaign) -> _Steps:
    arrived = _paid(campaign)
    again = np.flatnonzero(campaign.reversed_at < NEVER)
    gone_at = np.maximum(campaign.reversed_at[again], arrived[again] + _TINY)
    source = np.concatenate([np.arange(len(arrived)), again])
    at = np.concatenate([arrived, gone_at])
    amount = np.concatenate([campaign.value, -campaign.value[again]])
    came = np.concatenate([np.ones(len(arrived)), np.zeros(len(again))])
    order = np.lexsort((at, campaign.customer[source]))
    source, at, amount, came = source[order], at[order], amount[order], came[order]
    customer = campaign.customer[source]
    begins = np.flatnonzero(np.diff(customer, prepend=-1))
    running = np.cumsum(amount)
    offsets = np.repeat(running[begins] - amount[begins], np.diff(begins, append=len(at)))
    after = running - offsets  # whole minor units: exact
    # a customer stands at the first touch and under the first product that were credited
    whose = np.repeat(source[begins], np.diff(begins, append=len(at)))
    steps = _Steps(
        at, after - amount, after, customer, campaign.touch_hour[whose], campaign.product[whose], came, 1 - came
    )
    return steps.taken(np.argsort(at, kind="stable"))


def _by_look(cells: tuple[Integers, ...], amounts: Floats | float, shape: tuple[int, ...]) -> Floats:
    """Sum amounts into their look and all later ones."""
    table = np.zeros(shape)
    np.add.at(table, cells, amounts)
    return np.cumsum(table, axis=0)


def _power_sums(steps: _Steps, cells: tuple[Integers, ...], shape: tuple[int, int], square: int) -> Floats:
    columns = []
    for power in POWERS:
        before, after = (_power(totals, power) ** square for totals in (steps.before, steps.after))
        columns.append(_by_look(cells, after - before, shape))
    return np.stack(columns, axis=2)


def _power(totals: Floats, power: float) -> Floats:
    there = totals > 0
    safe = np.where(there, totals, 1.0)
    return np.where(there, np.log(safe) if power == 0 else safe**power, 0.0)


def _largest(campaign: Campaign, steps: _Steps, place: Integers, rows: int) -> Floats:
    if not len(steps.at):
        return np.zeros(rows)
    if not (campaign.reversed_at < NEVER).any():
        largest = np.zeros(rows)
        np.maximum.at(largest, place, steps.after)
        return np.maximum.accumulate(largest)
    shape = (rows, int(campaign.customer.max()) + 1)
    return np.asarray(_by_look((place, steps.customer), steps.after - steps.before, shape).max(axis=1))
