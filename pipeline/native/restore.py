"""Loading a shard's state into the compiled core from stored facts and credits, without counting anything again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from pipeline.state.calendar import DAY_MS
from pipeline.state.rows import Stage

if TYPE_CHECKING:
    from pipeline.native.campaigns import NativeCampaigns
    from pipeline.native.events import Events
    from pipeline.native.people import People
    from pipeline.state.customer_lane import CustomerLane
    from pipeline.state.rows import ErasureRow

_Credit = tuple[int, int, str, int, tuple[int, int, int]]  # model, time and id of the touch, arm, shares


class NativeRestorer:
    """Takes a customer shard's stored rows, in the order of its methods; implements `port.CustomerRestorer`."""

    lane: Literal["customer"] = "customer"

    def __init__(
        self, lane: CustomerLane, people: People, events: Events, campaigns: NativeCampaigns, memory_days: int
    ) -> None:
        self._shard = lane
        self._people = people
        self._events = events
        self._campaigns = campaigns
        self._memory_days = memory_days
        self._credits: dict[tuple[str, int], list[_Credit]] = {}
        self._eaten: set[tuple[str, int]] = set()
        self._instants: list[int] = []

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

    def profile(self, pseudonym: bytes, tier: str) -> None:
        """A customer's tier, where there is a profile."""
        self._people.set_tier(self._people.dormant(pseudonym), tier)

    def login(self, pseudonym: bytes, day: int, *, engaged: bool) -> None:
        """A login day, within the days the activity remembers one by one."""
        self._people.load_login(self._people.dormant(pseudonym), day, engaged=engaged)

    def engaged_before_horizon(self, pseudonym: bytes) -> None:
        """The customer has an engaged day before those."""
        self._people.load_engaged_before_horizon(self._people.dormant(pseudonym))

    def reach(self, pseudonym: bytes, campaign_id: str, variant: str, at: int, tier: str) -> None:
        """The customer's first creditable touch by an arm, however long ago; one that nothing can precede is a bit."""
        who, arm = self._people.dormant(pseudonym), self._campaigns.arm(campaign_id, variant)
        self._events.load_reach(who, arm, at, self._people.tier_number(tier), self.floor)
        self._instants.append(at)

    def event_id(self, event_id: str, at: int) -> None:
        """The id of any touch that is still in time."""
        self._events.load_touch_id(event_id, at)

    def touch(self, pseudonym: bytes, campaign_id: str, variant: str, at: int, event_id: str) -> None:
        """A creditable touch that a transaction could still credit."""
        who, arm = self._people.dormant(pseudonym), self._campaigns.arm(campaign_id, variant)
        self._events.load_touch(who, arm, at, event_id)
        self._instants.append(at)

    def credit(
        self,
        transaction: tuple[str, int],
        model: int,
        touch: tuple[str, str, int, str],
        shares: tuple[int, int, int],
        *,
        counts: bool,
    ) -> None:
        """A credit of a live transaction; ``counts`` is False for all of one that reversals have eaten altogether.

        ``transaction`` is id and time; ``touch`` is campaign, variant, time and id; ``shares`` is millionths (as
        booked), return and AUM.
        """
        if not counts:
            self._eaten.add(transaction)
        campaign_id, variant, at, event_id = touch
        arm = self._campaigns.arm(campaign_id, variant)
        self._credits.setdefault(transaction, []).append((model, at, event_id, arm, shares))
        self._instants.append(at)

    def past_conversion(self, pseudonym: bytes, campaign_id: str, variant: str, model: int) -> None:
        """The customer converted through an arm by a transaction that is no longer live."""
        arm = self._campaigns.arm(campaign_id, variant)
        self._events.load_past_conversion(self._people.dormant(pseudonym), arm, model)

    def transaction(  # noqa: PLR0913, PLR0917 - the fields of one stored fact
        self,
        pseudonym: bytes,
        at: int,
        event_id: str,
        kind: str,
        product: str | None,
        amount_minor: int,
        revenue_minor: int | None,
        aum_delta_minor: int | None,
        tier: str,
    ) -> None:
        """A live transaction; its credits have been given before."""
        who, tier_number = self._people.dormant(pseudonym), self._people.tier_number(tier)
        number = self._events.load_transaction(
            who, at, event_id, kind, product, amount_minor, revenue_minor, aum_delta_minor, tier_number
        )
        self._instants.append(at)
        found = self._credits.pop((event_id, at), ())
        for model, touched_at, touch_id, arm, shares in sorted(found):
            self._events.load_credit(number, model, arm, touched_at, touch_id, shares)
        if found and (event_id, at) not in self._eaten:
            self._events.load_counts(number)

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
        """Drop what is past the horizon or has had its verdict: exactly what the former owner had dropped or told."""
        self._events.drain_orphans(self._shard.transactions.floor)
        self._campaigns.know_quarters(np.array(self._instants, np.int64))
        self._instants.clear()
