"""Campaigns out of events, and what the rule is told of them: a plain second way to the columns of Statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.alerts.learning import PeerLibrary, learn
from pipeline.alerts.statistics import HOUR_MS, POWERS, FinishedCampaign, Statistics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.alerts.statistics import Floats, Integers

WINDOW = 168.0
MONDAY = 1_789_948_800_000
"""An instant at the start of an hour; weekdays stand in the rows."""


@dataclass(frozen=True)
class Events:
    """One campaign: touches by hour, and conversions as columns; hours from the first touch hour on."""

    touches: Floats
    touch: Integers
    at: Floats
    value: Floats
    customer: Integers
    product: Integers
    reversed_at: Floats
    weekday: int = 0
    unit_cost: float = 100.0
    lags: Integers | None = None


def draw(seed: int, ratio: float, hours: int = 336, **options: Any) -> Events:
    """Draw a campaign that settles at this ratio in the mean.

    Options: a_day (touches), rate (conversions per touch), lag (mean hours), sigma (of log values), reversals (share).
    """
    given = {"a_day": 600.0, "rate": 0.02, "lag": 36.0, "sigma": 1.0, "reversals": 0.0} | options
    random = np.random.default_rng(seed)
    touches = np.full(hours, np.floor(given["a_day"] / 24))
    touch = np.repeat(np.arange(hours), random.binomial(touches.astype(np.int64), given["rate"]))
    count = len(touch)
    lag = -given["lag"] * np.log1p(-random.random(count) * (1 - np.exp(-WINDOW / given["lag"])))
    mean = 100.0 * ratio / given["rate"] / (1 - given["reversals"])
    value = mean * np.exp(given["sigma"] * random.standard_normal(count) - given["sigma"] ** 2 / 2)
    at = touch + random.random(count) + np.minimum(lag, WINDOW - 1e-6)
    gone = random.random(count) < given["reversals"]
    reversed_at = np.where(gone, at + 24 + random.exponential(72, count), np.inf)
    nothing = np.zeros(count, dtype=np.int64)
    return Events(touches, touch, at, value, np.arange(count), nothing, reversed_at, lags=lag.astype(np.int64))


def statistics_at(
    rows: Sequence[tuple[Events, int]], planned: float = 336.0, columns: int = 400, **changes: Any
) -> Statistics:
    """Return what is known of each campaign when so many whole hours have passed."""
    each = [_row(events, hours, columns) for events, hours in rows]
    count = len(each)
    plain: dict[str, Any] = {name: np.array([row[name] for row in each]) for name in each[0]}
    plain |= {
        "campaign_id": tuple(f"campaign-{place}" for place in range(count)),
        "as_of_ms": np.array([MONDAY + hours * HOUR_MS for _, hours in rows], dtype=np.int64),
        "planned_hours": np.full(count, planned),
        "window_hours": np.full(count, WINDOW),
        "booked_share": np.ones(count),
        "booked_age": np.zeros(count),
        "weekday": np.array([events.weekday for events, _ in rows], dtype=np.int64),
        "hour_of_day": np.zeros(count, dtype=np.int64),
        "products": (("a", "b"),) * count,
    }
    return Statistics(**(plain | changes))


def _row(events: Events, hours: int, columns: int) -> dict[str, Any]:
    lags = events.lags if events.lags is not None else np.floor(events.at - events.touch - 0.5).astype(np.int64)
    come = (events.at < hours) & (events.touch < hours)
    gone = come & (events.reversed_at < hours)
    customers = int(events.customer.max(initial=-1)) + 1
    net = np.bincount(events.customer, weights=np.where(gone, 0.0, events.value) * come, minlength=customers)
    first = np.full(customers, np.iinfo(np.int64).max)
    np.minimum.at(first, events.customer[come], events.touch[come])
    product = np.zeros(customers, dtype=np.int64)
    product[events.customer[come][::-1]] = events.product[come][::-1]
    converted = np.flatnonzero(net > 0)
    totals = net[converted]
    by_product = [totals[product[converted] == place] for place in range(2)]
    touched = np.arange(min(hours, len(events.touches)))
    row: dict[str, Any] = {
        "lags": np.bincount(np.minimum(lags[come], 167), minlength=168).astype(np.float64),
        "product_converters": np.array([float(len(one)) for one in by_product]),
        "sums": np.array([_sums(one, 1) for one in by_product]),
        "squares": np.array([_sums(one, 2) for one in by_product]),
        "total": totals.sum(),
        "largest": totals.max(initial=0.0),
        "cost_total": events.unit_cost * events.touches[touched].sum(),
        "return_all": totals.sum(),
        "converters_all": float(len(totals)),
        "elapsed_hours": float(hours),
        "reversed": float(gone.sum()),
    }
    _by_age(row, "touches", hours - touched, events.touches[touched], columns)
    _by_age(row, "cost", hours - touched, events.unit_cost * events.touches[touched], columns)
    _by_age(row, "arrivals", hours - events.touch[come], np.ones(int(come.sum())), columns)
    _by_age(row, "converters", hours - first[converted], np.ones(len(converted)), columns)
    return row


def _sums(values: Floats, times: int) -> list[float]:
    return [float((np.log(values) ** times if power == 0 else values ** (power * times)).sum()) for power in POWERS]


def _by_age(row: dict[str, Any], name: str, ages: Integers, amounts: Floats, columns: int) -> None:
    young = ages < columns
    row[name] = np.bincount(ages[young], weights=amounts[young], minlength=columns).astype(np.float64)
    row[f"{name}_older"] = float(amounts[~young].sum())


def finish(events: Events, name: str, lag_offset: float = 0.5) -> FinishedCampaign:
    """Return what a campaign teaches once all has come."""
    lags = events.lags if events.lags is not None else np.floor(events.at - events.touch - 0.5)
    kept = np.isinf(events.reversed_at)
    first = np.unique(events.customer, return_index=True)[1]
    days = len(events.touches) // 24
    totals: dict[str, Floats] = {}
    for place, product in enumerate(("a", "b")):
        mine = kept & (events.product == place)
        net = np.bincount(events.customer[mine], weights=events.value[mine]).astype(np.float64)
        totals[product] = net[net > 0]
    return FinishedCampaign(
        campaign_id=name,
        product="savings",
        ended_at_ms=0,
        window_hours=WINDOW,
        first_weekday=events.weekday,
        touches=events.touches.reshape(days, 24).sum(axis=1),
        converters=np.bincount(events.touch[first] // 24, minlength=days).astype(np.float64),
        lags=np.asarray(lags + lag_offset, dtype=np.float64),
        reversal_hours=(events.reversed_at - events.at)[~kept],
        totals={name: values for name, values in totals.items() if len(values)},
        settled_ratio=None,
    )


def peers(count: int, seed: int = 1, **options: Any) -> list[FinishedCampaign]:
    """Return finished campaigns whose ratios differ."""
    random = np.random.default_rng(seed)
    ratios = 2.2 * np.exp(0.35 * random.standard_normal(count))
    return [finish(draw(seed * 1000 + place, ratios[place], **options), f"peer-{place}") for place in range(count)]


def library(count: int, **options: Any) -> PeerLibrary:
    return learn(peers(count, **options), "savings", WINDOW)
