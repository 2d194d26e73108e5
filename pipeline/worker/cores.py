"""Which core stands behind the port for a lane. The core itself knows no topic names: it is told them here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.errors import UserError
from pipeline.state.costs import CostShard
from pipeline.state.customers import CustomerShard
from schemas.common import DEFAULT_EARLIEST_MS
from schemas.decode import decode
from schemas.topics import CAMPAIGN_LANE, COSTS, CUSTOMER_LANE, LOGINS, TOUCHES, TRANSACTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.native.customers import NativeCustomerShard
    from pipeline.state.campaign_registry import CampaignRegistry
    from pipeline.state.intake import EventColumns
    from pipeline.state.policy import CoreName, Policy
    from pipeline.state.port import ShardCore
    from pipeline.transport.packed import PackedBatch
    from schemas.decode import Decoded
    from schemas.topics import Lane

NATIVE_TOPICS: Final = frozenset({LOGINS, TRANSACTIONS, TOUCHES})  # whose events the native core takes as rows


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


def described_core(name: CoreName) -> str:
    """Return which core a choice means here, and why it is not the native one although that was to be tried.

    Raises:
        UserError: as from `chosen_core`.
    """
    if name != "auto":
        return chosen_core(name)
    from pipeline.native.library import library

    try:
        library()
    except UserError as error:
        return f"plain ({error.cause}; {error.remedy.split(',', maxsplit=1)[0]})"
    return "native"


def open_core(lane: Lane, policy: Policy, campaigns: CampaignRegistry) -> ShardCore:
    """Return an empty core for a shard of the lane."""
    if lane is CUSTOMER_LANE:
        return customer_core(policy, campaigns)
    if lane is CAMPAIGN_LANE:
        return CostShard(policy, campaigns, topic=COSTS)
    raise ValueError(f"there is no core for lane {lane.name}")


def customer_core(policy: Policy, campaigns: CampaignRegistry) -> CustomerShard | NativeCustomerShard:
    """Return an empty core of the customer lane."""
    core: type[CustomerShard | NativeCustomerShard] = CustomerShard
    if chosen_core(policy.core) == "native":
        from pipeline.native.customers import NativeCustomerShard

        core = NativeCustomerShard
    return core(policy, campaigns, logins=LOGINS, transactions=TRANSACTIONS, touches=TOUCHES)


class Decoder:
    """Turns a topic's records into the columns that the policy's core takes."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._earliest_ms = DEFAULT_EARLIEST_MS if policy.earliest_ms is None else policy.earliest_ms
        self._is_native = chosen_core(policy.core) == "native"

    def __call__(
        self, topic: str, offsets: Sequence[int], keys: Sequence[bytes | None], values: Sequence[bytes | None]
    ) -> Decoded[EventColumns]:
        """Decode records, as `schemas.decode.decode` does."""
        if self._is_native and topic in NATIVE_TOPICS:
            from pipeline.native.decoding import decode_rows

            return decode_rows(topic, offsets, keys, values, policy=self._policy, earliest_ms=self._earliest_ms)
        return decode(topic, offsets, keys, values, currency=self._policy.currency, earliest_ms=self._earliest_ms)

    def packed(self, batch: PackedBatch) -> Decoded[EventColumns] | None:
        """Decode a batch as it came; None: its records have to be looked at one by one."""
        if not self._is_native or batch.topic not in NATIVE_TOPICS:
            return None
        from pipeline.native.decoding import are_placed, decode_packed

        if not are_placed(batch.packed, batch.partition, batch.partition_count):
            return None
        return decode_packed(
            batch.topic, batch.offsets, batch.packed, policy=self._policy, earliest_ms=self._earliest_ms
        )
