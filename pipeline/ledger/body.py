"""The body of a block's INSERT: what shards learnt, encoded column by column."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final, TypeVar

from pipeline.clickhouse.native import Body, NativeTable
from pipeline.ledger.rows import (
    AUM_GIVEN,
    AUTOMATED,
    COLUMNS,
    CREDITABLE,
    CROSS_BANK,
    ENGAGED,
    FORM,
    RECOMMENDED,
    REVENUE_GIVEN,
)
from pipeline.state.rows import FULL, HOUR, CellColumns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence, Sized

    from pipeline.clickhouse.native import ColumnValues, Sheet
    from pipeline.ledger.rows import DeadLetterRow, Position, ShardBlock, VerdictRow
    from pipeline.state.rows import (
        AdjustmentRow,
        CostFacts,
        CreditColumns,
        DayColumns,
        EncodedRows,
        ErasureRow,
        LoginDays,
        ProfileRow,
        TouchFacts,
        TransactionFacts,
    )

_Given = TypeVar("_Given", bound="Sized")


def encode(block: ShardBlock, labels: tuple[str, ...], written_at_ms: int) -> list[Sheet]:
    """Return a shard's rows, a sheet of each kind; ``labels`` are what the ledger calls each model."""
    rows = _Rows(labels, written_at_ms)
    rows.add(block)
    return rows.sheets


def body_of(sheets: Sequence[Sheet]) -> tuple[Body, int]:
    """Return the body of a block's INSERT and its number of rows."""
    return _TABLE.joined(sheets) if sheets else Body([]), sum(sheet.count for sheet in sheets)


class _Rows:
    """Collects sheets, one per shard and kind of row: within a kind most columns are empty or constant."""

    def __init__(self, labels: tuple[str, ...], written_at_ms: int) -> None:
        self.sheets: list[Sheet] = []
        self._labels = labels
        self._written_at_ms = written_at_ms

    def add(self, block: ShardBlock) -> None:
        changes = block.changes
        self._given(block, changes.touches, self._touches)
        self._given(block, changes.transactions, self._transactions)
        self._given(block, changes.logins, self._logins)
        self._given(block, changes.costs, self._costs)
        self._given(block, changes.adjustments, self._adjustments)
        self._given(block, changes.profiles, self._profiles)
        self._given(block, changes.credits, self._credits)
        self._given(block, changes.days, self._days)
        self._given(block, block.dead_letters, self._dead_letters)
        self._given(block, block.positions, self._positions)
        self._given(block, changes.erasures, self._erasures)
        self._given(block, block.verdicts, self._verdicts)
        self._encoded(block, changes.encoded)
        for family, cells in changes.cells.items():
            if len(cells):
                self._cells(block, family, cells)

    @staticmethod
    def _given(block: ShardBlock, rows: _Given, write: Callable[[ShardBlock, _Given], None]) -> None:
        if len(rows):  # of hundreds of shards most have nothing of a kind
            write(block, rows)

    def _add(self, block: ShardBlock, kind: str, count: int, **columns: ColumnValues) -> None:
        if count == 0:
            return
        columns |= {"kind": kind, "shard": block.shard, "version": block.version}
        self.sheets.append(_TABLE.sheet(count, columns))

    def _touches(self, block: ShardBlock, facts: TouchFacts) -> None:
        self._add(
            block,
            "touch",
            len(facts),
            campaign_id=facts.campaign_id,
            label=facts.variant,
            at=facts.at,
            id=facts.event_id,
            customer=_hex(facts.pseudonym),
            tier=facts.tier,
            channel=facts.channel,
            category=facts.kind,
            flags=[
                AUTOMATED * automated | RECOMMENDED * recommended | CREDITABLE * creditable
                for automated, recommended, creditable in zip(
                    facts.automated, facts.recommended, facts.creditable, strict=True
                )
            ],
            measures=facts.cost_minor,
            source=facts.offset,
        )

    def _transactions(self, block: ShardBlock, facts: TransactionFacts) -> None:
        self._add(
            block,
            "transaction",
            len(facts),
            at=facts.at,
            id=facts.event_id,
            other_id=[original or "" for original in facts.reverses],
            customer=_hex(facts.pseudonym),
            tier=facts.tier,
            channel=facts.channel,
            category=facts.kind,
            product=[product or "" for product in facts.product],
            scenario=[scenario or "" for scenario in facts.scenario],
            flags=[
                CROSS_BANK * cross_bank
                | (0 if revenue is None else REVENUE_GIVEN)
                | (0 if aum_delta is None else AUM_GIVEN)
                for cross_bank, revenue, aum_delta in zip(
                    facts.cross_bank, facts.revenue_minor, facts.aum_delta_minor, strict=True
                )
            ],
            measures=_interleaved(
                facts.amount_minor,
                [revenue or 0 for revenue in facts.revenue_minor],
                [aum_delta or 0 for aum_delta in facts.aum_delta_minor],
            ),
            source=facts.offset,
        )

    def _encoded(self, block: ShardBlock, rows: list[EncodedRows]) -> None:
        for each in rows:
            self._add(block, each.kind, each.count, **each.columns)

    def _logins(self, block: ShardBlock, facts: LoginDays) -> None:
        self._add(
            block,
            "login",
            len(facts),
            at=facts.day,
            id=_hex(facts.pseudonym),
            tier=facts.tier,
            flags=[ENGAGED * engaged for engaged in facts.engaged],
        )

    def _costs(self, block: ShardBlock, facts: CostFacts) -> None:
        self._add(
            block,
            "cost",
            len(facts),
            campaign_id=facts.campaign_id,
            label=facts.variant,
            at=facts.at,
            id=facts.event_id,
            category=facts.category,
            measures=facts.amount_minor,
            source=facts.offset,
        )

    def _adjustments(self, block: ShardBlock, rows: list[AdjustmentRow]) -> None:
        self._add(
            block,
            "adjustment",
            len(rows),
            at=[row.at for row in rows],
            id=[row.event_id for row in rows],
            measures=[row.effective_minor for row in rows],
        )

    def _profiles(self, block: ShardBlock, rows: list[ProfileRow]) -> None:
        self._add(
            block,
            "profile",
            len(rows),
            id=[row.pseudonym.hex() for row in rows],
            tier=[row.tier for row in rows],
            category=[row.segment for row in rows],
            measures=[row.opened_at or 0 for row in rows],
        )

    def _credits(self, block: ShardBlock, credits_now: CreditColumns) -> None:
        self._add(
            block,
            "credit",
            len(credits_now),
            campaign_id=credits_now.campaign_id,
            label=credits_now.variant,
            at=credits_now.converted_at,
            id=credits_now.transaction_id,
            other_id=credits_now.touch_id,
            model=self._labels[0],  # the row holds what every model gives
            customer=_hex(credits_now.pseudonym),
            tier=credits_now.tier,
            category=credits_now.kind,
            measures=credits_now.standings,
        )

    def _cells(self, block: ShardBlock, family: str, cells: CellColumns) -> None:
        try:
            self._add_cells(block, family, cells)
        except OverflowError:
            self._add_cells(block, family, *_within_64_bits(cells))

    def _add_cells(self, block: ShardBlock, family: str, cells: CellColumns, parts: ColumnValues = "") -> None:
        # hours are ordered by time first: a few of them of all campaigns are to lie together
        places: dict[str, ColumnValues] = (
            {"campaign_id": "", "id": cells.campaign_id, "other_id": parts}
            if family == HOUR
            else {"campaign_id": cells.campaign_id, "id": parts}
        )
        self._add(
            block,
            family,
            len(cells),
            **places,
            label=cells.label,
            at=cells.coordinate,
            lag=cells.lag,
            model=[self._labels[model] for model in cells.model],
            chapter=cells.chapter,
            measures=cells.measures,
        )

    def _days(self, block: ShardBlock, days: DayColumns) -> None:
        self._add(
            block, "activity", len(days), label=days.tier, at=days.day, chapter=days.chapter, measures=days.measures
        )

    def _dead_letters(self, block: ShardBlock, letters: list[DeadLetterRow]) -> None:
        self._add(
            block,
            "dead_letter",
            len(letters),
            label=[letter.topic for letter in letters],
            at=[letter.offset for letter in letters],
            lag=[letter.partition for letter in letters],
            id=[letter.topic_id for letter in letters],
            other_id=[letter.reason for letter in letters],
            measures=[self._written_at_ms] * len(letters),
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
                FORM,
            )
        self._add(
            block,
            "position",
            len(positions),
            label=[position.topic for position in positions],
            measures=numbers,
            detail=[position.topic_id for position in positions],
        )

    def _verdicts(self, block: ShardBlock, rows: Sequence[VerdictRow]) -> None:
        for kind in ("takeover", "future", "revived"):
            found = [row for row in rows if row.kind == kind]
            self._add(
                block,
                kind,
                len(found),
                label=[row.topic for row in found],
                at=[row.offset for row in found],
                id=[row.pseudonym for row in found],
                measures=[row.watermark for row in found],
                detail=[row.topic_id for row in found],
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
            measures=numbers,
            detail=[",".join(row.requests) for row in rows],
        )


def _hex(pseudonyms: list[bytes]) -> list[str]:
    return [pseudonym.hex() for pseudonym in pseudonyms]


def _interleaved(*columns: list[int]) -> list[int]:
    return list(chain.from_iterable(zip(*columns, strict=True)))


def _within_64_bits(cells: CellColumns) -> tuple[CellColumns, list[str]]:
    """Return rows that add up to the cells, and what tells those of one chapter apart: a number, '' for the first.

    The chapter of such a cell has ended, so no later value has to replace these rows one by one.
    """
    split = CellColumns()
    parts: list[str] = []
    for cell in cells.rows():
        count = max(1, -(-max(map(abs, cell.measures)) // FULL))
        for part in range(count):
            split.add(cell._replace(measures=[each // count + (part < each % count) for each in cell.measures]))
            parts.append(str(part) if part else "")
    return split, parts


_TABLE: Final = NativeTable(COLUMNS)
