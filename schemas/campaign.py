"""Topic ``bank.campaigns.v1``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from schemas.common import CampaignId, Instant, Message, MoneyMinor, Token, TransactionKind, Variant

if TYPE_CHECKING:
    from datetime import datetime

MAX_DAYS: Final = 36_500
"""Longest window: a century, so that window arithmetic in milliseconds never overflows."""

MAX_MARGIN_BPS: Final = 100_000
"""Widest margin either way, ten times the amount: beyond it a definition is a mistake, not a margin."""

MIN_RETURN_RATIO: Final = 2.0
"""Return per cost that is required where a definition does not say: "1:2" (contract section 4)."""

MAX_RATIO: Final = 1_000_000
MAX_CONVERTERS: Final = 10**9
"""Bounds of the alert rule: beyond every bank, and far from where products of floats end in infinity."""

Text = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(gt=0, le=MAX_RATIO)]
MarginBps = Annotated[int, Field(ge=-MAX_MARGIN_BPS, le=MAX_MARGIN_BPS)]


class Goal(Message):
    """Which transactions a campaign is after."""

    kinds: tuple[TransactionKind, ...] = Field(min_length=1, strict=False)
    products: Annotated[tuple[Token, ...], Field(strict=False)] | None = Field(
        None, description="null = any product, and none"
    )
    min_amount_minor: MoneyMinor = Field(0, description="smallest amount, before any reversal")

    @field_validator("kinds", "products")
    @classmethod
    def _each_once(cls, values: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if values is None else tuple(dict.fromkeys(values))


class Campaign(Message):
    """A campaign's definition; a null value retires it. All money is in the reporting currency."""

    campaign_id: CampaignId
    name: Text
    product: Token | None = Field(
        None,
        description="whose finished campaigns it is compared with; null = those after the same kinds of transaction",
    )
    owner: Text | None = None
    starts_at: Instant
    ends_at: Instant | None = None
    budget_minor: MoneyMinor | None = None
    goal: Goal
    attribution_window_days: float = Field(7.0, gt=0, le=MAX_DAYS, description="how long a touch may earn credit")
    control_variant: Variant = Field("control", description="touches of this variant earn nothing")
    margins_bps: dict[TransactionKind, MarginBps] | None = Field(
        None, description="return in basis points of the amount by transaction kind; goes before the settings"
    )
    variant_shares: Annotated[dict[Variant, Share], Field(min_length=2)] | None = Field(
        None, description="planned weights of the variants, the control's too; only proportions count; null = equal"
    )
    receivers: Annotated[tuple[Text, ...], Field(strict=False)] | None = Field(
        None, description="who is told of alerts; null = the receivers of the settings"
    )

    # the alert rule; null = the settings' value
    min_return_ratio: float = Field(
        MIN_RETURN_RATIO, ge=0, le=MAX_RATIO, description='2.0 = alert on a return worse than "1:2"'
    )
    hold_minutes: float | None = Field(None, ge=0, le=MAX_DAYS * 1440, description="how long it must hold")
    min_cost_minor: MoneyMinor | None = Field(None, description="no verdict before this much was spent")
    min_expected_converters: float | None = Field(
        None, ge=0, le=MAX_CONVERTERS, description="expected at the required ratio, not seen"
    )
    confidence: float | None = Field(None, gt=0, lt=1, description="of the bound that must stay below the ratio")
    resolve_margin: float | None = Field(
        None, ge=0, le=MAX_RATIO, description="how far above the ratio an alert resolves"
    )

    @field_validator("ends_at")
    @classmethod
    def _not_before_its_start(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        starts_at = info.data.get("starts_at")
        if value is not None and starts_at is not None and value < starts_at:
            raise PydanticCustomError("order", "Input should be no earlier than starts_at")
        return value
