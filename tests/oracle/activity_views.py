"""Active users by business day and tier (contract section 4)."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from tests.oracle.campaign_views import ratio

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.oracle.events import Login
    from tests.oracle.facts import Facts, Row

ALL_TIERS: Final = ""
WEEK_DAYS: Final = 7
MONTH_DAYS: Final = 30
DORMANT_DAYS: Final = 90

_Cell = tuple[str, int]  # tier, business day


def active_users(facts: Facts) -> list[Row]:
    """One row per business day from the first to the last with a login, for all customers and each tier among them."""
    gross = _days(facts, facts.logins)
    engaged = _days(facts, [login for login in facts.logins if _engaged(login, facts.config.engaged_seconds)])
    if not gross:
        return []
    dau = _count(facts, engaged)
    wau = _count(facts, {customer: _within(days, WEEK_DAYS) for customer, days in engaged.items()})
    mau = _count(facts, {customer: _within(days, MONTH_DAYS) for customer, days in engaged.items()})
    mau_gross = _count(facts, {customer: _within(days, MONTH_DAYS) for customer, days in gross.items()})
    reactivated = _count(facts, {customer: _reactivations(days) for customer, days in engaged.items()})
    days_with_login = {day for days in gross.values() for day in days}
    tiers = {ALL_TIERS} | {facts.tier(customer_id) for customer_id in gross}
    return [
        {
            "day": date.fromordinal(day).isoformat(),
            "tier": tier,
            "dau": dau[tier, day],
            "wau": wau[tier, day],
            "mau": mau[tier, day],
            "mau_gross": mau_gross[tier, day],
            "reactivated": reactivated[tier, day],
            "stickiness": ratio(dau[tier, day], mau[tier, day]),
        }
        for day in range(min(days_with_login), max(days_with_login) + 1)
        for tier in sorted(tiers)
    ]


def _engaged(login: Login, shortest_seconds: float) -> bool:
    return not login.automated and (login.session_seconds is None or login.session_seconds >= shortest_seconds)


def _days(facts: Facts, logins: Iterable[Login]) -> dict[str, set[int]]:
    days: dict[str, set[int]] = defaultdict(set)
    for login in logins:
        days[login.customer_id].add(facts.business_day(login.occurred_at))
    return dict(days)


def _within(days: set[int], length: int) -> set[int]:
    """Return the days whose last ``length`` days, themselves included, hold one of ``days``."""
    return {day + later for day in days for later in range(length)}


def _reactivations(days: set[int]) -> set[int]:
    ordered = sorted(days)
    return {day for before, day in pairwise(ordered) if day - before > DORMANT_DAYS}


def _count(facts: Facts, days_of: dict[str, set[int]]) -> Counter[_Cell]:
    counts: Counter[_Cell] = Counter()
    for customer_id, days in days_of.items():
        for day in days:
            counts[ALL_TIERS, day] += 1
            counts[facts.tier(customer_id), day] += 1
    return counts
