"""Which core stands behind the port for a lane. The core itself knows no topic names: it is told them here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.state.costs import CostShard
from pipeline.state.customers import CustomerShard
from schemas.topics import CAMPAIGN_LANE, COSTS, CUSTOMER_LANE, LOGINS, TOUCHES, TRANSACTIONS

if TYPE_CHECKING:
    from pipeline.state.campaign_registry import CampaignRegistry
    from pipeline.state.policy import Policy
    from pipeline.state.port import ShardCore
    from schemas.topics import Lane


def open_core(lane: Lane, policy: Policy, campaigns: CampaignRegistry) -> ShardCore:
    """Return an empty core for a shard of the lane."""
    if lane is CUSTOMER_LANE:
        return customer_core(policy, campaigns)
    if lane is CAMPAIGN_LANE:
        return CostShard(policy, campaigns, topic=COSTS)
    raise ValueError(f"there is no core for lane {lane.name}")


def customer_core(policy: Policy, campaigns: CampaignRegistry) -> CustomerShard:
    """Return an empty core of the customer lane."""
    return CustomerShard(policy, campaigns, logins=LOGINS, transactions=TRANSACTIONS, touches=TOUCHES)
