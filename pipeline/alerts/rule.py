"""The alert rule of one campaign: what its return is held against (contract section 6). Frozen; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.alert_settings import AlertSettings
    from pipeline.alerts.plans import CampaignPlan


@dataclass(frozen=True, slots=True)
class AlertRule:
    """Thresholds of one campaign's verdict.

    Attributes:
        min_return_ratio: return per cost that is required; 2.0 is "1:2".
        hold_minutes: how long a breach must hold in event time before it fires.
        min_cost_minor: no verdict before so much was spent.
        min_expected_converters: no verdict before so many are expected at the required ratio, seen or not.
        confidence: of the upper bound that must stay below the required ratio.
        resolve_margin: how far above the required ratio the return must be matured to resolve an alert.
    """

    min_return_ratio: float = 2.0
    hold_minutes: float = 60.0
    min_cost_minor: int = 100_000
    min_expected_converters: float = 10.0
    confidence: float = 0.95
    resolve_margin: float = 0.1

    def as_dict(self) -> dict[str, float]:
        """Return the rule as messages show it."""
        return {name: getattr(self, name) for name in FIELDS}


FIELDS = tuple(AlertRule.__dataclass_fields__)


def rule_of_plan(settings: AlertSettings, plan: CampaignPlan) -> AlertRule:
    """Return a campaign's rule: what its definition says, and the settings for what it leaves open."""
    given = None if plan.definition is None else plan.definition.model_dump(include=set(FIELDS), exclude_unset=True)
    return rule_of(settings, given)


def rule_of(settings: AlertSettings, definition: Mapping[str, Any] | None) -> AlertRule:
    """Return a campaign's rule: what its definition (as JSON gave it) says, and the settings for the rest."""
    given = definition or {}
    return AlertRule(**{name: getattr(settings, name) if given.get(name) is None else given[name] for name in FIELDS})
