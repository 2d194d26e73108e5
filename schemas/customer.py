"""Topic ``bank.customers.v1``."""

from __future__ import annotations

from pydantic import Field

from schemas.common import CustomerId, Instant, Message, Token


class Customer(Message):
    """A customer's profile; a null value erases it."""

    customer_id: CustomerId
    tier: Token | None = Field(None, description="value tier: growth, cultivation, potential, general, …")
    segment: Token | None = None
    opened_at: Instant | None = None
