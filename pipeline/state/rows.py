"""What one commit cycle makes durable, as columns: everything a shard learnt since the last one, of one log prefix.

A leaf: it imports no other part of the core, so each of them may. Columns are equal-length lists. Beside a large heap
they cost a fraction of as many objects, a batch's own columns are joined on whole, and a block is written from them
as they are. Kinds of which a block holds a few rows are lists of rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.state.intake import Refusal

# families of cells: by tier, by variant, by minute of the event, by business day of the touch and lag in whole days;
# and by hour (its start in epoch seconds) and business day of the event
TIER: Final = "tier"
VARIANT: Final = "variant"
MINUTE: Final = "minute"
COHORT: Final = "cohort"
HOUR: Final = "hour"
DAY: Final = "day"
FAMILIES: Final = (TIER, VARIANT, MINUTE, COHORT, HOUR, DAY)


class CellMeasure(IntEnum):
    """Places of the measures within a cell: the order of the ledger's array, the names of the view named_cells."""

    TOUCHES = 0
    REACHED = 1
    CONVERSION_MILLIONTHS = 2
    CONVERTERS = 3
    COST_MINOR = 4
    RETURN_MINOR = 5
    AUM_MINOR = 6


class DayMeasure(IntEnum):
    """Places of the measures within a day: the order of the ledger's array, the names of the view named_days."""

    DAU = 0
    WAU_CHANGE = 1
    MAU_CHANGE = 2
    GROSS_DAY = 3
    GROSS_MAU_CHANGE = 4
    REACTIVATED = 5


class CreditMeasure(IntEnum):
    """Places of what a credit stands at under one model: the order of the ledger's array.

    ``MILLIONTHS`` 0 takes a stored credit back. ``BOOKED`` is the share without regard to reversals: what reversals
    have eaten keeps it, so that the credit can be told as it was before them; it is 0 where the credit moved to other
    touches. ``TOUCHED_AT`` is the touch's own time, of two touches of one id that of the one credited.
    """

    MILLIONTHS = 0
    RETURN_MINOR = 1
    AUM_MINOR = 2
    TOUCHED_AT = 3
    BOOKED = 4


CREDIT_WIDTH: Final = len(CreditMeasure)
CELL_WIDTH: Final = len(CellMeasure)
DAY_WIDTH: Final = len(DayMeasure)
# a chapter whose money is beyond it ends; only what one block adds can be beyond the 64 bits of a stored measure then
FULL: Final = 1 << 62


@dataclass(slots=True)
class FactColumns:
    """What the facts of every event topic have."""

    offset: list[int] = field(default_factory=list)
    event_id: list[str] = field(default_factory=list)
    at: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.offset)


@dataclass(slots=True)
class TouchFacts(FactColumns):
    """Accepted touches, creditable or not."""

    pseudonym: list[bytes] = field(default_factory=list)
    tier: list[str] = field(default_factory=list)
    campaign_id: list[str] = field(default_factory=list)
    variant: list[str] = field(default_factory=list)
    channel: list[str] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    cost_minor: list[int] = field(default_factory=list)
    automated: list[bool] = field(default_factory=list)
    recommended: list[bool] = field(default_factory=list)
    creditable: list[bool] = field(default_factory=list)


@dataclass(slots=True)
class TransactionFacts(FactColumns):
    """Accepted transactions; ``reverses`` names the original where one is a reversal."""

    pseudonym: list[bytes] = field(default_factory=list)
    tier: list[str] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    channel: list[str] = field(default_factory=list)
    product: list[str | None] = field(default_factory=list)
    amount_minor: list[int] = field(default_factory=list)
    revenue_minor: list[int | None] = field(default_factory=list)
    aum_delta_minor: list[int | None] = field(default_factory=list)
    cross_bank: list[bool] = field(default_factory=list)
    scenario: list[str | None] = field(default_factory=list)
    reverses: list[str | None] = field(default_factory=list)


@dataclass(slots=True)
class CostFacts(FactColumns):
    """Accepted cost events."""

    campaign_id: list[str] = field(default_factory=list)
    variant: list[str] = field(default_factory=list)
    category: list[str] = field(default_factory=list)
    amount_minor: list[int] = field(default_factory=list)


@dataclass(slots=True)
class LoginDays:
    """Customers who logged in on a day, for the first time or for the first time engaged."""

    pseudonym: list[bytes] = field(default_factory=list)
    day: list[int] = field(default_factory=list)
    engaged: list[bool] = field(default_factory=list)
    tier: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.day)


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """Rows of one kind as columns of ClickHouse's Native format, by the ledger's names: what a compiled core hands out.

    Of `measures` only the values, of which every row has as many.
    """

    kind: str
    count: int
    columns: Mapping[str, bytes | memoryview]


@dataclass(slots=True)
class CreditColumns:
    """A transaction's credits by a touch, under every model, as they stand; ``kind`` is the transaction's.

    ``standings`` has five numbers a model (`CreditMeasure`), in the models' order, row after row.
    """

    campaign_id: list[str] = field(default_factory=list)
    variant: list[str] = field(default_factory=list)
    transaction_id: list[str] = field(default_factory=list)
    touch_id: list[str] = field(default_factory=list)
    pseudonym: list[bytes] = field(default_factory=list)
    converted_at: list[int] = field(default_factory=list)
    tier: list[str] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    standings: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.campaign_id)


class CellRow(NamedTuple):
    """One changed cell: the value of its chapter so far."""

    campaign_id: str
    label: str
    coordinate: int
    lag: int
    model: int
    chapter: int
    measures: list[int]


@dataclass(slots=True)
class CellColumns:
    """Changed cells of one family; ``measures`` holds `CELL_WIDTH` numbers of each, one cell after another."""

    campaign_id: list[str] = field(default_factory=list)
    label: list[str] = field(default_factory=list)
    coordinate: list[int] = field(default_factory=list)
    lag: list[int] = field(default_factory=list)
    model: list[int] = field(default_factory=list)
    chapter: list[int] = field(default_factory=list)
    measures: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.chapter)

    def add(self, row: CellRow) -> None:
        """Add a row."""
        self.campaign_id.append(row.campaign_id)
        self.label.append(row.label)
        self.coordinate.append(row.coordinate)
        self.lag.append(row.lag)
        self.model.append(row.model)
        self.chapter.append(row.chapter)
        self.measures.extend(row.measures)

    def rows(self) -> list[CellRow]:
        """Return the columns as rows."""
        numbers = _slices(self.measures, CELL_WIDTH)
        columns = (self.campaign_id, self.label, self.coordinate, self.lag, self.model, self.chapter, numbers)
        return [CellRow(*row) for row in zip(*columns, strict=True)]


class DayRow(NamedTuple):
    """One changed day of one tier: the value of its chapter so far."""

    tier: str
    day: int
    chapter: int
    measures: list[int]


@dataclass(slots=True)
class DayColumns:
    """Changed days of activity; ``measures`` holds `DAY_WIDTH` numbers of each, one day after another."""

    tier: list[str] = field(default_factory=list)
    day: list[int] = field(default_factory=list)
    chapter: list[int] = field(default_factory=list)
    measures: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.chapter)

    def add(self, row: DayRow) -> None:
        """Add a row."""
        self.tier.append(row.tier)
        self.day.append(row.day)
        self.chapter.append(row.chapter)
        self.measures.extend(row.measures)

    def rows(self) -> list[DayRow]:
        """Return the columns as rows."""
        numbers = _slices(self.measures, DAY_WIDTH)
        return [DayRow(*row) for row in zip(self.tier, self.day, self.chapter, numbers, strict=True)]


def _slices(numbers: list[int], width: int) -> list[list[int]]:
    return [numbers[start : start + width] for start in range(0, len(numbers), width)]


class AdjustmentRow(NamedTuple):
    """What reversals have left of a transaction."""

    event_id: str
    at: int
    effective_minor: int


class Profile(NamedTuple):
    """What is known of a customer."""

    tier: str | None
    segment: str | None
    opened_at: int | None


class ProfileRow(NamedTuple):
    """A customer's profile; an empty tier means there is none (erased)."""

    pseudonym: bytes
    tier: str
    segment: str
    opened_at: int | None


class ErasedCounts(NamedTuple):
    """How many rows the ledger held of a customer, by kind."""

    touches: int = 0
    transactions: int = 0
    logins: int = 0
    credits: int = 0
    adjustments: int = 0
    profiles: int = 0


NOTHING: Final = ErasedCounts()


class Stage(IntEnum):
    """How far an erasure has come; each stage is made durable before the next begins."""

    BEGUN = 1
    SUBTRACTED = 2
    DONE = 3
    REVIVED = 4


class ErasureRow(NamedTuple):
    """An erasure's stage; ``requests`` are the latest that asked for it."""

    pseudonym: bytes
    stage: Stage
    counts: ErasedCounts
    requests: tuple[str, ...]


@dataclass(slots=True)
class Changes:
    """One shard's part of a block."""

    touches: TouchFacts = field(default_factory=TouchFacts)
    transactions: TransactionFacts = field(default_factory=TransactionFacts)
    costs: CostFacts = field(default_factory=CostFacts)
    logins: LoginDays = field(default_factory=LoginDays)
    credits: CreditColumns = field(default_factory=CreditColumns)
    cells: dict[str, CellColumns] = field(default_factory=lambda: {family: CellColumns() for family in FAMILIES})
    days: DayColumns = field(default_factory=DayColumns)
    profiles: list[ProfileRow] = field(default_factory=list)
    adjustments: list[AdjustmentRow] = field(default_factory=list)
    erasures: list[ErasureRow] = field(default_factory=list)
    orphans: list[Refusal] = field(default_factory=list)
    encoded: list[EncodedRows] = field(default_factory=list)  # further rows of any kind
