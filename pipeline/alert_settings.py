"""Settings of alerts and of the HTTP API: groups of `pipeline.settings.Settings`."""

from __future__ import annotations

import hashlib
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from schemas.campaign import MAX_CONVERTERS, MAX_DAYS, MAX_RATIO, MIN_RETURN_RATIO
from schemas.common import MAX_MONEY_MINOR

WEBHOOK_SCHEMES: Final = frozenset({"webhook+https", "webhook+http"})


class Group(BaseModel):
    """A group of settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AlertSettings(Group):
    """When a campaign's return is said to stay below what it must be (contract section 6), and whom to tell."""

    min_return_ratio: float = Field(
        MIN_RETURN_RATIO,
        ge=0,
        le=MAX_RATIO,
        description="required return per cost of a campaign whose definition names none",
    )
    hold_minutes: float = Field(
        60.0,
        ge=0,
        le=MAX_DAYS * 1440,
        description="how long a breach must hold in event time before it fires, in minutes",
    )
    wall_hold_seconds: float = Field(
        5.0,
        ge=0,
        le=86_400,
        description="how long it must have been seen by the wall clock too: a catch-up passes hours in seconds",
    )
    min_cost_minor: int = Field(
        100_000, ge=0, le=MAX_MONEY_MINOR, description="no verdict before so much was spent, in minor units"
    )
    min_expected_converters: float = Field(
        10.0, ge=0, le=MAX_CONVERTERS, description="no verdict before so many are expected at the required ratio"
    )
    confidence: float = Field(
        0.95, gt=0.5, lt=1, description="of the upper bound that must stay below the required ratio"
    )
    resolve_margin: float = Field(
        0.1, ge=0, le=MAX_RATIO, description="how far above the required ratio an alert resolves"
    )
    false_share_limit: float = Field(
        0.05,
        gt=0,
        le=1,
        description="expected share of false stops beyond which Benjamini-Hochberg decides which alerts fire",
    )
    four_eyes: bool = Field(False, description="whether a second person must approve a decision to stop")
    receivers: tuple[str, ...] = Field(
        (), description="receivers told of campaigns that name none; names of `receivers`"
    )
    repeat_minutes: float = Field(
        1440.0,
        gt=0,
        le=MAX_DAYS * 1440,
        description="a firing alert that nobody acknowledges is told again after so long, in minutes",
    )
    group_seconds: float = Field(
        1.0, ge=0, le=3600, description="notices to one receiver within so long become one message, in seconds"
    )
    retry_hours: float = Field(
        24.0,
        gt=0,
        le=MAX_DAYS * 24,
        description="a notice that a receiver does not take is given up after so long, in hours",
    )
    language: Literal["en", "zh"] = Field("en", description="language of notices")
    tick_seconds: float = Field(
        1.0,
        gt=0,
        le=60,
        description="shortest time between two looks at the ledger, in seconds; a long look rests nine times as long; "
        "while a backlog is read, one look in 20 s",
    )
    standby_seconds: float = Field(
        6.0, gt=1, le=60, description="silence of the deciding instance after which another one takes over, in seconds"
    )
    lag_seconds: float = Field(
        60.0, gt=0, le=86_400, description="a feed that is so far behind blocks the verdicts that need it, in seconds"
    )
    silent_cost_hours: float = Field(
        48.0,
        gt=0,
        le=8760,
        description="a cost feed that was regular and is silent for longer blocks a campaign, in hours",
    )
    dead_letter_share: float = Field(
        0.1, gt=0, le=1, description="share of dead letters among a feed's newest records that blocks verdicts"
    )
    duplicate_share: float = Field(
        0.2, gt=0, le=1, description="share of duplicates among a feed's newest records that blocks verdicts"
    )
    history_days: float = Field(
        400.0, gt=0, le=MAX_DAYS, description="finished campaigns teach their successors for so long, in days"
    )
    metrics_port: int = Field(0, ge=0, le=65535, description="Prometheus port of `roi alerts run`, 0 = any free one")
    metrics_host: str = Field("127.0.0.1", description="address the metrics of `roi alerts run` are served on")


class ReceiverSettings(Group):
    """Somebody who is told of alerts."""

    url: SecretStr = Field(description="any Apprise URL, or webhook+http(s)://… for signed JSON (Standard Webhooks)")
    secret: SecretStr | None = Field(None, description="signs webhooks: whsec_ and base64")
    min_interval_minutes: float = Field(0.0, ge=0, le=MAX_DAYS * 1440, description="shortest time between two messages")
    quiet_hours: str | None = Field(
        None,
        pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$",
        description="local hours (time.zone) in which nothing is sent, such as 22:00-07:00",
    )

    @property
    def is_webhook(self) -> bool:
        """Whether it is a system that gets signed messages, rather than people who read texts."""
        return self.url.get_secret_value().strip().partition("://")[0].lower() in WEBHOOK_SCHEMES


def digest_of(token: str) -> bytes:
    """Return what settings keep of a token: SHA-256."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()


class TokenSettings(Group):
    """A token of the HTTP API; `roi token NAME --role R` prints one and its hash."""

    hash: str = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the token, hex")
    role: Literal["viewer", "decider"] = Field("viewer", description="viewer reads, decider acts")


class ApiSettings(Group):
    """Who may use the HTTP API."""

    tokens: dict[str, TokenSettings] = Field(
        default_factory=dict, description="token name → {hash, role}; without any the API answers on loopback only"
    )
