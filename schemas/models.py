"""Which model the messages of each topic have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from schemas import topics
from schemas.campaign import Campaign
from schemas.cost import CampaignCost
from schemas.customer import Customer
from schemas.login import AppLogin
from schemas.touch import CampaignTouch
from schemas.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.common import Message

TOPIC_MODELS: Final[Mapping[str, type[Message]]] = {
    topics.LOGINS: AppLogin,
    topics.TRANSACTIONS: Transaction,
    topics.TOUCHES: CampaignTouch,
    topics.COSTS: CampaignCost,
    topics.CAMPAIGNS: Campaign,
    topics.CUSTOMERS: Customer,
}
