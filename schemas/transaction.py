"""Topic ``bank.transactions.v1``."""

from __future__ import annotations

from pydantic import Field

from schemas.common import CustomerId, Identifier, MoneyEvent, MoneyMinor, SignedMoneyMinor, Token, TransactionKind


class Transaction(MoneyEvent):
    """A customer's transaction, or the reversal of an earlier one."""

    customer_id: CustomerId
    kind: TransactionKind
    amount_minor: MoneyMinor
    channel: Token
    product: Token | None = None
    revenue_minor: MoneyMinor | None = Field(None, description="the bank's return; if unknown, margins give it")
    aum_delta_minor: SignedMoneyMinor | None = Field(None, description="change of assets under management")
    cross_bank: bool = False
    scenario: Token | None = None
    reverses: Identifier | None = Field(None, description="event_id of the transaction this one reverses")
