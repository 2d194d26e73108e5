"""Campaigns: totals, minutes and cohorts (contract sections 4 and 5)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Final

from tests.oracle.config import DAY_MS, MINUTE_MS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.oracle.events import Cost, Touch
    from tests.oracle.facts import Facts, Row

COSTS_TIER: Final = ""


def ratio(numerator: int, denominator: int) -> float | None:
    """Return the quotient, None where there is nothing to divide by."""
    return None if denominator == 0 else numerator / denominator


@dataclass(slots=True)
class _Total:
    touches: int = 0
    reached: set[str] = field(default_factory=set)
    converters: set[str] = field(default_factory=set)
    conversion_millionths: int = 0
    cost_minor: int = 0
    return_minor: int = 0
    aum_minor: int = 0

    def columns(self) -> Row:
        reached, converters = len(self.reached), len(self.converters)
        return {
            "touches": self.touches,
            "reached": reached,
            "conversion_millionths": self.conversion_millionths,
            "converters": converters,
            "cost_minor": self.cost_minor,
            "return_minor": self.return_minor,
            "aum_minor": self.aum_minor,
            "conversion_rate": ratio(converters, reached),
            "cpa_minor": ratio(self.cost_minor, converters),
            "return_ratio": ratio(self.return_minor, self.cost_minor),
            "net_roi": ratio(self.return_minor - self.cost_minor, self.cost_minor),
        }


def campaign_totals(facts: Facts) -> list[Row]:
    """One row per campaign that has an event or a definition; a definition alone makes a row of zeros."""
    totals = _totals(facts, lambda touch: (touch.campaign_id,), lambda cost: (cost.campaign_id,))
    for campaign_id in facts.judged.campaigns:
        totals.setdefault((campaign_id,), _Total())
    return [{"campaign_id": campaign_id} | total.columns() for (campaign_id,), total in sorted(totals.items())]


def campaign_variant_totals(facts: Facts) -> list[Row]:
    """One row per campaign and variant that has an event."""
    totals = _totals(
        facts, lambda touch: (touch.campaign_id, touch.variant), lambda cost: (cost.campaign_id, cost.variant)
    )
    return [
        {"campaign_id": campaign_id, "variant": variant} | total.columns()
        for (campaign_id, variant), total in sorted(totals.items())
    ]


def campaign_tier_totals(facts: Facts) -> list[Row]:
    """One row per campaign and tier of the touched customers; cost events stand under tier ''."""
    totals = _totals(
        facts,
        lambda touch: (touch.campaign_id, facts.tier(touch.customer_id)),
        lambda cost: (cost.campaign_id, COSTS_TIER),
    )
    return [
        {"campaign_id": campaign_id, "tier": tier} | total.columns()
        for (campaign_id, tier), total in sorted(totals.items())
    ]


def _totals(
    facts: Facts, group_of_touch: Callable[[Touch], tuple[str, ...]], group_of_cost: Callable[[Cost], tuple[str, ...]]
) -> dict[tuple[str, ...], _Total]:
    totals: dict[tuple[str, ...], _Total] = defaultdict(_Total)
    for touch in facts.touches:
        totals[group_of_touch(touch)].cost_minor += touch.cost_minor
    for touch in facts.creditable_touches:
        total = totals[group_of_touch(touch)]
        total.touches += 1
        total.reached.add(touch.customer_id)
    for cost in facts.costs:
        totals[group_of_cost(cost)].cost_minor += cost.amount_minor
    for credit in facts.credits:
        total = totals[group_of_touch(credit.touch)]
        total.converters.add(credit.touch.customer_id)
        total.conversion_millionths += credit.millionths
        total.return_minor += credit.return_minor
        total.aum_minor += credit.aum_minor
    return totals


def campaign_minutes(facts: Facts) -> list[Row]:
    """Event view: one row per campaign and epoch minute in which something happened."""
    return _event_view(facts, "minute", lambda instant: instant // MINUTE_MS)


def campaign_hours(facts: Facts) -> list[Row]:
    """Event view by the hours of the zone's clock, in epoch seconds of their start."""
    return _event_view(facts, "hour", facts.business_hour)


def campaign_days(facts: Facts) -> list[Row]:
    """Event view by business days."""
    return _event_view(facts, "day", lambda instant: date.fromordinal(facts.business_day(instant)).isoformat())


def _event_view(facts: Facts, column: str, span_of: Callable[[int], int | str]) -> list[Row]:
    names = (
        "touches",
        "new_reached",
        "conversion_millionths",
        "new_converters",
        "cost_minor",
        "return_minor",
        "aum_minor",
    )
    rows: dict[tuple[str, int | str], Row] = defaultdict(lambda: dict.fromkeys(names, 0))
    for touch in facts.touches:
        rows[touch.campaign_id, span_of(touch.occurred_at)]["cost_minor"] += touch.cost_minor
    for touch in facts.creditable_touches:
        rows[touch.campaign_id, span_of(touch.occurred_at)]["touches"] += 1
    for cost in facts.costs:
        rows[cost.campaign_id, span_of(cost.occurred_at)]["cost_minor"] += cost.amount_minor
    for (campaign_id, _), instant in facts.first_reached_at.items():
        rows[campaign_id, span_of(instant)]["new_reached"] += 1
    for (campaign_id, _), instant in facts.first_converted_at.items():
        rows[campaign_id, span_of(instant)]["new_converters"] += 1
    for credit in facts.credits:
        row = rows[credit.touch.campaign_id, span_of(credit.transaction.occurred_at)]
        row["conversion_millionths"] += credit.millionths
        row["return_minor"] += credit.return_minor
        row["aum_minor"] += credit.aum_minor
    return [
        {"campaign_id": campaign_id, column: span} | row
        for (campaign_id, span), row in sorted(rows.items(), key=lambda item: (item[0][0], str(item[0][1])))
    ]


def campaign_cohorts(facts: Facts) -> list[Row]:
    """Cohort view: one row per campaign, business day of the touch and whole 24-hour days from touch to transaction."""
    names = ("conversion_millionths", "return_minor", "cost_minor", "reached")
    rows: dict[tuple[str, int, int], Row] = defaultdict(lambda: dict.fromkeys(names, 0))
    for touch in facts.touches:
        rows[touch.campaign_id, facts.business_day(touch.occurred_at), 0]["cost_minor"] += touch.cost_minor
    for cost in facts.costs:
        rows[cost.campaign_id, facts.business_day(cost.occurred_at), 0]["cost_minor"] += cost.amount_minor
    for (campaign_id, _), instant in facts.first_reached_at.items():
        rows[campaign_id, facts.business_day(instant), 0]["reached"] += 1
    for credit in facts.credits:
        touched_at = credit.touch.occurred_at
        lag_day = (credit.transaction.occurred_at - touched_at) // DAY_MS
        row = rows[credit.touch.campaign_id, facts.business_day(touched_at), lag_day]
        row["conversion_millionths"] += credit.millionths
        row["return_minor"] += credit.return_minor
    return [
        {"campaign_id": campaign_id, "touch_day": date.fromordinal(day).isoformat(), "lag_day": lag_day} | row
        for (campaign_id, day, lag_day), row in sorted(rows.items())
    ]
