"""Experiments: who is in which variant, and what became of each customer (contract section 9)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.oracle.money import aum_delta, campaign_return
from tests.oracle.reversals import effective_minor, name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.oracle.events import Campaign, Touch, Transaction
    from tests.oracle.facts import Facts

METRICS = ("converted", "return", "aum", "logins")
MONEYLESS = {"account_open", "card_activation"}  # done, they are all that was wanted, whatever their amount


@dataclass(frozen=True, slots=True)
class Unit:
    """One customer of an experiment.

    ``after`` and ``before`` are in the order of `METRICS`; ``before`` is by amounts before any reversal.
    """

    customer_id: str
    variant: str
    tier: str
    assigned_at: int
    in_two: bool
    after: tuple[int, ...]
    before: tuple[int, ...]
    cost_minor: int


def units(facts: Facts, campaign_id: str, campaign: Campaign, window_ms: int) -> list[Unit]:
    """Return everybody who is in a variant of the campaign."""
    touches: dict[str, list[Touch]] = defaultdict(list)
    for touch in facts.touches:
        if touch.campaign_id == campaign_id:
            touches[touch.customer_id].append(touch)
    has_assignments = any(touch.kind == "assign" for owned in touches.values() for touch in owned)
    found = []
    for customer_id, owned in touches.items():
        deciding = [
            touch
            for touch in owned
            if (touch.kind == "assign" if has_assignments else facts.catalogue.creditable(touch))
        ]
        if not deciding:
            continue
        first = min(deciding, key=lambda touch: (touch.occurred_at, touch.event_id))
        start = first.occurred_at
        found.append(
            Unit(
                customer_id,
                first.variant,
                facts.tier(customer_id),
                start,
                len({touch.variant for touch in deciding}) > 1,
                _after(facts, customer_id, campaign, start, start + window_ms),
                _before(facts, customer_id, campaign, start, window_ms),
                sum(touch.cost_minor for touch in owned),
            )
        )
    return found


def _after(facts: Facts, customer_id: str, campaign: Campaign, start: int, end: int) -> tuple[int, ...]:
    converted = returned = moved = 0
    for transaction in _wanted(facts, customer_id, campaign, lambda at: start <= at <= end):
        reversals = facts.judged.reversals.get(name_of(transaction), [])
        effective = effective_minor(transaction, reversals)
        if reversals and effective == 0:
            continue
        converted |= effective > 0 or transaction.kind in MONEYLESS
        returned += campaign_return(transaction, effective, campaign, facts.config.margins_bps)
        moved += aum_delta(transaction, effective)
    days = range(facts.business_day(start), facts.business_day(end) + 1)
    return converted, returned, moved, _engaged(facts, customer_id, days)


def _before(facts: Facts, customer_id: str, campaign: Campaign, start: int, window_ms: int) -> tuple[int, ...]:
    earlier = _wanted(facts, customer_id, campaign, lambda at: start - window_ms <= at < start)
    first_day = facts.business_day(start)
    length = facts.business_day(start + window_ms) - first_day + 1
    return (
        int(any(each.amount_minor > 0 or each.kind in MONEYLESS for each in earlier)),
        sum(campaign_return(each, each.amount_minor, campaign, facts.config.margins_bps) for each in earlier),
        sum(aum_delta(each, each.amount_minor) for each in earlier),
        _engaged(facts, customer_id, range(first_day - length, first_day)),
    )


def _wanted(facts: Facts, customer_id: str, campaign: Campaign, is_in_time: Callable[[int], bool]) -> list[Transaction]:
    return [
        each
        for each in facts.judged.transactions
        if each.customer_id == customer_id and is_in_time(each.occurred_at) and campaign.wants(each)
    ]


def _engaged(facts: Facts, customer_id: str, days: range) -> int:
    shortest = facts.config.engaged_seconds
    engaged = {
        facts.business_day(login.occurred_at)
        for login in facts.logins
        if login.customer_id == customer_id
        and not login.automated
        and (login.session_seconds is None or login.session_seconds >= shortest)
    }
    return len(engaged & set(days))
