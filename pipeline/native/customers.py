"""The customer lane's shard over the compiled core: native/*.c keeps the customers, their days and their events.

What a batch is judged by is the plain core's (lateness, erasures); it also stays the reference that this one is
compared with, block by block.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np

from pipeline.native.campaigns import NativeCampaigns, begins_of
from pipeline.native.events import Events
from pipeline.native.library import library
from pipeline.native.people import People
from pipeline.native.restore import NativeRestorer
from pipeline.native.rows import LoginRows, TouchRows, TransactionRows
from pipeline.state.activity import Activity, measures_of
from pipeline.state.calendar import QUARTER_MS
from pipeline.state.customer_lane import CustomerLane
from pipeline.state.rows import Changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeline.state.calendar import BusinessCalendar
    from pipeline.state.campaign_registry import CampaignRegistry
    from pipeline.state.intake import Intake, Refusal
    from pipeline.state.policy import Policy
    from pipeline.state.rows import DayColumns
    from schemas.columns import LoginColumns, TouchColumns, TransactionColumns

Rows = TypeVar("Rows", LoginRows, TouchRows, TransactionRows)


class NativeMemory:
    """Who is remembered: `customer_lane.Memory` over the compiled core."""

    def __init__(self, policy: Policy, people: People, events: Events) -> None:
        self._policy = policy
        self._people = people
        self._events = events

    def __len__(self) -> int:
        return len(self._people)

    def set_tier(self, customer_id: str, tier: str) -> bytes:
        """Give a customer, new or remembered, a tier for the events that follow; return the pseudonym."""
        pseudonym = self._policy.pseudonym(customer_id)
        self._people.set_tier(self._people.meet(customer_id.encode(), pseudonym), tier)
        return pseudonym

    def erase(self, pseudonym: bytes, customer_id: str | None = None) -> None:
        """Drop everything remembered of a customer; without an id, one whose id has not been seen since the load."""
        self._people.erase(pseudonym, (customer_id or "").encode())

    def forget_touch_ids(self, touches: Iterable[tuple[str, int]]) -> None:
        """Drop the ids of erased touches, given with their times: a copy of one would be a new event."""
        for event_id, at in touches:
            self._events.forget_touch_id(event_id, at)


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


class NativeCustomerShard(CustomerLane):
    """State of one partition of the customer-keyed topics, whose names it is given; implements `port.ShardCore`."""

    def __init__(
        self, policy: Policy, campaigns: CampaignRegistry, *, logins: str, transactions: str, touches: str
    ) -> None:
        self.activity = NativeActivity(policy.lateness_days)
        self.people = self.activity.people
        self.events = Events(self.people, policy)
        memory = NativeMemory(policy, self.people, self.events)
        super().__init__(policy, memory, logins=logins, transactions=transactions, touches=touches)
        self._library = library()
        self._calendar = policy.calendar()
        self._campaigns = NativeCampaigns(self.people, campaigns, self._calendar)

    def restorer(self) -> NativeRestorer:
        """Return what loads stored state into this still empty shard."""
        return NativeRestorer(self, self.people, self.events, self._campaigns, self.activity.memory_days)

    def open_chapter(self, chapter: int) -> None:
        """Start a new chapter for cells that come to memory from now on."""
        self._library.shard_open_chapter(self.people.handle, chapter)
        self.activity.open_chapter(chapter)

    # -- events ----------------------------------------------------------------------------------------------------

    def apply_logins(self, columns: LoginColumns | LoginRows, now_ms: int | None) -> list[Refusal]:
        """Count a batch of logins; return the refused ones."""
        logins = columns if isinstance(columns, LoginRows) else LoginRows.of(columns, self._policy.engaged_seconds)
        logins, refusals = self.logins.screen(logins, now_ms)
        logins = self._admitted(logins, self.logins)
        self.logins.accepted += len(logins)
        logins.rows["day"] = days_of(self._calendar, logins)
        self.people.count(logins)
        return refusals

    def apply_touches(self, columns: TouchColumns | TouchRows, now_ms: int | None) -> list[Refusal]:
        """Count a batch of touches, attributing again what a late one changes; return the refused ones."""
        touches = columns if isinstance(columns, TouchRows) else TouchRows.of(columns)
        touches, refusals = self.touches.screen(touches, now_ms)
        touches = self._admitted(touches, self.touches)
        self._campaigns.know_quarters(touches.rows["at"])
        self._campaigns.find_arms(touches)
        fresh = self.events.count_touches(touches, partial(self.touches.floors, touches))
        self.touches.counted(fresh, len(touches) - fresh)
        return refusals

    def apply_transactions(self, columns: TransactionColumns | TransactionRows, now_ms: int | None) -> list[Refusal]:
        """Count a batch of transactions and reversals; return the refused ones."""
        paid = columns if isinstance(columns, TransactionRows) else TransactionRows.of(columns)
        paid, refusals = self.transactions.screen(paid, now_ms)
        paid = self._admitted(paid, self.transactions)
        self._campaigns.know_quarters(paid.rows["at"])
        self._campaigns.sync()
        fresh = self.events.count_transactions(paid, partial(self.transactions.floors, paid))
        self.transactions.counted(fresh, len(paid) - fresh)
        return refusals

    def _admitted(self, events: Rows, intake: Intake) -> Rows:
        """Return the events without those of erased customers; everybody else's customer is noted in the rows."""
        events = self.erasures.without_past(events, intake.left_out_before)
        if not self.people.find_all(events):
            return events
        strangers = events.strangers()
        pseudonyms = {name: self._policy.pseudonym(name) for name in set(strangers)}
        erased = {name for name, pseudonym in pseudonyms.items() if self.erasures.blocks(pseudonym)}
        if erased:
            events = self.erasures.leave_out_rows(events, [name not in erased for name in events.customer_id])
            strangers = [name for name in strangers if name not in erased]
        self.people.meet_all(events, b"".join([pseudonyms[name] for name in strangers]))
        return events

    # -- out -------------------------------------------------------------------------------------------------------

    def drain_changes(self, version: int) -> Changes:
        """Return everything learnt since the last call; ``version`` is the block that will make it durable."""
        changes, self._changes = self._changes, Changes()
        self._library.shard_drain_cells(self.people.handle, version)
        self.events.write_credits()
        self.activity.drain_changes(version, changes.days)
        changes.encoded = self.people.take_rows()
        changes.erasures = self.erasures.drain_changes(version)
        changes.orphans = self.events.drain_orphans(self.transactions.floor)
        self.transactions.refuse(len(changes.orphans), accepted_before=True)
        return changes

    # -- horizon ---------------------------------------------------------------------------------------------------

    def forget(self, idle_version: int) -> None:
        """Drop what no event that is still in time on any topic could need, and cells idle since a version."""
        self._campaigns.sync()
        self.events.forget(self.touches.horizon, self.transactions.horizon)
        self._library.shard_forget_idle(self.people.handle, idle_version)
        self.activity.forget_idle(idle_version)

    def held(self) -> Mapping[str, int]:
        """Return how much of each kind is in memory."""
        return self.events.held()

    def sizes(self) -> Mapping[str, int]:
        """Return how many bytes each structure takes: `bench.memory` asks where memory goes."""
        return self.events.sizes()


def days_of(calendar: BusinessCalendar, logins: LoginRows) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the logins' business days; they come nearly in order of time, so a quarter of an hour is asked once."""
    instants = logins.rows["at"]
    quarters = instants // QUARTER_MS
    begins = begins_of(quarters)
    days = np.array([calendar.day_of(instant) for instant in instants[begins].tolist()], np.int64)
    return cast("np.ndarray[tuple[int], np.dtype[np.int64]]", np.repeat(days, np.diff(begins, append=len(logins))))
