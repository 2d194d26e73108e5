"""Who gets which variant: the same answer for a customer whenever and wherever it is asked. Pure.

    plan = AssignmentPlan("spring-2026", {"control": 0.2, "A": 0.4, "B": 0.4}, standing_share=0.05)
    plan.variant_of("customer-1")

A sender asks before it sends, and writes an `assign` touch for everybody, the control too. What it costs: one SHA-256.

**Bucket** of (salt, customer) = the first 64 bits of SHA-256 over salt, a zero byte and the customer's id, as a share
of 2^64. Different salts give independent buckets, so campaigns overlap as by chance.

**Standing control**: customers who get no campaign at all, so that all campaigns together can be judged too. One salt
for the bank picks them; they are in every campaign's control and count towards its share, so that planned shares are
still what is planned.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

STANDING_SALT: Final = "standing-control"
_BUCKETS: Final = 1 << 64


def bucket(salt: str, customer_id: str) -> float:
    """Return where a customer stands between 0 and 1 (excluded) under a salt."""
    digest = sha256(b"\0".join((salt.encode(), customer_id.encode()))).digest()
    # 53 bits are what a double holds: rounding up to 1.0 would be outside of every share
    return (int.from_bytes(digest[:8], "big") >> 11) / (_BUCKETS >> 11)


def can_assign(shares: Mapping[str, float]) -> bool:
    """Tell whether customers can be assigned by such weights: there are two variants or more, each with some."""
    return len(shares) >= 2 and all(0 < share < float("inf") for share in shares.values())


@dataclass(frozen=True)
class AssignmentPlan:
    """The variants of one campaign and their shares.

    Attributes:
        campaign_id: the salt, unless another is given.
        shares: variant → weight; only proportions count. Their order is that of the buckets and must not change while
            the
            campaign runs: it is the order of the names.
        control: the variant that is not contacted.
        salt: '' = the campaign's id; another assigns the customers anew.
        standing_share: share of all customers in the standing control group.
        standing_salt: picks that group; the same for all campaigns.

    Raises:
        UserError: no variant, a weight that is not positive, or a control smaller than the standing group.
    """

    campaign_id: str
    shares: Mapping[str, float]
    control: str = "control"
    salt: str = ""
    standing_share: float = 0.0
    standing_salt: str = STANDING_SALT
    _edges: tuple[tuple[float, str], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        total = sum(self.shares.values())
        if not can_assign(self.shares):
            raise UserError("the shares do not name two variants with weights above 0", "e.g. control=0.2,A=0.8")
        planned = {name: share / total for name, share in sorted(self.shares.items())}
        if self.standing_share and planned.get(self.control, 0.0) < self.standing_share:
            raise UserError(
                f"the control {self.control!r} has {planned.get(self.control, 0.0):.1%} of the customers, "
                f"fewer than the standing control group ({self.standing_share:.1%})",
                "give it at least as many, or make the standing group smaller",
            )
        if self.standing_share:
            planned[self.control] -= self.standing_share
        edges, edge = [], 0.0
        for name, share in planned.items():
            edge += share / (1 - self.standing_share)
            edges.append((edge, name))
        edges[-1] = (1.0, edges[-1][1])  # whatever the sum of doubles is
        object.__setattr__(self, "_edges", tuple(edges))

    def is_standing(self, customer_id: str) -> bool:
        """Tell whether a customer gets no campaign at all."""
        return bucket(self.standing_salt, customer_id) < self.standing_share

    def variant_of(self, customer_id: str) -> str:
        """Return a customer's variant."""
        if self.is_standing(customer_id):
            return self.control
        place = bucket(self.salt or self.campaign_id, customer_id)
        return next(name for edge, name in self._edges if place < edge)
