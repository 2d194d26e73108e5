"""Cost by the hour of the touches it pays for, and how far a regular cost feed has come. Pure.

A cost event pays for the touches since the one before it, of the same category and variant: it is spread over those
hours in proportion to their creditable touches. Hours are whole: an event belongs to the hour it is in, on the stroke
of an hour to the hour before; events of one hour are one payment. A correction (a negative amount) changes the newest
payment before it. Where there is no touch to pay for, cost stands at the payment's own hour.

A feed is *awaited* while it is regular (at least three payments, no gap above three times the middle one), alive (the
next one is not overdue by three times that) and matters (5 % of the cost): touches behind its newest payment are not
paid for yet.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from pipeline.alerts.statistics import HOUR_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.alerts.amounts import Amounts
    from pipeline.alerts.statistics import Floats, Integers

_PAYMENTS: Final = 9  # the newest so many tell whether a feed is regular
_FEWEST: Final = 3
_PATIENCE: Final = 3
_MATTERS: Final = 0.05


class CostEvent(NamedTuple):
    """A cost event; ``amount_minor`` below 0 corrects."""

    category: str
    variant: str
    at: int
    amount_minor: int

    @property
    def feed(self) -> tuple[str, str]:
        """Events of one feed pay for one stretch after the other."""
        return self.category, self.variant


def paid_hour(at_ms: int) -> int:
    """Return the last hour that a payment at an instant pays for."""
    return (at_ms - 1) // HOUR_MS


def cost_by_hour(
    hours: Integers, touches: Amounts, touch_cost: Amounts, events: Sequence[CostEvent]
) -> tuple[Integers, Floats]:
    """Return hours, ascending, and the cost that stands at each.

    Args:
        hours: touch hours since the epoch, ascending.
        touches: creditable touches of each.
        touch_cost: the touches' own cost of each.
        events: the campaign's cost events, in any order.
    """
    cost = touch_cost.astype(np.float64)
    before = np.concatenate([[0], np.cumsum(touches)])
    extra: dict[int, float] = {}
    for _, feed in _feeds(events):
        payments, unpaid = _payments(feed)
        for hour, amount in unpaid:
            extra[hour] = extra.get(hour, 0.0) + amount
        if not payments:
            continue
        until = np.array(list(payments), np.int64)
        amounts = np.array(list(payments.values()), np.float64)
        ends = before[np.searchsorted(hours, until, "right")]
        paid = np.diff(ends, prepend=0)
        rates = np.where(paid > 0, amounts / np.maximum(paid, 1), 0.0)
        place = np.searchsorted(until, hours, "left")
        cost += touches * np.append(rates, 0.0)[place]
        for hour, amount in zip(until[paid == 0].tolist(), amounts[paid == 0].tolist(), strict=True):
            extra[hour] = extra.get(hour, 0.0) + amount
    if not extra:
        return hours, cost
    names = np.union1d(hours, np.array(list(extra), np.int64))
    merged = np.zeros(len(names))
    merged[np.searchsorted(names, hours)] = cost
    for hour in sorted(extra):
        merged[np.searchsorted(names, hour)] += extra[hour]
    return names, merged


def last_paid_hour(events: Sequence[CostEvent], as_of_ms: int, cost_total: float) -> int | None:
    """Return the last touch hour whose cost is booked; None where no cost is awaited."""
    found: int | None = None
    for feed in _regular_feeds(tuple(events)):
        if feed.amount_minor >= _MATTERS * cost_total and as_of_ms - feed.newest <= _PATIENCE * feed.gap:
            hour = paid_hour(feed.newest)
            found = hour if found is None else min(found, hour)
    return found


class _Feed(NamedTuple):
    """A regular feed: all that it has paid, the middle gap between its newest payments, and the newest."""

    amount_minor: int
    gap: float
    newest: int


@lru_cache(maxsize=1024)
def _regular_feeds(events: tuple[CostEvent, ...]) -> tuple[_Feed, ...]:
    """Return the regular feeds among cost events: the same for as long as nothing new is booked."""
    found = []
    for _, feed in _feeds(events):
        times = sorted({event.at for event in feed if event.amount_minor >= 0})[-_PAYMENTS:]
        if len(times) < _FEWEST:
            continue
        gaps = np.diff(np.array(times, np.int64))
        middle = float(np.median(gaps))
        if gaps.max() <= _PATIENCE * middle:
            found.append(_Feed(sum(event.amount_minor for event in feed), middle, times[-1]))
    return tuple(found)


def _feeds(events: Sequence[CostEvent]) -> Iterator[tuple[tuple[str, str], list[CostEvent]]]:
    for name, feed in groupby(sorted(events), key=attrgetter("feed")):
        yield name, list(feed)


def _payments(feed: Sequence[CostEvent]) -> tuple[dict[int, int], list[tuple[int, int]]]:
    """Return amounts by the last hour paid for, ascending, and corrections of nothing by their own hour."""
    payments: dict[int, int] = {}
    orphans: list[tuple[int, int]] = []
    newest: int | None = None
    for event in sorted(feed, key=lambda event: (event.at, event.amount_minor < 0, event.amount_minor)):
        hour = paid_hour(event.at)
        if event.amount_minor >= 0:
            newest = hour
            payments[hour] = payments.get(hour, 0) + event.amount_minor
        elif newest is None:
            orphans.append((hour, event.amount_minor))
        else:
            payments[newest] += event.amount_minor
    return payments, orphans
