"""What a shard has learnt, whichever core it has: rows that a compiled core encoded as plain columns again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.clickhouse.native import NativeTable
from pipeline.ledger.rows import COLUMNS
from pipeline.state.rows import FAMILIES, AdjustmentRow, CellRow, Changes
from tests.support.fakes_native import NativeReader

if TYPE_CHECKING:
    from pipeline.ledger.rows import ShardBlock
    from pipeline.state.policy import Policy
    from pipeline.state.rows import EncodedRows

_TABLE: Final = NativeTable(COLUMNS)


def plain(block: ShardBlock, policy: Policy) -> ShardBlock:
    """Return the block with its encoded rows as plain ones: those of touches, credits, cells and adjustments."""
    labels = policy.labels
    for encoded in block.changes.encoded:
        for row in _rows(encoded):
            _take(block.changes, encoded.kind, row, labels)
    block.changes.encoded.clear()
    return block


def _rows(encoded: EncodedRows) -> list[dict[str, Any]]:
    ((heads, rows),) = NativeReader(_TABLE.block(encoded.count, encoded.columns)).blocks()
    return [dict(zip((name for name, _ in heads), row, strict=True)) for row in rows]


def _take(changes: Changes, kind: str, row: dict[str, Any], labels: tuple[str, ...]) -> None:
    if kind in FAMILIES:
        campaign = row["id"] if kind == "hour" else row["campaign_id"]
        model = labels.index(row["model"])
        place = campaign, row["label"], row["at"], row["lag"]
        changes.cells[kind].add(CellRow(*place, model, row["chapter"], row["measures"]))
    elif kind == "credit":
        _take_credit(changes, row)
    elif kind == "adjustment":
        changes.adjustments.append(AdjustmentRow(row["id"], row["at"], row["measures"][0]))


def _take_credit(changes: Changes, row: dict[str, Any]) -> None:
    found = changes.credits
    found.campaign_id.append(row["campaign_id"])
    found.variant.append(row["label"])
    found.transaction_id.append(row["id"])
    found.touch_id.append(row["other_id"])
    found.pseudonym.append(bytes.fromhex(row["customer"]))
    found.converted_at.append(row["at"])
    found.tier.append(row["tier"])
    found.kind.append(row["category"])
    found.standings += row["measures"]
