"""What is remembered of a customer: touches, transactions, credits, and who was reached and converted."""

from __future__ import annotations

from operator import attrgetter
from typing import NamedTuple

from msgspec import Struct


class Touch(NamedTuple):
    """A creditable touch. Touches sort by campaign, then time, so one campaign's touches stand together."""

    campaign_index: int
    at: int
    event_id: str
    arm_index: int


class Credit(NamedTuple):
    """A touch's share of a transaction under one attribution model; money in minor units."""

    model: int
    touch: Touch
    millionths: int
    return_minor: int
    aum_minor: int


class Reach(NamedTuple):
    """When, and in which tier, a customer was first touched by an arm.

    Of touches at the same time the tier's name decides, which is stored: neither the order in which they came, nor the
    numbers of arms, which are this process's own.
    """

    at: int
    tier: str


class Customer(Struct, eq=False, gc=False):
    """All live state of one customer; what can change no more is folded into the `past_…` bit sets.

    `engaged` and `logins` are sets of days as bits: bit i stands for day ``last_day - i``. Customers and transactions
    refer to each other and are out of the garbage collector's sight: whoever drops one unlinks it.
    """

    pseudonym: bytes
    tier: str
    touches: list[Touch] | None = None
    transactions: list[Transaction] | None = None
    reach: dict[int, Reach] | None = None
    conversions: dict[int, list[Transaction]] | None = None
    past_reach: int = 0
    past_conversions: int = 0
    last_day: int = -1
    engaged: int = 0
    logins: int = 0
    engaged_before_horizon: bool = False


class Transaction(Struct, eq=False, gc=False):
    """A transaction that is not itself a reversal, with the credits it gave; `reversed_minor` is None without one.

    Credits are kept, and move to other touches, also while reversals have eaten the whole amount: `counts` says whether
    they stand in the numbers.
    """

    customer: Customer
    at: int
    event_id: str
    kind: str
    product: str | None
    amount_minor: int
    revenue_minor: int | None
    aum_delta_minor: int | None
    tier: str
    reversed_minor: int | None = None
    credits: tuple[Credit, ...] = ()
    counts: bool = False

    @property
    def order(self) -> tuple[int, str]:
        """The contract's order of events: time, then event id."""
        return self.at, self.event_id

    @property
    def effective_minor(self) -> int:
        """Amount less its reversals, not below 0."""
        return max(0, self.amount_minor - (self.reversed_minor or 0))

    @property
    def has_effect(self) -> bool:
        """False once reversals have eaten the whole amount."""
        return self.reversed_minor is None or self.reversed_minor < self.amount_minor


by_order = attrgetter("order")  # sorts and finds transactions


class Reversal(Struct, eq=False, gc=False):
    """A transaction that names another one; it waits until its original is known or can come no more."""

    customer: Customer
    at: int
    event_id: str
    original_id: str
    amount_minor: int
    offset: int
    matched: bool = False
