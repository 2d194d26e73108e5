"""The job that all peers do, apart from how each reads, keeps and writes: pure functions over plain values.

The trivial one adds up cost by campaign. The full one is the contract's core (sections 3 and 4): duplicates dropped,
last touch within seven days, cost, reach, conversions, converters and return by campaign, monthly active users by day.
What a customer's events need is one value of lists and dicts, so that every engine can keep it by its own means (JSON,
pickle); each event gives one small fact to be added up. It is easier than this pipeline's own job: no definitions,
reversals, tiers, variants, cohorts, other models, dead letters or lateness, and a transaction is credited once, with
the touches that have come by then: a touch that comes after it changes nothing any more.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
DAY_MS: Final = 86_400_000
ZONE_MS: Final = 8 * 3_600_000
"""Business days are Shanghai's, which has no daylight saving."""
WINDOW_MS: Final = 7 * DAY_MS
LATENESS_MS: Final = 3 * DAY_MS
MONTH_DAYS: Final = 30
ENGAGED_SECONDS: Final = 5
_TIDY_AT: Final = 64

Measures = tuple[int, int, int, int, int, int]
"""Touches, reached, conversions, converters, cost, return."""
Fact = tuple[str, Measures] | tuple[int, int] | None
"""A campaign's increments, or the days [begin, end) in which a customer is newly active, or nothing."""


class Event(msgspec.Struct, gc=False):
    """What the job needs of any of the four kinds."""

    event_id: str
    occurred_at: datetime
    customer_id: str = ""
    campaign_id: str = ""
    kind: str = ""
    variant: str | None = None
    amount_minor: int = 0
    revenue_minor: int | None = None
    cost_minor: int = 0
    session_seconds: float | None = None
    automated: bool = False

    @property
    def at(self) -> int:
        """Epoch milliseconds."""
        return (self.occurred_at - _EPOCH) // _MILLISECOND


class Spend(msgspec.Struct, gc=False):
    """What the trivial job needs: a field that is absent costs its decoder nothing."""

    campaign_id: str = ""
    customer_id: str = ""
    amount_minor: int = 0
    cost_minor: int = 0


decode = msgspec.json.Decoder(Event).decode
decode_spend = msgspec.json.Decoder(Spend).decode


def lane_of(topic: str) -> str:
    """Return what a topic carries: logins, transactions, touches or costs."""
    return topic.split(".")[1]


def key_of(event: Event) -> str:
    """Return what its state is kept under."""
    return event.customer_id or event.campaign_id


def add_spend(sums: dict[str, int], spend: Spend) -> None:
    """Add an event's cost to its campaign's, if it has one: a touch has a customer, a cost event has none."""
    if spend.campaign_id:
        cost = spend.cost_minor if spend.customer_id else spend.amount_minor
        sums[spend.campaign_id] = sums.get(spend.campaign_id, 0) + cost


class Kept(msgspec.Struct):
    """What one customer (or, for cost events, one campaign) needs.

    Attributes:
        days: business days with an engaged login, in order.
        touches: instant, event id and campaign of creditable touches, in order.
        seen: instant of every event id that a duplicate could repeat.
    """

    days: list[int] = msgspec.field(default_factory=list)
    touches: list[tuple[int, str, str]] = msgspec.field(default_factory=list)
    reached: list[str] = msgspec.field(default_factory=list)
    converted: list[str] = msgspec.field(default_factory=list)
    seen: dict[str, int] = msgspec.field(default_factory=dict)


def pack(kept: Kept) -> bytes:
    """Return the state as bytes (MessagePack), for stores that take bytes."""
    return msgspec.msgpack.encode(kept)


unpack = msgspec.msgpack.Decoder(Kept).decode


def take(kept: Kept, lane: str, event: Event) -> Fact:
    """Change the state by one event and return what it adds to the totals."""
    at = event.at
    if lane == "logins":
        return _login(kept, event, at)
    mark = f"{lane[:2]}{event.event_id}"  # ids are unique within their topic only
    if mark in kept.seen:
        return None
    kept.seen[mark] = at
    if len(kept.seen) > _TIDY_AT:
        _tidy(kept)
    if lane == "touches":
        return _touch(kept, event, at)
    if lane == "transactions":
        return _transaction(kept, event, at)
    return event.campaign_id, (0, 0, 0, 0, event.amount_minor, 0)


def _tidy(kept: Kept) -> None:
    oldest = max(kept.seen.values()) - WINDOW_MS - LATENESS_MS
    kept.seen = {mark: at for mark, at in kept.seen.items() if at >= oldest}
    del kept.touches[: bisect_left(kept.touches, (oldest, "", ""))]


def _login(kept: Kept, event: Event, at: int) -> Fact:
    seconds = event.session_seconds
    if event.automated or (seconds is not None and seconds < ENGAGED_SECONDS):
        return None
    day = (at + ZONE_MS) // DAY_MS
    days = kept.days
    place = bisect_left(days, day)
    if place < len(days) and days[place] == day:
        return None
    begin = max(day, days[place - 1] + MONTH_DAYS) if place else day
    end = min(day + MONTH_DAYS, days[place]) if place < len(days) else day + MONTH_DAYS
    days.insert(place, day)
    return (begin, end) if begin < end else None


def _touch(kept: Kept, event: Event, at: int) -> Fact:
    campaign = event.campaign_id
    if event.kind == "assign" or event.variant == "control":
        return campaign, (0, 0, 0, 0, event.cost_minor, 0)
    insort(kept.touches, (at, event.event_id, campaign))
    first = campaign not in kept.reached
    if first:
        kept.reached.append(campaign)
    return campaign, (1, int(first), 0, 0, event.cost_minor, 0)


def _transaction(kept: Kept, event: Event, at: int) -> Fact:
    for touched_at, _, campaign in reversed(kept.touches):
        if touched_at > at:
            continue
        if at - touched_at > WINDOW_MS:
            return None
        first = campaign not in kept.converted
        if first:
            kept.converted.append(campaign)
        return campaign, (0, 0, 1, int(first), 0, event.revenue_minor or 0)
    return None
