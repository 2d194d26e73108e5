"""What campaigns have brought, by business period, from the oracle's judged facts."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tests.figures.periods import WHOLE_BANK, by_period, channel_class
from tests.oracle.campaign_views import ratio
from tests.oracle.events import Cost, Touch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.figures.periods import Period
    from tests.oracle.credits import Credit
    from tests.oracle.facts import Facts, Row


def _scopes(facts: Facts) -> Iterator[tuple[str, list[Touch], list[Cost], list[Credit]]]:
    """Yield each campaign, and the bank, with its touches, cost events and credits."""
    names = {touch.campaign_id for touch in facts.touches} | {cost.campaign_id for cost in facts.costs}
    for scope in [WHOLE_BANK, *sorted(names)]:
        yield (
            scope,
            [touch for touch in facts.touches if scope in {WHOLE_BANK, touch.campaign_id}],
            [cost for cost in facts.costs if scope in {WHOLE_BANK, cost.campaign_id}],
            [credit for credit in facts.credits if scope in {WHOLE_BANK, credit.touch.campaign_id}],
        )


def _head(scope: str, period: Period, **more: Any) -> Row:
    return {"campaign_id": scope, "period_kind": period[0], "period_start": period[1].isoformat()} | more


def _own_time(event: Touch | Cost) -> int:
    return event.occurred_at


def _converted(credit: Credit) -> int:
    return credit.transaction.occurred_at


def _price(event: Touch | Cost) -> int:
    return event.amount_minor if isinstance(event, Cost) else event.cost_minor


def campaign_new_customers(facts: Facts) -> list[Row]:
    rows = []
    for scope, touches, costs, credits_ in _scopes(facts):
        opened: dict[str, int] = {}
        for credit in credits_:
            if credit.transaction.kind == "account_open":
                name = credit.transaction.customer_id
                opened[name] = min(opened.get(name, _converted(credit)), _converted(credit))
        newcomers = by_period(facts, opened.values(), lambda instant: instant)
        entries: list[Touch | Cost] = [*touches, *costs]
        spent = by_period(facts, entries, _own_time)
        for period in newcomers.keys() | spent.keys():
            count, cost = len(newcomers.get(period, [])), sum(_price(entry) for entry in spent.get(period, []))
            rows.append(_head(scope, period, new_customers=count, cost_minor=cost, cac_minor=ratio(cost, count)))
    return rows


def campaign_recommendations(facts: Facts) -> list[Row]:
    rows = []
    for scope, touches, _, _ in _scopes(facts):
        wanted = [each for each in touches if facts.catalogue.creditable(each) and each.kind in {"send", "click"}]
        for period, owned in by_period(facts, wanted, _own_time).items():
            for recommended in {touch.recommended for touch in owned}:
                group = [touch for touch in owned if touch.recommended is recommended]
                sends = [touch.customer_id for touch in group if touch.kind == "send"]
                clicks = [touch.customer_id for touch in group if touch.kind == "click"]
                both = len(set(sends) & set(clicks))
                rows.append(
                    _head(
                        scope,
                        period,
                        recommended=int(recommended),
                        sends=len(sends),
                        clicks=len(clicks),
                        click_through_rate=ratio(len(clicks), len(sends)),
                        sent_customers=len(set(sends)),
                        clicking_customers=both,
                        customer_click_through_rate=ratio(both, len(set(sends))),
                    )
                )
    return rows


def campaign_automation(facts: Facts) -> list[Row]:
    rows = []
    for scope, touches, _, _ in _scopes(facts):
        wanted = [touch for touch in touches if facts.catalogue.creditable(touch)]
        for period, owned in by_period(facts, wanted, _own_time).items():
            reached = {touch.customer_id for touch in owned}
            alone = len(reached - {touch.customer_id for touch in owned if not touch.automated})
            rows.append(
                _head(
                    scope,
                    period,
                    reached=len(reached),
                    automated_only=alone,
                    automated_reach_share=alone / len(reached),
                )
            )
    return rows


def campaign_aum(facts: Facts) -> list[Row]:
    rows = []
    for scope, _, _, credits_ in _scopes(facts):
        for period, owned in by_period(facts, credits_, _converted).items():
            tiers = defaultdict(list)
            for credit in owned:
                tiers[facts.tier(credit.touch.customer_id)].append(credit)
            rows += [
                _head(
                    scope,
                    period,
                    tier=tier,
                    aum_minor=sum(credit.aum_minor for credit in group),
                    converters=len({credit.touch.customer_id for credit in group}),
                )
                for tier, group in tiers.items()
            ]
    return rows


def campaign_aum_costs(facts: Facts) -> list[Row]:
    rows = []
    for scope, touches, costs, credits_ in _scopes(facts):
        for name in ("online", "counter", "all"):
            spent: list[Touch | Cost] = [each for each in touches if name in {"all", channel_class(each.channel)}]
            spent += costs if name == "all" else []
            brought = [each for each in credits_ if name in {"all", channel_class(each.touch.channel)}]
            costs_of, credits_of = by_period(facts, spent, _own_time), by_period(facts, brought, _converted)
            for period in costs_of.keys() | credits_of.keys():
                cost = sum(_price(entry) for entry in costs_of.get(period, []))
                aum = sum(credit.aum_minor for credit in credits_of.get(period, []))
                rows.append(
                    _head(
                        scope,
                        period,
                        channel_class=name,
                        cost_minor=cost,
                        aum_minor=aum,
                        cost_per_10k_aum_minor=cost / aum * 1_000_000 if aum > 0 else None,
                    )
                )
    return rows
