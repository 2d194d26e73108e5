"""A shard fed with hand-written events: the JSON of `tests.oracle.building`, at whole hours since the story began."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipeline.policies import rules_of
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.state.customer_lane import CustomerLane
from pipeline.state.policy import Policy
from pipeline.transport.ports import RecordBatch
from pipeline.worker.shard import OwnedShard
from schemas import Campaign, topics
from tests.oracle.building import Ledger
from tests.support.plain_changes import plain
from tests.support.standings import standings_of_rows

if TYPE_CHECKING:
    from pipeline.ledger.rows import ShardBlock
    from tests.oracle.log import Record

POLICY = Policy(future_ms=None, pseudonym_key=b"key", margins_bps={"deposit": 10_000})
GOAL = {"kinds": ["deposit"]}


class Bench:
    """One customer-lane shard; `written` collects events, `take` applies those that are new."""

    def __init__(self, policy: Policy = POLICY, **campaigns: dict[str, Any]) -> None:
        self.policy = policy
        self.campaigns = CampaignRegistry(policy)
        for campaign_id, fields in campaigns.items():
            self.define(campaign_id, **fields)
        self.shard = OwnedShard(topics.CUSTOMER_LANE, 0, policy, self.campaigns)
        self.shard.open_epoch(1)
        self.written = Ledger()
        self._taken = 0

    @property
    def core(self) -> CustomerLane:
        assert isinstance(self.shard.core, CustomerLane)
        return self.shard.core

    def define(self, campaign_id: str, **fields: Any) -> None:
        common = {"campaign_id": campaign_id, "name": campaign_id, "starts_at": "2026-01-01T00:00:00Z", "goal": GOAL}
        campaign = Campaign.model_validate(common | fields)
        self.campaigns.define(campaign_id, rules_of(campaign, self.policy))

    def take(self, *, now_ms: int | None = None, now: float = 0.0) -> None:
        """Apply what has been written since the last call, one event at a time in the order of writing."""
        for record in self.written.records[self._taken :]:
            self.shard.apply(batch_of([record]), now_ms, now)
        self._taken = len(self.written.records)

    def block(self) -> ShardBlock:
        """Return what has been learnt since the last call."""
        taken = self.shard.seal_block()
        assert taken is not None
        return plain(taken[0], self.policy)

    def shares(self) -> dict[tuple[str, str, int], tuple[int, int, int]]:
        """Return the new credits by (transaction, touch, model) as millionths, return and AUM."""
        found = self.block().changes.credits
        return {
            (transaction_id, touch_id, model): (millionths, returned, aum)
            for transaction_id, touch_id, row in zip(
                found.transaction_id, found.touch_id, standings_of_rows(found), strict=True
            )
            for model, (millionths, returned, aum, *_) in enumerate(row)
        }


def batch_of(records: list[Record], **fields: Any) -> RecordBatch:
    first = records[0]
    batch = RecordBatch(
        first.topic,
        first.partition,
        [record.offset for record in records],
        [record.key for record in records],
        [record.value for record in records],
        records[-1].offset + 1,
    )
    return replace(batch, **fields)
