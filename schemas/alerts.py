"""Topics ``roi.alerts.v1`` and ``roi.stops.v1``, and the bodies of webhooks: the shape of Standard Webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas import topics
from schemas.common import CampaignId, Instant

if TYPE_CHECKING:
    from collections.abc import Mapping

State = Literal["immature", "watching", "pending", "firing", "acknowledged", "decided", "resolved", "blocked"]
STATES: Final[tuple[State, ...]] = (
    "immature",
    "watching",
    "pending",
    "firing",
    "acknowledged",
    "decided",
    "resolved",
    "blocked",
)
OPEN_STATES: Final[frozenset[State]] = frozenset({"firing", "acknowledged", "decided"})
"""States in which somebody has been told, or is to be told, that a campaign stays below."""

Decision = Literal["stop", "optimise", "continue"]
Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RuleText(_Part):
    """The rule that the campaign was held against."""

    min_return_ratio: float
    hold_minutes: float
    min_cost_minor: int
    min_expected_converters: float
    confidence: float
    resolve_margin: float


class ForecastRatio(_Part):
    """The settled ratio as forecast, with its band at the rule's confidence."""

    low: float
    value: float
    high: float


class Advice(_Part):
    """Optimise instead of stop: the segment without which the campaign would be where it must be."""

    segment: Literal["channel", "variant", "tier"]
    label: str
    ratio_without: float


class Links(_Part):
    """Where the evidence is: the board's page and the command that explains the number."""

    board: str
    explain: str


class AlertData(_Part):
    """What is known of an alert at a change of its state. Money in minor units of the reporting currency."""

    alert_id: str
    campaign_id: CampaignId
    campaign_name: str
    owner: str | None
    state: State
    previous_state: State | None
    opened_at: Instant
    changed_at: Instant
    as_of: Instant = Field(description="nothing that occurred later was looked at")
    rule: RuleText
    return_ratio: float | None
    forecast_ratio: ForecastRatio | None
    upper_bound: float | None
    matured_share: Share | None
    converters: int
    converters_needed: float | None
    cost_minor: int
    return_minor: int
    money_at_risk_minor: int | None = Field(description="remaining budget times shortfall; null where none is known")
    reasons: tuple[str, ...]
    advice: Advice | None
    decisions_by_model: dict[str, bool] = Field(description="attribution model → whether it alone would stop")
    links: Links
    decision: Decision | None = None
    decided_by: str | None = None


class StopData(_Part):
    """A request to stop a campaign: one per decision to stop."""

    stop_id: str
    alert_id: str
    campaign_id: CampaignId
    decided_by: str
    approved_by: str | None
    reason: str
    decided_at: Instant


AlertType = Literal[
    "alert.immature",
    "alert.watching",
    "alert.pending",
    "alert.firing",
    "alert.acknowledged",
    "alert.decided",
    "alert.resolved",
    "alert.blocked",
]


class AlertMessage(_Part):
    """A change of an alert's state; the id is in the header ``webhook-id``."""

    type: AlertType
    timestamp: Instant
    data: AlertData


class StopMessage(_Part):
    """A request to stop a campaign; the id is in the header ``webhook-id``."""

    type: Literal["campaign.stop"]
    timestamp: Instant
    data: StopData


class TestMessage(_Part):
    """What `roi alerts test` sends to a webhook."""

    __test__ = False

    type: Literal["test"]
    timestamp: Instant
    data: dict[str, str]


MESSAGE_MODELS: Final[Mapping[str, type[AlertMessage | StopMessage]]] = {
    topics.ALERTS: AlertMessage,
    topics.STOPS: StopMessage,
}
"""What the pipeline itself writes, by topic."""
ID_HEADER: Final = "webhook-id"
"""Kafka header and HTTP header of a message's id, which it keeps for ever."""
