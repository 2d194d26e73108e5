"""Blocks of ledger rows, written by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.ledger.body import body_of, encode
from pipeline.ledger.ledger import Block
from pipeline.ledger.rows import DeadLetterRow, Position, ShardBlock
from pipeline.state.policy import Policy
from pipeline.state.rows import Changes, TouchFacts
from schemas.topics import TOUCHES

if TYPE_CHECKING:
    from collections.abc import Collection

POLICY = Policy(pseudonym_key=b"key")
PSEUDONYM = bytes(range(16))


def touch_facts(*event_ids: str, at: int = 1_000, variant: str = "", held: Collection[str] = ()) -> TouchFacts:
    """Return touches of campaign spring; those held are of the control group and not creditable."""
    count = len(event_ids)
    return TouchFacts(
        offset=[7] * count,
        event_id=list(event_ids),
        at=[at] * count,
        pseudonym=[PSEUDONYM] * count,
        tier=["A"] * count,
        campaign_id=["spring"] * count,
        variant=[variant] * count,
        channel=["app"] * count,
        kind=["send"] * count,
        cost_minor=[5] * count,
        automated=[True] * count,
        recommended=[False] * count,
        creditable=[event_id not in held for event_id in event_ids],
    )


def part(shard: int, *, epoch: int = 1, sequence: int = 1, next_offset: int = 1, **changes: Any) -> ShardBlock:
    """Return one shard's part of a block, with a position of the touch topic."""
    return ShardBlock(
        shard, epoch << 32 | sequence, Changes(**changes), [Position(TOUCHES, next_offset, 1_000, 1, 0, 0, "first")], []
    )


def block_of(*parts: ShardBlock, number: int = 1) -> Block:
    """Return the parts as a block under the claims that their versions name."""
    body, rows = body_of([sheet for each in parts for sheet in encode(each, POLICY.labels, 0)])
    return Block(number, {each.shard: each.version >> 32 for each in parts}, body, rows)


def letter(offset: int, detail: str = "event_id: missing") -> DeadLetterRow:
    return DeadLetterRow(TOUCHES, 0, offset, "invalid_event", detail)
