"""What of a campaign's money is still at risk: what is left to spend, times what would not come back of it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.alerts.statistics import HOUR_MS

if TYPE_CHECKING:
    from pipeline.alerts.plans import CampaignPlan
    from pipeline.alerts.rule import AlertRule
    from pipeline.alerts.statistics import Statistics
    from pipeline.alerts.verdict import Verdict

_WEEK_HOURS: Final = 168


def spend_per_day(statistics: Statistics, row: int = 0) -> float:
    """Return the cost of a day, in minor units, over the newest seven days (less where the campaign is younger)."""
    unit = statistics.unit_hours
    columns = max(1, round(_WEEK_HOURS / unit))
    hours = min(float(_WEEK_HOURS), max(unit, float(statistics.elapsed_hours[row])))
    return max(0.0, float(statistics.cost[row, :columns].sum())) / hours * 24


def left_to_spend(plan: CampaignPlan, verdict: Verdict, per_day: float | None) -> float | None:
    """Return what is left of the budget; without one, what a pace spends until the end; None without both."""
    budget = None if plan.definition is None else plan.definition.budget_minor
    if budget is not None:
        return float(max(0, budget - verdict.cost_minor))
    if plan.ends_at_ms is None or per_day is None:
        return None
    return per_day * max(0, plan.ends_at_ms - verdict.as_of_ms) / HOUR_MS / 24


def money_at_risk(plan: CampaignPlan, verdict: Verdict, rule: AlertRule, per_day: float | None = None) -> int | None:
    """Return the money at risk in minor units: what is left to spend times (1 - forecast / required), 0 to all of it.

    0 once the campaign's end has passed. None where nothing says how much is left, nothing is required or no return is
    forecast.
    """
    if plan.ends_at_ms is not None and plan.ends_at_ms <= verdict.as_of_ms:
        return 0
    left = left_to_spend(plan, verdict, per_day)
    expected = verdict.forecast.value if verdict.forecast is not None else verdict.return_ratio
    if left is None or expected is None or rule.min_return_ratio <= 0:
        return None
    shortfall = min(1.0, max(0.0, 1 - expected / rule.min_return_ratio))
    return round(left * shortfall)
