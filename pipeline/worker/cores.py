"""Which core stands behind the port for a lane. The core itself knows no topic names: it is told them here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pipeline.state.costs import CostShard
from pipeline.state.customers import CustomerShard
from schemas.common import DEFAULT_EARLIEST_MS
from schemas.decode import decode
from schemas.topics import CAMPAIGN_LANE, COSTS, CUSTOMER_LANE, LOGINS, TOUCHES, TRANSACTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.state.campaign_registry import CampaignRegistry
    from pipeline.state.intake import EventColumns
    from pipeline.state.policy import CoreName, Policy
    from pipeline.state.port import ShardCore
    from schemas.decode import Decoded
    from schemas.topics import Lane

    Decode = Callable[[str, Sequence[int], Sequence[bytes | None], Sequence[bytes | None]], Decoded[EventColumns]]


def chosen_core(name: CoreName) -> CoreName:
    """Return which core a choice means here: plain or native.

    Raises:
        UserError: the native one is wanted and cannot be used.
    """
    if name == "plain":
        return name
    from pipeline.native.library import is_built, library

    if name == "native":
        library()
    return "native" if is_built() else "plain"


def open_core(lane: Lane, policy: Policy, campaigns: CampaignRegistry) -> ShardCore:
    """Return an empty core for a shard of the lane."""
    if lane is CUSTOMER_LANE:
        return customer_core(policy, campaigns)
    if lane is CAMPAIGN_LANE:
        return CostShard(policy, campaigns, topic=COSTS)
    raise ValueError(f"there is no core for lane {lane.name}")


def customer_core(policy: Policy, campaigns: CampaignRegistry) -> CustomerShard:
    """Return an empty core of the customer lane."""
    core = CustomerShard
    if chosen_core(policy.core) == "native":
        from pipeline.native.customers import NativeCustomerShard

        core = NativeCustomerShard
    return core(policy, campaigns, logins=LOGINS, transactions=TRANSACTIONS, touches=TOUCHES)


def open_decoder(policy: Policy) -> Decode:
    """Return what turns a topic's records into the columns that the policy's core takes."""
    earliest_ms = DEFAULT_EARLIEST_MS if policy.earliest_ms is None else policy.earliest_ms
    plain: Decode = partial(decode, currency=policy.currency, earliest_ms=earliest_ms)
    if chosen_core(policy.core) == "plain":
        return plain
    from pipeline.native.logins import decode_logins

    def native(
        topic: str, offsets: Sequence[int], keys: Sequence[bytes | None], values: Sequence[bytes | None]
    ) -> Decoded[EventColumns]:
        if topic == LOGINS:
            return decode_logins(offsets, keys, values, policy=policy, earliest_ms=earliest_ms)
        return plain(topic, offsets, keys, values)

    return native
