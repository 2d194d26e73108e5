"""The contract's events as plain values; instants are epoch milliseconds, money is minor units."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Login:
    event_id: str
    occurred_at: int
    customer_id: str
    session_seconds: float | None
    automated: bool


@dataclass(frozen=True, slots=True)
class Transaction:
    event_id: str
    occurred_at: int
    customer_id: str
    kind: str
    amount_minor: int
    channel: str
    product: str | None
    revenue_minor: int | None
    aum_delta_minor: int | None
    cross_bank: bool
    scenario: str | None
    reverses: str | None


@dataclass(frozen=True, slots=True)
class Touch:
    event_id: str
    occurred_at: int
    customer_id: str
    campaign_id: str
    variant: str
    channel: str
    kind: str
    cost_minor: int
    automated: bool
    recommended: bool


@dataclass(frozen=True, slots=True)
class Cost:
    event_id: str
    occurred_at: int
    campaign_id: str
    variant: str
    category: str
    amount_minor: int


Event = Login | Transaction | Touch | Cost


@dataclass(frozen=True, slots=True)
class Campaign:
    """What attribution needs of a definition; ``kinds`` and ``products`` None mean any."""

    kinds: frozenset[str] | None
    products: frozenset[str] | None
    min_amount_minor: int
    window_ms: int
    control_variant: str
    margins_bps: dict[str, int]

    def wants(self, transaction: Transaction) -> bool:
        """Tell whether a transaction, before any reversal, is what the campaign aims at."""
        return (
            (self.kinds is None or transaction.kind in self.kinds)
            and (self.products is None or transaction.product in self.products)
            and transaction.amount_minor >= self.min_amount_minor
        )


@dataclass(frozen=True, slots=True)
class Customer:
    tier: str | None
