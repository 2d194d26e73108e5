"""Topic ``bank.touches.v1``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.common import CampaignId, CustomerId, MoneyEvent, MoneyMinor, Token, Variant

TouchKind = Literal["assign", "send", "view", "click", "call", "visit", "voucher_issue", "voucher_redeem"]


class CampaignTouch(MoneyEvent):
    """A campaign reached a customer, or a customer was assigned to one of its variants."""

    customer_id: CustomerId
    campaign_id: CampaignId
    variant: Variant | None = None
    channel: Token
    kind: TouchKind
    cost_minor: MoneyMinor = 0
    automated: bool = False
    recommended: bool = Field(default=False, description="chosen by a model")
