"""A batch of events as columns: equal-length lists, one entry per event, in the order of the records.

The fields are the record's offset and those of the event's model, under the same names. Instants are whole
milliseconds since 1970-01-01T00:00:00Z.

One comprehension per field, spelled out: it makes no object that the garbage collector tracks, where rows turned
into columns by ``zip`` cost two to three times as much beside a large heap.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import compress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.common import TransactionKind
    from schemas.cost import CostCategory
    from schemas.records import CostRecord, LoginRecord, TouchRecord, TransactionRecord
    from schemas.touch import TouchKind


@dataclass(slots=True)
class EventColumns:
    """What every event has."""

    offset: list[int]
    event_id: list[str]
    occurred_at: list[int]

    def __len__(self) -> int:
        return len(self.offset)

    def select(self, keep: Sequence[bool]) -> Self:
        """Return the columns with only the rows marked True."""
        return type(self)(*(list(compress(getattr(self, field.name), keep)) for field in fields(self)))


@dataclass(slots=True)
class MoneyEventColumns(EventColumns):
    """What every event that carries money has; the empty text stands for the reporting currency."""

    currency: list[str]


@dataclass(slots=True)
class LoginColumns(EventColumns):
    """Columns of `schemas.AppLogin`."""

    customer_id: list[str]
    channel: list[str]
    session_seconds: list[float | None]
    automated: list[bool]

    @classmethod
    def of(cls, offset: list[int], occurred_at: list[int], records: Sequence[LoginRecord]) -> Self:
        """Take records apart; their instants are parsed already."""
        return cls(
            offset=offset,
            event_id=[record.event_id for record in records],
            occurred_at=occurred_at,
            customer_id=[record.customer_id for record in records],
            channel=[record.channel for record in records],
            session_seconds=[record.session_seconds for record in records],
            automated=[record.automated for record in records],
        )


@dataclass(slots=True)
class TransactionColumns(MoneyEventColumns):
    """Columns of `schemas.Transaction`."""

    customer_id: list[str]
    kind: list[TransactionKind]
    amount_minor: list[int]
    channel: list[str]
    product: list[str | None]
    revenue_minor: list[int | None]
    aum_delta_minor: list[int | None]
    cross_bank: list[bool]
    scenario: list[str | None]
    reverses: list[str | None]

    @classmethod
    def of(cls, offset: list[int], occurred_at: list[int], records: Sequence[TransactionRecord]) -> Self:
        """Take records apart; their instants are parsed already."""
        return cls(
            offset=offset,
            event_id=[record.event_id for record in records],
            occurred_at=occurred_at,
            currency=[record.currency for record in records],
            customer_id=[record.customer_id for record in records],
            kind=[record.kind for record in records],
            amount_minor=[record.amount_minor for record in records],
            channel=[record.channel for record in records],
            product=[record.product for record in records],
            revenue_minor=[record.revenue_minor for record in records],
            aum_delta_minor=[record.aum_delta_minor for record in records],
            cross_bank=[record.cross_bank for record in records],
            scenario=[record.scenario for record in records],
            reverses=[record.reverses for record in records],
        )


@dataclass(slots=True)
class TouchColumns(MoneyEventColumns):
    """Columns of `schemas.CampaignTouch`."""

    customer_id: list[str]
    campaign_id: list[str]
    variant: list[str | None]
    channel: list[str]
    kind: list[TouchKind]
    cost_minor: list[int]
    automated: list[bool]
    recommended: list[bool]

    @classmethod
    def of(cls, offset: list[int], occurred_at: list[int], records: Sequence[TouchRecord]) -> Self:
        """Take records apart; their instants are parsed already."""
        return cls(
            offset=offset,
            event_id=[record.event_id for record in records],
            occurred_at=occurred_at,
            currency=[record.currency for record in records],
            customer_id=[record.customer_id for record in records],
            campaign_id=[record.campaign_id for record in records],
            variant=[record.variant for record in records],
            channel=[record.channel for record in records],
            kind=[record.kind for record in records],
            cost_minor=[record.cost_minor for record in records],
            automated=[record.automated for record in records],
            recommended=[record.recommended for record in records],
        )


@dataclass(slots=True)
class CostColumns(MoneyEventColumns):
    """Columns of `schemas.CampaignCost`."""

    campaign_id: list[str]
    variant: list[str | None]
    category: list[CostCategory]
    amount_minor: list[int]

    @classmethod
    def of(cls, offset: list[int], occurred_at: list[int], records: Sequence[CostRecord]) -> Self:
        """Take records apart; their instants are parsed already."""
        return cls(
            offset=offset,
            event_id=[record.event_id for record in records],
            occurred_at=occurred_at,
            currency=[record.currency for record in records],
            campaign_id=[record.campaign_id for record in records],
            variant=[record.variant for record in records],
            category=[record.category for record in records],
            amount_minor=[record.amount_minor for record in records],
        )


Columns = LoginColumns | TransactionColumns | TouchColumns | CostColumns
