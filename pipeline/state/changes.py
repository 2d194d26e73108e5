"""What one commit cycle makes durable: everything a shard learnt since the last one, belonging to one log prefix.

The rows are structs out of the garbage collector's sight: there are millions of them, and none is part of a cycle.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Struct

from pipeline.state.campaign_registry import Arm

if TYPE_CHECKING:
    from pipeline.state.activity import ActivityRow, LoginDay
    from pipeline.state.cells import CellRow
    from pipeline.state.erasure import ErasureRow
    from pipeline.state.intake import Refusal


class TouchFact(Struct, frozen=True, gc=False):
    """An accepted touch, creditable or not."""

    offset: int
    event_id: str
    at: int
    pseudonym: bytes
    tier: str
    arm: Arm
    channel: str
    kind: str
    cost_minor: int
    automated: bool
    recommended: bool
    creditable: bool


class TransactionFact(Struct, frozen=True, gc=False):
    """An accepted transaction; ``reverses`` names the original where it is a reversal."""

    offset: int
    event_id: str
    at: int
    pseudonym: bytes
    tier: str
    kind: str
    channel: str
    product: str | None
    amount_minor: int
    revenue_minor: int | None
    aum_delta_minor: int | None
    cross_bank: bool
    scenario: str | None
    reverses: str | None


class CostFact(Struct, frozen=True, gc=False):
    """An accepted cost event."""

    offset: int
    event_id: str
    at: int
    arm: Arm
    category: str
    amount_minor: int


class CreditRow(Struct, frozen=True, gc=False):
    """A credit as it stands; ``millionths`` 0 takes a stored one back."""

    model: int
    arm: Arm
    transaction_id: str
    touch_id: str
    pseudonym: bytes
    touched_at: int
    converted_at: int
    tier: str
    millionths: int
    return_minor: int
    aum_minor: int


class AdjustmentRow(Struct, frozen=True, gc=False):
    """What reversals have left of a transaction."""

    event_id: str
    at: int
    effective_minor: int


class ProfileRow(Struct, frozen=True, gc=False):
    """A customer's profile; an empty tier means there is none (erased)."""

    pseudonym: bytes
    tier: str
    segment: str
    opened_at: int | None


@dataclass(slots=True)
class Changes:
    """One shard's part of a block."""

    touches: list[TouchFact] = field(default_factory=list)
    transactions: list[TransactionFact] = field(default_factory=list)
    costs: list[CostFact] = field(default_factory=list)
    logins: list[LoginDay] = field(default_factory=list)
    profiles: list[ProfileRow] = field(default_factory=list)
    credits: list[CreditRow] = field(default_factory=list)
    adjustments: list[AdjustmentRow] = field(default_factory=list)
    cells: list[CellRow] = field(default_factory=list)
    days: list[ActivityRow] = field(default_factory=list)
    erasures: list[ErasureRow] = field(default_factory=list)
    orphans: list[Refusal] = field(default_factory=list)
