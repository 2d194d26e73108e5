"""Costs, vouchers and budgets from the oracle's judged facts."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from schemas import topics
from tests.oracle.campaign_views import ratio
from tests.oracle.parsing import read_event

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.oracle.events import Touch
    from tests.oracle.facts import Facts, Row
    from tests.oracle.log import Log


def campaign_costs(facts: Facts) -> list[Row]:
    costs: Counter[tuple[str, str]] = Counter()
    entries: Counter[tuple[str, str]] = Counter()
    for touch in facts.touches:
        costs[touch.campaign_id, f"touch_{touch.kind}"] += touch.cost_minor
        entries[touch.campaign_id, f"touch_{touch.kind}"] += 1
    for cost in facts.costs:
        costs[cost.campaign_id, cost.category] += cost.amount_minor
        entries[cost.campaign_id, cost.category] += 1
    totals: Counter[str] = Counter()
    for (campaign_id, _), amount in costs.items():
        totals[campaign_id] += amount
    return [
        {
            "campaign_id": campaign_id,
            "category": category,
            "entries": count,
            "cost_minor": costs[campaign_id, category],
            "cost_share": ratio(costs[campaign_id, category], totals[campaign_id]),
        }
        for (campaign_id, category), count in entries.items()
    ]


class _Vouchers(NamedTuple):
    open_costs: list[int]
    unmatched: int


def _play(touches: list[Touch]) -> _Vouchers:
    """Hand vouchers out and take them in, one by one, the oldest first."""
    waiting: deque[int] = deque()
    unmatched = 0
    for touch in sorted(touches, key=lambda each: (each.occurred_at, each.kind == "voucher_redeem", each.event_id)):
        if touch.kind == "voucher_issue":
            waiting.append(touch.cost_minor)
        elif waiting:
            waiting.popleft()
        else:
            unmatched += 1
    return _Vouchers(list(waiting), unmatched)


def campaign_vouchers(facts: Facts) -> list[Row]:
    campaigns: dict[str, dict[str, list[Touch]]] = defaultdict(lambda: defaultdict(list))
    for touch in facts.touches:
        if touch.kind.startswith("voucher_"):
            campaigns[touch.campaign_id][touch.customer_id].append(touch)
    rows = []
    for campaign_id, customers in campaigns.items():
        played = [_play(touches) for touches in customers.values()]
        every = [touch for touches in customers.values() for touch in touches]
        issued = [touch.cost_minor for touch in every if touch.kind == "voucher_issue"]
        redeemed = [touch.cost_minor for touch in every if touch.kind == "voucher_redeem"]
        still = sum(len(one.open_costs) for one in played)
        rows.append(
            {
                "campaign_id": campaign_id,
                "issued": len(issued),
                "issued_minor": sum(issued),
                "redeemed": len(redeemed),
                "redeemed_minor": sum(redeemed),
                "open": still,
                "open_liability_minor": sum(sum(one.open_costs) for one in played),
                "unmatched_redemptions": sum(one.unmatched for one in played),
                "redemption_rate": ratio(len(issued) - still, len(issued)),
            }
        )
    return rows


def largest_watermark(log: Log, facts: Facts) -> datetime | None:
    """Return how far the log's event time has come."""
    instants = watermarks(log, facts).values()
    return datetime.fromtimestamp(max(instants) / 1000, UTC) if instants else None


def watermarks(log: Log, facts: Facts) -> dict[tuple[str, int], int]:
    """Return how far each partition has come: refused events move nothing, except that an orphan has moved it."""
    found: dict[tuple[str, int], int] = {}
    for (topic, partition), records in log.items():
        if topic in topics.DIMENSION_TOPICS:
            continue
        for record in records:
            verdict = facts.judged.verdicts[topic, partition, record.offset]
            if verdict.outcome != "dead_letter" or verdict.reason == "orphan_reversal":
                event = read_event(topic, record.key, record.value, facts.config.currency, facts.config.earliest_ms)
                found[topic, partition] = max(event.occurred_at, found.get((topic, partition), event.occurred_at))
    return found


def campaign_budget(facts: Facts, definitions: Mapping[str, Mapping[str, Any]], as_of: datetime | None) -> list[Row]:
    liability = {row["campaign_id"]: row["open_liability_minor"] for row in campaign_vouchers(facts)}
    spent: Counter[str] = Counter(dict.fromkeys(definitions, 0))
    for touch in facts.touches:
        spent[touch.campaign_id] += touch.cost_minor
    for cost in facts.costs:
        spent[cost.campaign_id] += cost.amount_minor
    rows = []
    for campaign_id, total in spent.items():
        plan = definitions.get(campaign_id, {})
        budget = plan.get("budget_minor")
        share = None if budget is None else ratio(total, budget)
        elapsed = _elapsed(plan, as_of)
        rows.append(
            {
                "campaign_id": campaign_id,
                "budget_minor": budget,
                "spent_minor": total,
                "remaining_minor": None if budget is None else budget - total,
                "spent_share": share,
                "elapsed_share": elapsed,
                "pace": share / elapsed if share is not None and elapsed else None,
                "projected_minor": total / elapsed if elapsed else None,
                "open_liability_minor": liability.get(campaign_id, 0),
            }
        )
    return rows


def _elapsed(plan: Mapping[str, Any], as_of: datetime | None) -> float | None:
    if as_of is None or not plan.get("ends_at"):
        return None
    starts, ends = (datetime.fromisoformat(plan[name]) for name in ("starts_at", "ends_at"))
    if ends <= starts:
        return None
    return min(1.0, max(0.0, (as_of - starts) / (ends - starts)))
