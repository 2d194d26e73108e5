"""Topic ``bank.costs.v1``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.common import CampaignId, MoneyEvent, SignedMoneyMinor, Variant

CostCategory = Literal["media", "incentive", "labour", "platform", "other"]


class CampaignCost(MoneyEvent):
    """Money spent on a campaign beside its touches."""

    campaign_id: CampaignId
    variant: Variant | None = None
    category: CostCategory
    amount_minor: SignedMoneyMinor = Field(description="negative = correction")
