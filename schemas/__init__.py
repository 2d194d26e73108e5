"""The messages of the public contract, as immutable pydantic models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from schemas import topics
from schemas.campaign import Campaign, Goal
from schemas.common import Event, Message, TransactionKind
from schemas.cost import CampaignCost, CostCategory
from schemas.customer import Customer
from schemas.login import AppLogin
from schemas.touch import CampaignTouch, TouchKind
from schemas.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Mapping

TOPIC_MODELS: Final[Mapping[str, type[Message]]] = {
    topics.LOGINS: AppLogin,
    topics.TRANSACTIONS: Transaction,
    topics.TOUCHES: CampaignTouch,
    topics.COSTS: CampaignCost,
    topics.CAMPAIGNS: Campaign,
    topics.CUSTOMERS: Customer,
}

__all__ = [
    "TOPIC_MODELS",
    "AppLogin",
    "Campaign",
    "CampaignCost",
    "CampaignTouch",
    "CostCategory",
    "Customer",
    "Event",
    "Goal",
    "Message",
    "TouchKind",
    "Transaction",
    "TransactionKind",
]
