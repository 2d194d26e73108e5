"""The bank's own figures from the oracle's judged facts: nothing here knows the ledger or its views."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tests.figures.periods import (
    HIGH_VALUE_TIERS,
    KINDS,
    after,
    by_period,
    channel_class,
    counting,
    day_of,
    effective,
    engaged,
    start_of,
)
from tests.oracle.campaign_views import ratio

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.oracle.events import Transaction
    from tests.oracle.facts import Facts, Row


def channel_mix(facts: Facts) -> list[Row]:
    rows = []
    for (kind, start), transactions in by_period(facts, counting(facts), lambda each: each.occurred_at).items():
        total = _amount(facts, transactions)
        for channel in {transaction.channel for transaction in transactions}:
            own = [transaction for transaction in transactions if transaction.channel == channel]
            rows.append(
                {
                    "period_kind": kind,
                    "period_start": start.isoformat(),
                    "channel": channel,
                    "channel_class": channel_class(channel),
                    "transactions": len(own),
                    "amount_minor": _amount(facts, own),
                    "transaction_share": len(own) / len(transactions),
                    "amount_share": ratio(_amount(facts, own), total),
                }
            )
    return rows


def transaction_figures(facts: Facts) -> list[Row]:
    rows = []
    for (kind, start), every in by_period(facts, counting(facts), lambda each: each.occurred_at).items():
        online = [each for each in every if channel_class(each.channel) == "online"]
        payments = [each for each in every if each.kind in {"payment", "transfer"}]
        cross_bank = [each for each in payments if each.cross_bank]
        wealth = [each for each in every if each.kind == "wealth_purchase"]
        wealth_online = [each for each in wealth if each in online]
        row: dict[str, Any] = {"period_kind": kind, "period_start": start.isoformat()}
        row |= {"transactions": len(every), "amount_minor": _amount(facts, every)}
        row |= _part(facts, "online", online, every, count="online_transactions", amount="online_amount_minor")
        row |= {"payments": len(payments), "payments_amount_minor": _amount(facts, payments)}
        row |= _part(
            facts, "cross_bank", cross_bank, payments, count="cross_bank_payments", amount="cross_bank_amount_minor"
        )
        row |= {"wealth_purchases": len(wealth), "wealth_amount_minor": _amount(facts, wealth)}
        row |= _part(
            facts,
            "wealth_online",
            wealth_online,
            wealth,
            count="wealth_online_purchases",
            amount="wealth_online_amount_minor",
        )
        scenarios = sum(each.scenario is not None for each in every)
        row |= {"scenario_transactions": scenarios, "scenario_share": scenarios / len(every)}
        rows.append(row)
    return rows


def _part(
    facts: Facts, name: str, part: list[Transaction], whole: list[Transaction], *, count: str, amount: str
) -> Row:
    return {
        count: len(part),
        amount: _amount(facts, part),
        f"{name}_share": ratio(len(part), len(whole)),
        f"{name}_amount_share": ratio(_amount(facts, part), _amount(facts, whole)),
    }


def _amount(facts: Facts, transactions: Iterable[Transaction]) -> int:
    return sum(effective(facts, transaction) for transaction in transactions)


def customer_figures(facts: Facts) -> list[Row]:
    seen, stays, online = _days_of_customers(facts)
    days = [day for owned in seen.values() for day in owned]
    valuable = {name for name, customer in facts.judged.customers.items() if customer.tier in HIGH_VALUE_TIERS}
    rows = []
    for kind in KINDS:
        start = start_of(kind, min(days)) if days else date.max
        while days and start <= max(days):
            end = after(kind, start)
            covered = {name for name in valuable if any(start <= day < end for day in stays[name] | online[name])}
            tail = {
                name
                for name, owned in seen.items()
                if min(owned) < start and not any(start - timedelta(days=90) <= day < start for day in stays[name])
            }
            activated = {name for name in tail if any(start <= day < end for day in stays[name])}
            rows.append(
                {
                    "period_kind": kind,
                    "period_start": start.isoformat(),
                    "high_value_customers": len(valuable),
                    "high_value_covered": len(covered),
                    "high_value_coverage": ratio(len(covered), len(valuable)),
                    "long_tail_customers": len(tail),
                    "long_tail_activated": len(activated),
                    "long_tail_activation_rate": ratio(len(activated), len(tail)),
                }
            )
            start = end
    return rows


def _days_of_customers(facts: Facts) -> tuple[dict[str, set[date]], dict[str, set[date]], dict[str, set[date]]]:
    seen: dict[str, set[date]] = defaultdict(set)
    stays: dict[str, set[date]] = defaultdict(set)
    online: dict[str, set[date]] = defaultdict(set)
    for events in (facts.logins, facts.touches, facts.judged.transactions):
        for event in events:
            seen[event.customer_id].add(day_of(facts, event.occurred_at))
    for login in facts.logins:
        if engaged(facts, login):
            stays[login.customer_id].add(day_of(facts, login.occurred_at))
    for transaction in counting(facts):
        if channel_class(transaction.channel) == "online":
            online[transaction.customer_id].add(day_of(facts, transaction.occurred_at))
    return seen, stays, online
