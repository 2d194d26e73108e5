"""A block's rows: what shards learnt, as ledger rows in ClickHouse's MsgPack format.

MsgPack rows are simply one value after another, so a block is one flat list encoded in a single call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.state.changes import Changes

COLUMNS: Final = (
    ("kind", "String"), ("shard", "UInt32"), ("campaign_id", "String"), ("label", "String"), ("at", "Int64"),
    ("lag", "UInt32"), ("id", "String"), ("other_id", "String"), ("model", "String"), ("chapter", "UInt64"),
    ("customer", "String"), ("tier", "String"), ("channel", "String"), ("category", "String"), ("product", "String"),
    ("scenario", "String"), ("flags", "UInt8"), ("measures", "Array(Int64)"), ("source", "Int64"),
    ("detail", "String"), ("version", "UInt64"),
)
AUTOMATED: Final = 1
RECOMMENDED: Final = 2
CREDITABLE: Final = 4
ENGAGED: Final = 8
CROSS_BANK: Final = 16
REVENUE_GIVEN: Final = 32
AUM_GIVEN: Final = 64

_encode = msgspec.msgpack.Encoder().encode


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
    labels = ("", *models[1:])
    flat: list[Any] = []
    for block in blocks:
        _add_facts(flat, block)
        _add_numbers(flat, block, labels)
        _add_books(flat, block, written_at_ms)
    body = _encode(flat)
    return body[_header_length(len(flat)):], len(flat) // len(COLUMNS)


def _header_length(count: int) -> int:
    """Return the length of MsgPack's array header, which ClickHouse does not want."""
    if count < 1 << 4:
        return 1
    return 3 if count < 1 << 16 else 5


def _add_facts(flat: list[Any], block: ShardBlock) -> None:
    shard, version, changes = block.shard, block.version, block.changes
    add = flat.extend
    for fact in changes.touches:
        (offset, event_id, at, customer, tier, arm, channel, kind, cost, automated, recommended, creditable) = fact
        flags = AUTOMATED * automated | RECOMMENDED * recommended | CREDITABLE * creditable
        add(("touch", shard, arm.campaign_id, arm.variant, at, 0, event_id, "", "", 0, customer.hex(), tier, channel,
             kind, "", "", flags, (cost,), offset, "", version))
    for (offset, event_id, at, customer, tier, kind, channel, product, amount, revenue, aum, cross, scenario,
         reverses) in changes.transactions:
        flags = CROSS_BANK * cross
        if revenue is not None:
            flags |= REVENUE_GIVEN
        if aum is not None:
            flags |= AUM_GIVEN
        add(("transaction", shard, "", "", at, 0, event_id, reverses or "", "", 0, customer.hex(), tier, channel, kind,
             product or "", scenario or "", flags, (amount, revenue or 0, aum or 0), offset, "", version))
    for customer, day, engaged, tier in changes.logins:
        add(("login", shard, "", "", day, 0, customer.hex(), "", "", 0, "", tier, "", "", "", "",
             ENGAGED if engaged else 0, (), 0, "", version))
    for offset, event_id, at, arm, category, amount in changes.costs:
        add(("cost", shard, arm.campaign_id, arm.variant, at, 0, event_id, "", "", 0, "", "", "", category, "", "", 0,
             (amount,), offset, "", version))
    for event_id, at, effective in changes.adjustments:
        add(("adjustment", shard, "", "", at, 0, event_id, "", "", 0, "", "", "", "", "", "", 0, (effective,), 0, "",
             version))
    for customer, tier, segment, opened_at in changes.profiles:
        add(("profile", shard, "", "", 0, 0, customer.hex(), "", "", 0, "", tier, "", segment, "", "", 0,
             (opened_at or 0,), 0, "", version))


def _add_numbers(flat: list[Any], block: ShardBlock, labels: tuple[str, ...]) -> None:
    shard, version, changes = block.shard, block.version, block.changes
    add = flat.extend
    for (model, arm, transaction_id, touch_id, customer, touched_at, converted_at, tier, millionths, earned,
         aum) in changes.credits:
        add(("credit", shard, arm.campaign_id, arm.variant, converted_at, 0, transaction_id, touch_id, labels[model], 0,
             customer.hex(), tier, "", "", "", "", 0, (millionths, earned, aum, touched_at), 0, "", version))
    for family, campaign_id, label, coordinate, lag, model, chapter, measures in changes.cells:
        add((family, shard, campaign_id, label, coordinate, lag, "", "", labels[model], chapter, "", "", "", "", "", "",
             0, measures, 0, "", version))
    for tier, day, chapter, measures in changes.days:
        add(("activity", shard, "", tier, day, 0, "", "", "", chapter, "", "", "", "", "", "", 0, measures, 0, "",
             version))


def _add_books(flat: list[Any], block: ShardBlock, written_at_ms: int) -> None:
    shard, version = block.shard, block.version
    for topic, partition, offset, reason, detail in block.dead_letters:
        flat.extend(("dead_letter", shard, "", topic, offset, partition, "", reason, "", 0, "", "", "", "", "", "", 0,
                     (written_at_ms,), offset, detail, version))
    for topic, next_offset, watermark, accepted, duplicates, dead, topic_id in block.positions:
        flat.extend(("position", shard, "", topic, 0, 0, "", "", "", 0, "", "", "", "", "", "", 0,
                     (next_offset, watermark, accepted, duplicates, dead, written_at_ms), 0, topic_id, version))
