"""Blocks of ledger rows, written by hand."""

from __future__ import annotations

from typing import Any

from pipeline.ledger.ledger import Block
from pipeline.ledger.rows import DeadLetterRow, Position, ShardBlock, encode
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.state.changes import Changes, TouchFact
from pipeline.state.policy import Policy
from schemas.topics import TOUCHES

POLICY = Policy(pseudonym_key=b"key")
PSEUDONYM = bytes(range(16))


def touch_fact(event_id: str, *, at: int = 1_000, variant: str | None = None, creditable: bool = True) -> TouchFact:
    arm = CampaignRegistry(POLICY).arm("spring", variant)
    return TouchFact(
        offset=7,
        event_id=event_id,
        at=at,
        pseudonym=PSEUDONYM,
        tier="A",
        arm=arm,
        channel="app",
        kind="send",
        cost_minor=5,
        automated=True,
        recommended=False,
        creditable=creditable,
    )


def part(shard: int, *, epoch: int = 1, sequence: int = 1, next_offset: int = 1, **changes: Any) -> ShardBlock:
    """Return one shard's part of a block, with a position of the touch topic."""
    return ShardBlock(
        shard, epoch << 32 | sequence, Changes(**changes), [Position(TOUCHES, next_offset, 1_000, 1, 0, 0, "first")], []
    )


def block_of(*parts: ShardBlock, number: int = 1) -> Block:
    """Return the parts as a block under the claims that their versions name."""
    body, rows = encode(parts, POLICY.models, 0)
    return Block(number, {each.shard: each.version >> 32 for each in parts}, body, rows)


def letter(offset: int, detail: str = "event_id: missing") -> DeadLetterRow:
    return DeadLetterRow(TOUCHES, 0, offset, "invalid_event", detail)
