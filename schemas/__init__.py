"""The messages of the public contract, as immutable pydantic models.

A model is made when it is first asked for: making all of them takes a quarter of a second, and most commands need none.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from schemas.campaign import Campaign, Goal
    from schemas.common import Event, Message, TransactionKind
    from schemas.cost import CampaignCost, CostCategory
    from schemas.customer import Customer
    from schemas.login import AppLogin
    from schemas.models import TOPIC_MODELS
    from schemas.touch import CampaignTouch, TouchKind
    from schemas.transaction import Transaction

_MODULE_OF: Final = {
    "TOPIC_MODELS": "models",
    "AppLogin": "login",
    "Campaign": "campaign",
    "CampaignCost": "cost",
    "CampaignTouch": "touch",
    "CostCategory": "cost",
    "Customer": "customer",
    "Event": "common",
    "Goal": "campaign",
    "Message": "common",
    "TouchKind": "touch",
    "Transaction": "transaction",
    "TransactionKind": "common",
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


def __getattr__(name: str) -> Any:
    """Return a model; called for names that are not here yet."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"schemas.{_MODULE_OF[name]}"), name)
    return found
