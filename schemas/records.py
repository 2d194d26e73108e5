"""The event models once more as msgspec structs: what the fast decoder reads, a field-by-field twin of the models.

A struct checks types, ranges and lengths. Patterns, instants, currency and key are checked by column in
`schemas.decode`, where a batch pays once for each distinct value.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from schemas.common import MAX_IDENTIFIER_LENGTH, MAX_MONEY_MINOR, TransactionKind
from schemas.cost import CostCategory
from schemas.touch import TouchKind

Identifier = Annotated[str, Meta(min_length=1, max_length=MAX_IDENTIFIER_LENGTH)]
MoneyMinor = Annotated[int, Meta(ge=0, le=MAX_MONEY_MINOR)]
SignedMoneyMinor = Annotated[int, Meta(ge=-MAX_MONEY_MINOR, le=MAX_MONEY_MINOR)]


class EventRecord(Struct, kw_only=True, gc=False):
    """Twin of `schemas.common.Event`; the instant is still text."""

    event_id: Identifier
    occurred_at: str


class MoneyEventRecord(EventRecord, kw_only=True, gc=False):
    """Twin of `schemas.common.MoneyEvent`; an absent currency is the empty text, which no event can give."""

    currency: Annotated[str, Meta(min_length=1)] = ""


class LoginRecord(EventRecord, kw_only=True, gc=False):
    """Twin of `schemas.AppLogin`."""

    customer_id: Identifier
    channel: str
    session_seconds: Annotated[float, Meta(ge=0)] | None = None
    automated: bool = False


class TransactionRecord(MoneyEventRecord, kw_only=True, gc=False):
    """Twin of `schemas.Transaction`."""

    customer_id: Identifier
    kind: TransactionKind
    amount_minor: MoneyMinor
    channel: str
    product: str | None = None
    revenue_minor: MoneyMinor | None = None
    aum_delta_minor: SignedMoneyMinor | None = None
    cross_bank: bool = False
    scenario: str | None = None
    reverses: Identifier | None = None


class TouchRecord(MoneyEventRecord, kw_only=True, gc=False):
    """Twin of `schemas.CampaignTouch`."""

    customer_id: Identifier
    campaign_id: str
    variant: str | None = None
    channel: str
    kind: TouchKind
    cost_minor: MoneyMinor = 0
    automated: bool = False
    recommended: bool = False


class CostRecord(MoneyEventRecord, kw_only=True, gc=False):
    """Twin of `schemas.CampaignCost`."""

    campaign_id: str
    variant: str | None = None
    category: CostCategory
    amount_minor: SignedMoneyMinor
