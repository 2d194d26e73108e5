"""Looks, verdicts and moments for tests of alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.alerts.actions import Action
from pipeline.alerts.record import Campaign, Evidence, Look, Moment
from pipeline.alerts.rule import AlertRule
from pipeline.alerts.verdict import Band, Verdict

if TYPE_CHECKING:
    from pipeline.alerts.verdict import Outcome

HOUR = 3_600_000
T0 = 1_790_000_000_000
RULE = AlertRule(hold_minutes=60.0)
AT_ONCE = AlertRule(hold_minutes=0.0)


def verdict(outcome: Outcome, as_of_ms: int = T0, campaign_id: str = "spring", **values: Any) -> Verdict:
    plain: dict[str, Any] = {
        "return_ratio": 1.25,
        "forecast": Band(1.1, 1.4, 1.7),
        "upper_bound": 1.7,
        "matured_share": 0.62,
        "converters": 41,
        "converters_needed": 113.0,
        "converters_expected": 60.5,
        "cost_minor": 1_000_000,
        "return_minor": 1_250_000,
        "signed_root": 2.5,
        "boundary": 1.8,
        "p_value": 0.01,
    }
    return Verdict(campaign_id, as_of_ms, outcome, **(plain | values))


def look(outcome: Outcome, as_of_ms: int = T0, *, held_hours: float = 0.0, **values: Any) -> Look:
    campaign_id = values.pop("campaign_id", "spring")
    plain: dict[str, Any] = {
        "rule": RULE,
        "campaign": Campaign(campaign_id, "Spring savings", "retail"),
        "evidence": Evidence(("62 % of the return is in",), 480_000),
    }
    since = as_of_ms - round(held_hours * HOUR)
    return Look(verdict(outcome, as_of_ms, campaign_id), held_since_ms=since, **(plain | values))


def moment(seconds: float = 0.0, wall_ms: int | None = None) -> Moment:
    return Moment(T0 + round(seconds * 1000) if wall_ms is None else wall_ms, 100.0 + seconds)


def action(kind: str, by: str = "lin", alert_id: str = "", action_id: str = "act-1", **body: Any) -> Action:
    return Action(action_id, alert_id, kind, by, body)
