"""What is remembered of a customer: touches, transactions, credits, and who was reached and converted."""

from __future__ import annotations

from typing import NamedTuple


class Touch(NamedTuple):
    """A creditable touch. Touches sort by campaign, then time, so one campaign's touches stand together."""

    campaign: int
    at: int
    event_id: str
    arm: int


class Credit(NamedTuple):
    """A touch's share of a transaction under one attribution model; money in minor units."""

    model: int
    touch: Touch
    millionths: int
    return_minor: int
    aum_minor: int


class Reach(NamedTuple):
    """When, and in which tier, a customer was first touched by an arm."""

    at: int
    tier: str


class Customer:
    """All live state of one customer; what can change no more is folded into the `past_…` bit sets.

    `engaged` and `logins` are sets of days as bits: bit i stands for day ``last_day - i``.
    """

    __slots__ = (
        "conversions", "elder", "engaged", "last_day", "logins", "past_conversions", "past_reach",
        "pseudonym", "reach", "tier", "touches", "transactions",
    )

    def __init__(self, pseudonym: bytes, tier: str) -> None:
        self.pseudonym = pseudonym
        self.tier = tier
        self.touches: list[Touch] | None = None
        self.transactions: list[Transaction] | None = None
        self.reach: dict[int, Reach] | None = None
        self.conversions: dict[int, list[Transaction]] | None = None
        self.past_reach = 0
        self.past_conversions = 0
        self.last_day = -1
        self.engaged = 0
        self.logins = 0
        self.elder = False


class Transaction:
    """A transaction that is not itself a reversal, with the credits it gave; `reversed_minor` is None without one."""

    __slots__ = (
        "amount_minor", "at", "aum_delta_minor", "credits", "customer", "event_id", "kind", "product",
        "revenue_minor", "reversed_minor", "tier",
    )

    def __init__(  # noqa: PLR0913, PLR0917 - the fields of one record, always given together
        self, customer: Customer, at: int, event_id: str, kind: str, product: str | None, amount_minor: int,
        revenue_minor: int | None, aum_delta_minor: int | None, tier: str,
    ) -> None:
        self.customer = customer
        self.at = at
        self.event_id = event_id
        self.kind = kind
        self.product = product
        self.amount_minor = amount_minor
        self.revenue_minor = revenue_minor
        self.aum_delta_minor = aum_delta_minor
        self.tier = tier
        self.reversed_minor: int | None = None
        self.credits: tuple[Credit, ...] = ()

    @property
    def order(self) -> tuple[int, str]:
        """The contract's order of events: time, then event id."""
        return self.at, self.event_id

    @property
    def effective_minor(self) -> int:
        """Amount less its reversals, not below 0."""
        return max(0, self.amount_minor - (self.reversed_minor or 0))

    @property
    def counts(self) -> bool:
        """False once reversals have eaten the whole amount."""
        return self.reversed_minor is None or self.reversed_minor < self.amount_minor


class Reversal:
    """A transaction that names another one; it waits until its original is known or can come no more."""

    __slots__ = ("amount_minor", "at", "customer", "event_id", "offset", "original_id", "settled")

    def __init__(  # noqa: PLR0913, PLR0917 - the fields of one record, always given together
        self, customer: Customer, at: int, event_id: str, original_id: str, amount_minor: int, offset: int,
    ) -> None:
        self.customer = customer
        self.at = at
        self.event_id = event_id
        self.original_id = original_id
        self.amount_minor = amount_minor
        self.offset = offset
        self.settled = False
