"""What a campaign's statistics are as of an instant: a plain batch over the events that had occurred by then.

Readings: a cost event pays for whole hours, one on the stroke of an hour for those before it; it goes back to the
payment before it of its category and variant. A customer's product is the kind of the first credited transaction.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final

from tests.oracle.credits import Catalogue, Credit, all_credits
from tests.oracle.reversals import effective_minor, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tests.oracle.config import OracleConfig
    from tests.oracle.events import Cost, Touch
    from tests.oracle.verdicts import Judged

HOUR_MS: Final = 3_600_000


@dataclass
class Expected:
    """One campaign's figures; counters are by hour since the epoch, lags in whole hours."""

    cost: dict[int, Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    touches: Counter[int] = field(default_factory=Counter)
    converters: Counter[int] = field(default_factory=Counter)
    roots: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    arrivals: Counter[int] = field(default_factory=Counter)
    lags: Counter[int] = field(default_factory=Counter)
    reversed: int = 0
    totals: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    cost_total: int = 0
    return_all: int = 0
    converters_all: int = 0
    limit: float = math.inf


def judged_by(judged: Judged, instant: int) -> Judged:
    """Return what had occurred by an instant of what counts."""
    return replace(
        judged,
        touches=[each for each in judged.touches if each.occurred_at <= instant],
        transactions=[each for each in judged.transactions if each.occurred_at <= instant],
        costs=[each for each in judged.costs if each.occurred_at <= instant],
        reversals={
            name: [each for each in reversals if each.occurred_at <= instant]
            for name, reversals in judged.reversals.items()
        },
    )


def expected(
    judged: Judged,
    config: OracleConfig,
    instant: int,
    campaign_id: str,
    wanted: Callable[[Touch, Credit | None], bool] | None = None,
    *,
    limit: float = math.inf,
) -> Expected:
    """Return a campaign's figures.

    ``wanted`` picks touches and credits of a segment, which has no cost here and is paid for up to the hour ``limit``.
    """
    known = judged_by(judged, instant)
    catalogue = Catalogue(known.campaigns, config)
    found = Expected(limit=limit)
    touches = [touch for touch in known.touches if touch.campaign_id == campaign_id]
    for touch in touches:
        if catalogue.creditable(touch) and (wanted is None or wanted(touch, None)):
            found.touches[touch.occurred_at // HOUR_MS] += 1
    if wanted is None:
        _spend(found, touches, [cost for cost in known.costs if cost.campaign_id == campaign_id], instant)
    worth = {
        (credit.transaction.event_id, credit.touch.event_id): credit.return_minor
        for credit in all_credits(known, catalogue, config)
    }
    booked: dict[str, list[Credit]] = defaultdict(list)
    for credit in all_credits(replace(known, reversals={}), catalogue, config):
        if credit.touch.campaign_id == campaign_id and (wanted is None or wanted(credit.touch, credit)):
            booked[credit.transaction.event_id].append(credit)
    _count(found, known, booked, worth, _products(catalogue, touches))
    return found


def _products(catalogue: Catalogue, touches: Sequence[Touch]) -> tuple[str, ...]:
    kinds = catalogue.of(touches[0]).kinds if touches else None
    return tuple(sorted(kinds or ()))


def _count(
    found: Expected,
    known: Judged,
    booked: dict[str, list[Credit]],
    worth: dict[tuple[str, str], int],
    products: tuple[str, ...],
) -> None:
    by_customer: dict[str, list[list[Credit]]] = defaultdict(list)
    for credits_of_one in booked.values():
        by_customer[credits_of_one[0].transaction.customer_id].append(credits_of_one)
        transaction, hour = credits_of_one[0].transaction, _first_touch(credits_of_one) // HOUR_MS
        if hour <= found.limit:
            found.arrivals[hour] += 1
            found.lags[(transaction.occurred_at - _first_touch(credits_of_one)) // HOUR_MS] += 1
            reversals = known.reversals.get(name_of(transaction), [])
            found.reversed += bool(reversals) and effective_minor(transaction, reversals) == 0
    for conversions in by_customer.values():
        total = sum(
            worth.get((credit.transaction.event_id, credit.touch.event_id), 0)
            for credits_of_one in conversions
            for credit in credits_of_one
        )
        found.return_all += total
        hour = min(map(_first_touch, conversions)) // HOUR_MS
        if total > 0:
            found.converters_all += 1
            if hour <= found.limit:
                found.converters[hour] += 1
                found.roots[hour] += total**0.5
                first = min((each[0].transaction for each in conversions), key=lambda one: (one.occurred_at, one.kind))
                found.totals[first.kind if len(products) > 1 else ""].append(total)


def _first_touch(credits_of_one: Iterable[Credit]) -> int:
    return min(credit.touch.occurred_at for credit in credits_of_one)


def _spend(found: Expected, touches: Sequence[Touch], costs: Sequence[Cost], instant: int) -> None:
    found.cost_total = sum(touch.cost_minor for touch in touches) + sum(cost.amount_minor for cost in costs)
    for touch in touches:
        found.cost[touch.occurred_at // HOUR_MS] += touch.cost_minor
    feeds: dict[tuple[str, str], list[Cost]] = defaultdict(list)
    for cost in costs:
        feeds[cost.category, cost.variant].append(cost)
    for feed in feeds.values():
        feed.sort(key=lambda cost: (cost.occurred_at, cost.amount_minor < 0))
        for place, cost in enumerate(feed):
            payment = cost
            if cost.amount_minor < 0:
                earlier = [each for each in feed[:place] if each.amount_minor >= 0]
                payment = earlier[-1] if earlier else cost
            hour = _pays_until(payment)
            before = [_pays_until(each) for each in feed if each.amount_minor >= 0 and _pays_until(each) < hour]
            paid = [each for each in found.touches if max(before, default=-math.inf) < each <= hour]
            count = sum(found.touches[each] for each in paid)
            if count and payment.amount_minor >= 0:
                for each in paid:
                    found.cost[each] += Fraction(cost.amount_minor * found.touches[each], count)
            else:
                found.cost[hour] += cost.amount_minor
        if _is_awaited(feed, found.cost_total, instant):
            newest = max(_pays_until(each) for each in feed if each.amount_minor >= 0)
            found.limit = min(found.limit, newest)


def _pays_until(cost: Cost) -> int:
    return (cost.occurred_at - 1) // HOUR_MS


def _is_awaited(feed: Sequence[Cost], cost_total: int, instant: int) -> bool:
    times = sorted({cost.occurred_at for cost in feed if cost.amount_minor >= 0})[-9:]
    if len(times) < 3 or sum(cost.amount_minor for cost in feed) < 0.05 * cost_total:
        return False
    gaps = [after - before for before, after in pairwise(times)]
    return max(gaps) <= 3 * median(gaps) and instant - times[-1] <= 3 * median(gaps)
