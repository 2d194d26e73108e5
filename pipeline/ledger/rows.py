"""A block's rows: what shards learnt, as rows of the ledger (sql/migrations/0001_ledger.sql has the table of kinds)."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.clickhouse.native import Measures, NativeTable
from pipeline.state.activity import DAY_WIDTH
from pipeline.state.cells import CELL_WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.state.activity import ActivityRow, LoginDay
    from pipeline.state.cells import CellRow
    from pipeline.state.changes import (
        AdjustmentRow,
        Changes,
        CostFact,
        CreditRow,
        ProfileRow,
        TouchFact,
        TransactionFact,
    )
    from pipeline.state.erasure import ErasureRow

    ColumnValues = Sequence[str] | Sequence[int] | Measures | str | int

COLUMNS: Final = (
    ("kind", "String"),
    ("shard", "UInt32"),
    ("campaign_id", "String"),
    ("label", "String"),
    ("at", "Int64"),
    ("lag", "UInt32"),
    ("id", "String"),
    ("other_id", "String"),
    ("model", "String"),
    ("chapter", "UInt64"),
    ("customer", "String"),
    ("tier", "String"),
    ("channel", "String"),
    ("category", "String"),
    ("product", "String"),
    ("scenario", "String"),
    ("flags", "UInt8"),
    ("measures", "Array(Int64)"),
    ("source", "Int64"),
    ("detail", "String"),
    ("version", "UInt64"),
)
AUTOMATED: Final = 1
RECOMMENDED: Final = 2
CREDITABLE: Final = 4
ENGAGED: Final = 8
CROSS_BANK: Final = 16
REVENUE_GIVEN: Final = 32
AUM_GIVEN: Final = 64


class Position(NamedTuple):
    """How far one topic of a shard has been taken in, and what became of its events."""

    topic: str
    next_offset: int
    watermark: int
    accepted: int
    duplicates: int
    dead_letters: int
    topic_id: str


class DeadLetterRow(NamedTuple):
    """A record that does not count, and why. ``detail`` never holds a customer id."""

    topic: str
    partition: int
    offset: int
    reason: str
    detail: str


class ShardBlock(NamedTuple):
    """One shard's part of a block."""

    shard: int
    version: int
    changes: Changes
    positions: list[Position]
    dead_letters: list[DeadLetterRow]


def encode(blocks: Iterable[ShardBlock], models: tuple[str, ...], written_at_ms: int) -> tuple[bytes, int]:
    """Return the body of a block's INSERT and its number of rows; the deciding model is written as ''."""
    body = _Body(("", *models[1:]), written_at_ms)
    for block in blocks:
        body.add(block)
    return b"".join(body.parts), body.rows


class _Body:
    """Collects Native blocks, one per shard and kind of row: within a kind most columns are empty or constant."""

    def __init__(self, labels: tuple[str, ...], written_at_ms: int) -> None:
        self.parts: list[bytes] = []
        self.rows = 0
        self._labels = labels
        self._written_at_ms = written_at_ms

    def add(self, block: ShardBlock) -> None:
        changes = block.changes
        self._touches(block, changes.touches)
        self._transactions(block, changes.transactions)
        self._logins(block, changes.logins)
        self._costs(block, changes.costs)
        self._adjustments(block, changes.adjustments)
        self._profiles(block, changes.profiles)
        self._credits(block, changes.credits)
        self._days(block, changes.days)
        self._dead_letters(block, block.dead_letters)
        self._positions(block, block.positions)
        self._erasures(block, changes.erasures)
        families: dict[str, list[CellRow]] = {}
        for cell in changes.cells:
            families.setdefault(cell.family, []).append(cell)
        for family, cells in families.items():
            self._cells(block, family, cells)

    def _add(self, block: ShardBlock, kind: str, count: int, **columns: ColumnValues) -> None:
        if count == 0:
            return
        self.rows += count
        self.parts.append(
            _TABLE.block(count, {"kind": kind, "shard": block.shard, "version": block.version, **columns})
        )

    def _touches(self, block: ShardBlock, facts: list[TouchFact]) -> None:
        self._add(
            block,
            "touch",
            len(facts),
            campaign_id=[fact.arm.campaign_id for fact in facts],
            label=[fact.arm.variant for fact in facts],
            at=[fact.at for fact in facts],
            id=[fact.event_id for fact in facts],
            customer=[fact.pseudonym.hex() for fact in facts],
            tier=[fact.tier for fact in facts],
            channel=[fact.channel for fact in facts],
            category=[fact.kind for fact in facts],
            flags=[
                AUTOMATED * fact.automated | RECOMMENDED * fact.recommended | CREDITABLE * fact.creditable
                for fact in facts
            ],
            measures=Measures([fact.cost_minor for fact in facts], 1),
            source=[fact.offset for fact in facts],
        )

    def _transactions(self, block: ShardBlock, facts: list[TransactionFact]) -> None:
        money: list[int] = []
        for fact in facts:
            money += (fact.amount_minor, fact.revenue_minor or 0, fact.aum_delta_minor or 0)
        self._add(
            block,
            "transaction",
            len(facts),
            at=[fact.at for fact in facts],
            id=[fact.event_id for fact in facts],
            other_id=[fact.reverses or "" for fact in facts],
            customer=[fact.pseudonym.hex() for fact in facts],
            tier=[fact.tier for fact in facts],
            channel=[fact.channel for fact in facts],
            category=[fact.kind for fact in facts],
            product=[fact.product or "" for fact in facts],
            scenario=[fact.scenario or "" for fact in facts],
            flags=[
                CROSS_BANK * fact.cross_bank
                | (0 if fact.revenue_minor is None else REVENUE_GIVEN)
                | (0 if fact.aum_delta_minor is None else AUM_GIVEN)
                for fact in facts
            ],
            measures=Measures(money, 3),
            source=[fact.offset for fact in facts],
        )

    def _logins(self, block: ShardBlock, facts: list[LoginDay]) -> None:
        self._add(
            block,
            "login",
            len(facts),
            at=[fact.day for fact in facts],
            id=[fact.pseudonym.hex() for fact in facts],
            tier=[fact.tier for fact in facts],
            flags=[ENGAGED * fact.engaged for fact in facts],
        )

    def _costs(self, block: ShardBlock, facts: list[CostFact]) -> None:
        self._add(
            block,
            "cost",
            len(facts),
            campaign_id=[fact.arm.campaign_id for fact in facts],
            label=[fact.arm.variant for fact in facts],
            at=[fact.at for fact in facts],
            id=[fact.event_id for fact in facts],
            category=[fact.category for fact in facts],
            measures=Measures([fact.amount_minor for fact in facts], 1),
            source=[fact.offset for fact in facts],
        )

    def _adjustments(self, block: ShardBlock, rows: list[AdjustmentRow]) -> None:
        self._add(
            block,
            "adjustment",
            len(rows),
            at=[row.at for row in rows],
            id=[row.event_id for row in rows],
            measures=Measures([row.effective_minor for row in rows], 1),
        )

    def _profiles(self, block: ShardBlock, rows: list[ProfileRow]) -> None:
        self._add(
            block,
            "profile",
            len(rows),
            id=[row.pseudonym.hex() for row in rows],
            tier=[row.tier for row in rows],
            category=[row.segment for row in rows],
            measures=Measures([row.opened_at or 0 for row in rows], 1),
        )

    def _credits(self, block: ShardBlock, rows: list[CreditRow]) -> None:
        money: list[int] = []
        for row in rows:
            money += (row.millionths, row.return_minor, row.aum_minor, row.touched_at)
        self._add(
            block,
            "credit",
            len(rows),
            campaign_id=[row.arm.campaign_id for row in rows],
            label=[row.arm.variant for row in rows],
            at=[row.converted_at for row in rows],
            id=[row.transaction_id for row in rows],
            other_id=[row.touch_id for row in rows],
            model=[self._labels[row.model] for row in rows],
            customer=[row.pseudonym.hex() for row in rows],
            tier=[row.tier for row in rows],
            measures=Measures(money, 4),
        )

    def _cells(self, block: ShardBlock, family: str, cells: list[CellRow]) -> None:
        self._add(
            block,
            family,
            len(cells),
            campaign_id=[cell.campaign_id for cell in cells],
            label=[cell.label for cell in cells],
            at=[cell.coordinate for cell in cells],
            lag=[cell.lag for cell in cells],
            model=[self._labels[cell.model] for cell in cells],
            chapter=[cell.chapter for cell in cells],
            measures=Measures(list(chain.from_iterable([cell.measures for cell in cells])), CELL_WIDTH),
        )

    def _days(self, block: ShardBlock, days: list[ActivityRow]) -> None:
        self._add(
            block,
            "activity",
            len(days),
            label=[day.tier for day in days],
            at=[day.day for day in days],
            chapter=[day.chapter for day in days],
            measures=Measures(list(chain.from_iterable([day.measures for day in days])), DAY_WIDTH),
        )

    def _dead_letters(self, block: ShardBlock, letters: list[DeadLetterRow]) -> None:
        self._add(
            block,
            "dead_letter",
            len(letters),
            label=[letter.topic for letter in letters],
            at=[letter.offset for letter in letters],
            lag=[letter.partition for letter in letters],
            other_id=[letter.reason for letter in letters],
            measures=Measures([self._written_at_ms] * len(letters), 1),
            source=[letter.offset for letter in letters],
            detail=[letter.detail for letter in letters],
        )

    def _positions(self, block: ShardBlock, positions: list[Position]) -> None:
        numbers: list[int] = []
        for position in positions:
            numbers += (
                position.next_offset,
                position.watermark,
                position.accepted,
                position.duplicates,
                position.dead_letters,
                self._written_at_ms,
            )
        self._add(
            block,
            "position",
            len(positions),
            label=[position.topic for position in positions],
            measures=Measures(numbers, 6),
            detail=[position.topic_id for position in positions],
        )

    def _erasures(self, block: ShardBlock, rows: list[ErasureRow]) -> None:
        numbers: list[int] = []
        for row in rows:
            numbers += (row.stage, *row.counts, self._written_at_ms)
        self._add(
            block,
            "erased",
            len(rows),
            id=[row.pseudonym.hex() for row in rows],
            measures=Measures(numbers, 8),
            detail=[",".join(row.requests) for row in rows],
        )


_TABLE: Final = NativeTable(COLUMNS)
