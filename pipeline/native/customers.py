"""The customer lane's shard with compiled logins: who is known, and on which days, is kept in native/*.c.

Touches, transactions and credits are the plain core's; it knows a customer from the first of them on. What the two
share, tier and pseudonym, is kept on the compiled side and copied when the plain side meets the customer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from pipeline.native.logins import LoginRows
from pipeline.native.people import People
from pipeline.state.activity import Activity, measures_of
from pipeline.state.calendar import QUARTER_MS
from pipeline.state.customers import CustomerShard
from pipeline.state.memory import CustomerMemory
from pipeline.state.records import Customer
from pipeline.state.restore import Restorer

if TYPE_CHECKING:
    from pipeline.state.calendar import BusinessCalendar
    from pipeline.state.campaign_registry import CampaignRegistry
    from pipeline.state.intake import Refusal
    from pipeline.state.policy import Policy
    from pipeline.state.rows import Changes, DayColumns
    from schemas.columns import LoginColumns


class NativeMemory(CustomerMemory):
    """Customers with touches or transactions; all others are in ``people`` alone, which knows these, too."""

    def __init__(self, policy: Policy, campaigns: CampaignRegistry, people: People) -> None:
        super().__init__(policy, campaigns)
        self._people = people

    def __len__(self) -> int:
        return len(self._people)

    def customer(self, customer_id: str) -> Customer:
        """Return a customer, new or remembered."""
        known = self.customers.get(customer_id)
        if known is None:
            pseudonym = self._policy.pseudonym(customer_id)
            number = self._people.meet(customer_id.encode(), pseudonym)
            known = self._dormant.pop(pseudonym, None) or Customer(pseudonym, self._people.tier_of(number))
            self.customers[customer_id] = known
        return known

    def set_tier(self, customer_id: str, tier: str) -> bytes:
        """Give a customer, new or remembered, a tier for the events that follow; return the pseudonym."""
        pseudonym = self._policy.pseudonym(customer_id)
        self._people.set_tier(self._people.meet(customer_id.encode(), pseudonym), tier)
        known = self.customers.get(customer_id) or self._dormant.get(pseudonym)
        if known is not None:
            known.tier = tier
        return pseudonym

    def dormant(self, pseudonym: bytes) -> Customer:
        """Return a customer known by pseudonym only: for loading stored state, before any event."""
        known = self._dormant.get(pseudonym)
        if known is None:
            tier = self._people.tier_of(self._people.dormant(pseudonym))
            known = self._dormant[pseudonym] = Customer(pseudonym, tier)
        return known

    def erase(self, pseudonym: bytes, customer_id: str | None = None) -> None:
        """Drop everything remembered of a customer; without an id, one whose id has not been seen since the load."""
        super().erase(pseudonym, customer_id)
        self._people.erase(pseudonym, (customer_id or "").encode())


class NativeActivity(Activity):
    """The cells of days; what they gain is counted by ``people`` and collected before anything is done with them."""

    def __init__(self, lateness_days: int) -> None:
        super().__init__(lateness_days)
        self.people = People(self.memory_days)

    def _collect(self) -> None:
        for tier, day, gained in self.people.take_changes():
            measures = measures_of(self.days_of(tier), day)
            measures[:] = [had + more for had, more in zip(measures, gained, strict=True)]

    def open_chapter(self, chapter: int) -> None:
        """Give cells that come to memory from now on this chapter."""
        self._collect()
        super().open_chapter(chapter)

    def drain_changes(self, version: int, columns: DayColumns) -> None:
        """Write every day changed since the last call, as stored by the block of this version."""
        self._collect()
        super().drain_changes(version, columns)

    def forget_idle(self, before_version: int) -> None:
        """Drop days that no block since ``before_version`` has changed."""
        self._collect()
        super().forget_idle(before_version)


class NativeRestorer(Restorer):
    """Takes a shard's stored rows; profiles and logins go to ``people``."""

    people: People

    def profile(self, pseudonym: bytes, tier: str) -> None:
        """A customer's tier, where there is a profile."""
        self.people.set_tier(self.people.dormant(pseudonym), tier)

    def login(self, pseudonym: bytes, day: int, *, engaged: bool) -> None:
        """A login day, within the days the activity remembers one by one."""
        self.people.load_login(self.people.dormant(pseudonym), day, engaged=engaged)

    def engaged_before_horizon(self, pseudonym: bytes) -> None:
        """The customer has an engaged day before those."""
        self.people.load_engaged_before_horizon(self.people.dormant(pseudonym))


class NativeCustomerShard(CustomerShard):
    """State of one partition of the customer-keyed topics, whose names it is given; implements `port.ShardCore`."""

    def __init__(
        self, policy: Policy, campaigns: CampaignRegistry, *, logins: str, transactions: str, touches: str
    ) -> None:
        super().__init__(policy, campaigns, logins=logins, transactions=transactions, touches=touches)
        self._activity = activity = NativeActivity(policy.lateness_days)
        self._people = activity.people
        self._memory = NativeMemory(policy, campaigns, self._people)

    def restorer(self) -> NativeRestorer:
        """Return what loads stored state into this still empty shard."""
        restorer = NativeRestorer(
            self._memory,
            self._conversions,
            self._activity,
            self._campaigns,
            self.logins,
            self.touches,
            self.transactions,
            self.erasures,
        )
        restorer.people = self._people
        return restorer

    def apply_logins(self, columns: LoginColumns | LoginRows, now_ms: int | None) -> list[Refusal]:
        """Count a batch of logins; return the refused ones."""
        logins = columns if isinstance(columns, LoginRows) else LoginRows.of(columns, self._policy.engaged_seconds)
        logins, refusals = self.logins.screen(logins, now_ms)
        logins = self._admitted(logins)
        self.logins.accepted += len(logins)
        logins.rows["day"] = days_of(self._calendar, logins)
        self._people.count(logins)
        return refusals

    def _admitted(self, logins: LoginRows) -> LoginRows:
        """Return the logins without those of erased customers; everybody else's customer is noted in the rows."""
        logins = self.erasures.without_past(logins, self.logins.left_out_before)
        if not self._people.find_all(logins):
            return logins
        strangers = logins.strangers()
        pseudonyms = {name: self._policy.pseudonym(name) for name in set(strangers)}
        erased = {name for name, pseudonym in pseudonyms.items() if self.erasures.blocks(pseudonym)}
        if erased:
            logins = self.erasures.leave_out_rows(logins, [name not in erased for name in logins.customer_id])
            strangers = [name for name in strangers if name not in erased]
        self._people.meet_all(logins, b"".join([pseudonyms[name] for name in strangers]))
        return logins

    def drain_changes(self, version: int) -> Changes:
        """Return everything learnt since the last call; ``version`` is the block that will make it durable."""
        changes = super().drain_changes(version)
        changes.logins = self._people.take_facts()
        return changes


def days_of(calendar: BusinessCalendar, logins: LoginRows) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the logins' business days; they come nearly in order of time, so a quarter of an hour is asked once."""
    instants = logins.rows["at"]
    quarters = instants // QUARTER_MS
    begins = np.flatnonzero(np.diff(quarters, prepend=quarters[:1] - 1))
    days = np.array([calendar.day_of(instant) for instant in instants[begins].tolist()], np.int64)
    return cast("np.ndarray[tuple[int], np.dtype[np.int64]]", np.repeat(days, np.diff(begins, append=len(logins))))
