"""A block's rows: what shards learnt, as rows of the ledger (kinds: sql/migrations/0001_ledger.sql; credits: 0047)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.state.rows import Changes

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
# What a block keeps up to date: 1 all but hours and days (its positions do not name it then), 2 these too, 3 credits of
# all models in one row. The table takes no positions of an older form than its migrations need, so an older program
# cannot leave something out.
FORM: Final = 3
LIVE: Final = "live"  # the run that workers count; replays have other names
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
    """A record that does not count, and why. ``detail`` never holds a customer id.

    A topic that was made anew has the same offsets once more: ``topic_id`` tells its lives apart ('' = not known).
    """

    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    topic_id: str = ""


class VerdictRow(NamedTuple):
    """What depended on when a log was read, for a replay to repeat (pipeline/worker/verdicts.py).

    Attributes:
        kind: `takeover`: from this offset on the topic's watermark is no less than ``watermark``; `future`: the record
            at this offset is from the future, and no dead letter says so; `revived`: from this offset on a customer who
            had been erased counts again.
        topic_id: the life of the topic that the offset belongs to.
    """

    kind: Literal["takeover", "future", "revived"]
    topic: str
    offset: int
    watermark: int
    topic_id: str
    pseudonym: str = ""


class ShardBlock(NamedTuple):
    """One shard's part of a block."""

    shard: int
    version: int
    changes: Changes
    positions: list[Position]
    dead_letters: list[DeadLetterRow]
    verdicts: Sequence[VerdictRow] = ()
