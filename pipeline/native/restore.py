"""Loading a shard's state into the compiled core from stored facts and credits, without counting anything again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from pipeline.native.loading import BulkLoading
from pipeline.state.calendar import DAY_MS
from pipeline.state.rows import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.native.campaigns import NativeCampaigns
    from pipeline.native.events import Events
    from pipeline.native.people import People
    from pipeline.state.customer_lane import CustomerLane
    from pipeline.state.rows import ErasureRow


class NativeRestorer:
    """Takes a customer shard's stored rows in bulk; implements `port.BulkRestorer`."""

    lane: Literal["customer"] = "customer"
    form: Literal["bulk"] = "bulk"

    def __init__(
        self, lane: CustomerLane, people: People, events: Events, campaigns: NativeCampaigns, memory_days: int
    ) -> None:
        self._shard = lane
        self._people = people
        self._events = events
        self._campaigns = campaigns
        self._memory_days = memory_days

    @property
    def ids_since(self) -> int:
        """The earliest instant of the touch ids that are needed."""
        return self._shard.touches.floor

    @property
    def floor(self) -> int:
        """The earliest instant that is still in time on touches or transactions."""
        return min(self._shard.touches.floor, self._shard.transactions.floor)

    @property
    def logins_since(self) -> int:
        """The earliest login day that is needed."""
        return self._shard.logins.watermark // DAY_MS - self._memory_days

    @property
    def handle(self) -> int:
        """The compiled shard."""
        return self._people.handle

    def together_with(self, others: Mapping[int, Self]) -> BulkLoading:
        """Return what reads answers with rows of all these shards, this one among them."""
        return BulkLoading(others)

    def meet_tier(self, tier: str) -> None:
        """Tell the compiled shard of a tier."""
        self._people.tier_number(tier)

    def meet_arm(self, campaign_id: str, variant: str) -> None:
        """Tell the compiled shard of an arm."""
        self._campaigns.arm(campaign_id, variant)

    def meet_instant(self, at: int) -> None:
        """Tell the compiled shard of the quarters of the day that an instant lies in."""
        self._campaigns.know_quarters(np.array([at], np.int64))

    def reversal(  # noqa: PLR0913, PLR0917 - the fields of one stored fact
        self, pseudonym: bytes, at: int, event_id: str, original_id: str, amount_minor: int, offset: int
    ) -> None:
        """A reversal; all transactions have been given before. Those judged orphans stay judged."""
        self._events.load_reversal(self._people.dormant(pseudonym), at, event_id, original_id, amount_minor, offset)

    def erasure(self, row: ErasureRow, version: int) -> None:
        """A customer's erasure, stored by the block of a version; the customer's rows have been given before."""
        self._shard.erasures.restore(row, version)
        if row.stage is not Stage.REVIVED:
            self._people.erase(row.pseudonym)

    def finish(self) -> None:
        """Drop what has had its verdict: exactly what the former owner had told."""
        self._events.drain_orphans(self._shard.transactions.floor)
