"""Bodies of requests and answers of the alerts' API: validated, and described at /openapi.json."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from schemas.alerts import Decision, State
from schemas.common import CampaignId, Instant

LONGEST_TEXT: Final = 2000
LONGEST_NAME: Final = 200
LONGEST_SILENCE: Final = timedelta(days=3660)
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TEXT)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Acknowledge(_Body):
    """Somebody has seen the alert."""

    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_TEXT)] | None = None


class Decide(_Body):
    """What is to be done about the campaign, and why."""

    decision: Decision
    reason: Text


class Approve(_Body):
    """The second person's yes to a decision to stop."""


class Note(_Body):
    """A remark for the history."""

    note: Text


class NewSilence(_Body):
    """Nobody is told of a campaign's alerts, or of all of an owner's, but of their recovery."""

    campaign_id: CampaignId | None = None
    owner: Name | None = None
    until: Instant = Field(description="when it ends, in the future")
    reason: Text

    @field_validator("until")
    @classmethod
    def _in_the_future(cls, value: datetime) -> datetime:
        now = datetime.now(UTC)
        if value <= now:
            raise ValueError("must be in the future")
        if value > now + LONGEST_SILENCE:
            raise ValueError(f"must be within {LONGEST_SILENCE.days} days")
        return value

    @model_validator(mode="after")
    def _of_one(self) -> Self:
        if (self.campaign_id is None) == (self.owner is None):
            raise ValueError("name either campaign_id or owner")
        return self


class TestNotice(_Body):
    """Whom to send a test to; nobody named: every receiver."""

    __test__ = False

    receiver: Name | None = None


class Problem(BaseModel):
    """Why a request was not answered as asked for."""

    error: str = Field(description="the cause, one line")
    remedy: str = Field(description="what mends it")


class AlertRow(_Body):
    """An alert as lists show it: the columns of view alerts."""

    alert_id: str
    campaign_id: str
    campaign_name: str
    owner: str | None
    state: State
    opened_at: Instant | None
    changed_at: Instant | None
    as_of: Instant | None
    return_ratio: float | None
    upper_bound: float | None
    matured_share: float | None
    money_at_risk_minor: int | None
    decision: Decision | None
    decided_by: str | None
    reason: str
    proposed_by: str | None = Field(description="who proposes to stop: another person's yes is waited for")
    proposal_reason: str | None


class Entry(_Body):
    """One entry of an alert's history."""

    change_id: str
    changed_at: Instant
    event: str
    previous_state: str
    state: State
    by: str | None = Field(description="name of the token; null: the evaluator")
    note: str
    note_by_language: dict[str, str] = Field(description="the same as readers of each language read it; {}: as it is")
    as_of: Instant | None
    return_ratio: float | None
    upper_bound: float | None
    decision: Decision | None


class Notification(_Body):
    """Something that one receiver was told, or is to be."""

    notification_id: str
    alert_id: str
    campaign_id: str
    receiver: str
    state: Literal["waiting", "sent", "suppressed", "dead"]
    message_id: str
    message_type: str
    attempts: int
    sent_at: Instant | None
    last_error: str
    changed_at: Instant


class AskedAction(_Body):
    """Something that somebody asked to be done about an alert, and what became of it."""

    action_id: str
    action: str
    by: str
    body: dict[str, Any]
    at: Instant
    state: Literal["waiting", "applied", "refused"]
    why: str


class Week(_Body):
    """Money of seven days, in minor units, under its own time."""

    cost_minor: int
    return_minor: int
    return_ratio: float | None


class AfterDecision(_Body):
    """What became of the campaign's return; null where seven days of event time have not passed."""

    decision: Decision
    by: str
    decided_at: Instant
    decided_as_of: Instant
    days: int
    days_so_far: float
    before: Week
    after: Week | None
    spend_avoided_minor: int | None


class Alert(AlertRow):
    """One alert with everything that is known of it."""

    record: dict[str, Any] = Field(description="as in messages, and what the lifecycle needs beside it")
    history: list[Entry]
    notifications: list[Notification]
    actions: list[AskedAction]
    after_decision: AfterDecision | None


class Silence(_Body):
    """A silence."""

    silence_id: str
    state: Literal["active", "ended"]
    campaign_id: str | None
    owner: str | None
    until: Instant
    by: str
    reason: str
    changed_at: Instant
