"""What a transaction that a goal matches is worth at this bank: where a product without peers starts from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from pipeline.alerts.conversions import KINDS
from pipeline.alerts.statistics import BankLevel
from pipeline.state.calendar import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.reading import FactsPort

LOOK_BACK_DAYS: Final = 30
FEWEST: Final = 30
_BILLIONTH: Final = 10**9


def bank_levels(port: FactsPort, plans: Sequence[CampaignPlan], as_of_ms: int) -> list[BankLevel | None]:
    """Return, for each campaign, the level of the transactions of the last 30 days that its goal matches.

    Before reversals, credited or not; one question for each different goal. None where they are fewer than 30.
    """
    known: dict[tuple[object, ...], BankLevel | None] = {}
    levels: list[BankLevel | None] = []
    for plan in plans:
        goal, asked = goal_of(plan)
        if goal not in known:
            since = as_of_ms - LOOK_BACK_DAYS * DAY_MS
            rows = port.fetch("alert_bank_level", since=since, until=as_of_ms, **asked)
            known[goal] = level_of(*(int(number) for number in rows[0]))
        levels.append(known[goal])
    return levels


def goal_of(plan: CampaignPlan) -> tuple[tuple[object, ...], dict[str, Any]]:
    """Return what tells one goal and its margins from another, and the parameters of a query about them."""
    rules = plan.rules
    margins = {kind: rules.margins_bps.get(kind, 0) for kind in KINDS}
    asked = {
        "least": rules.min_amount_minor,
        "kinds": sorted(rules.kinds or ()),
        "products": sorted(rules.products or ()),
        "priced": list(margins),
        "margins": list(margins.values()),
    }
    return (rules.kinds, rules.products, rules.min_amount_minor, *margins.values()), asked


def level_of(count: int, total: int, squares: int) -> BankLevel | None:
    """Return the level of so many logarithms, given their sum in billionths and that of their squares."""
    if count < FEWEST:
        return None
    variance = (squares * count - total * total) / (count * count) / _BILLIONTH**2
    return BankLevel(total / count / _BILLIONTH, math.sqrt(variance))
