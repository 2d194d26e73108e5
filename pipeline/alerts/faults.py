"""Faults of the data that no campaign may be blamed for: what counts as one, when it begins and when it is over. Pure.

A feed's fault blocks every campaign that needs the feed (touches and transactions: all; costs: those that have cost
events; logins: none). Every fault ends by itself when it is mended, at a lower mark than it began at, so that an alert
does not flap. An idle bank has none: nothing waits, and all feeds stand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from pipeline.alerts.fault_history import Counts, GrowthHistory, LagHistory, StandHistory
from schemas.topics import COSTS, LOGINS, TOUCHES, TRANSACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeline.alert_settings import AlertSettings
    from pipeline.alerts.fault_history import Ends, Sample

Code = Literal[
    "lag",
    "catching_up",
    "standing",
    "unmeasured",
    "unanswered",
    "halted",
    "dead_letters",
    "duplicates",
    "stands",
    "no_transactions",
    "silent_cost",
    "free_touches",
]
NEEDED: Final = (TOUCHES, TRANSACTIONS, COSTS)
"""Topics whose faults touch a verdict, in the order they are told."""
FEWEST_LETTERS: Final = 10
"""So many dead letters before their share says anything: a small bank's feed has few, and each may be a conversion."""
FEWEST_DUPLICATES: Final = 50
"""So many copies likewise: they cost no number anything."""
NEWEST_RECORDS: Final = 100
"""So many of a feed's records count as its newest ones for a day: no dead letter is mended by time."""
STANDS_MS: Final = 15 * 60_000
"""No transactions for so long in event time, while other feeds go on: beyond what clocks may differ."""
USUAL_GAPS: Final = 1.25
"""How many of the longest gaps of the last week without transactions (a night, a weekend) are no fault yet."""
CLEAR_SECONDS: Final = 3.0
STAND_SECONDS: Final = 4.0
"""So long a partition in which records wait stands while others go on: blocks come every second or so."""
_NO_WATERMARK: Final = -(1 << 61)
# a busy bank's first look finds records that wait for a second; a block of touches may come before its transactions;
# a process that stood still for long looks before it has asked Kafka again
_SLOW: Final = frozenset({"catching_up", "stands", "no_transactions", "unanswered"})
# of a worker that is taken over from the ledger lacks a moment's records: nothing may be concluded meanwhile; beyond
# that it is a lag
_NEVER: Final = frozenset({"standing"})
# no answer of Kafka is as bad as a lag, when it has lasted as long; "unanswered" is found only then
_SLOWEST: Final = frozenset({"unmeasured"})


@dataclass(frozen=True, slots=True)
class DataFault:
    """One fault.

    Attributes:
        code: what it is; its words are in `pipeline.alerts.fault_words`.
        topic: of the feed that is at fault.
        campaign_id: of the campaign that has it; '' = all that need the feed.
    """

    code: Code
    topic: str
    campaign_id: str = ""


class Partition(NamedTuple):
    """How far one partition is durable, and what its records were: the counts grow for ever."""

    topic: str
    topic_id: str
    number: int
    next_offset: int
    watermark_ms: int
    accepted: int
    duplicates: int
    dead_letters: int


def durable_of(partitions: Iterable[Partition]) -> Ends:
    """Return how far partitions are durable."""
    return {(one.topic, one.topic_id, one.number): one.next_offset for one in partitions}


@dataclass(frozen=True, slots=True)
class Pulse:
    """The transactions of the last week before their watermark.

    Attributes:
        last_ms: the newest one's minute; None without any. A watermark may be later: silent topics follow others.
        gap_ms: the longest time without any between two of them.
    """

    last_ms: int | None
    gap_ms: int


@dataclass(frozen=True, slots=True)
class Feeds:
    """What was observed of all feeds at one moment.

    Attributes:
        seconds: when, by this process's clock.
        partitions: what is durable.
        halted: topics that no worker reads.
        pulse: of the transactions; None where nobody has asked.
    """

    seconds: float
    partitions: tuple[Partition, ...]
    halted: frozenset[str] = frozenset()
    pulse: Pulse | None = None

    def watermark(self, *topics: str) -> int | None:
        """Return the largest watermark of some topics; None before their first event."""
        marks = [one.watermark_ms for one in self.partitions if one.topic in topics]
        known = [mark for mark in marks if mark > _NO_WATERMARK]
        return max(known, default=None)

    def counts(self) -> dict[str, Counts]:
        """Return what has become of each topic's records so far."""
        found: dict[str, Counts] = {}
        for one in self.partitions:
            before = found.get(one.topic, Counts(0, 0, 0))
            found[one.topic] = before.plus(one.accepted, one.duplicates, one.dead_letters)
        return found


class FeedNote(NamedTuple):
    """What the newest records of a topic are told from.

    Attributes:
        samples: of the records before them, oldest first, one at least.
        is_flooded: whether dead letters among them are a fault.
    """

    samples: tuple[Sample, ...]
    is_flooded: bool


@dataclass(slots=True)
class FeedWatch:
    """Tells the faults of feeds from one look to the next.

    Args:
        settings: of alerts.
    """

    settings: AlertSettings
    _lag: LagHistory = field(init=False)
    _stands: StandHistory = field(init=False)
    _growth: GrowthHistory = field(init=False)
    _newest: GrowthHistory = field(init=False)
    _begun: set[DataFault] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Make the histories."""
        self._lag = LagHistory(self.settings.lag_seconds)
        self._stands = StandHistory(STAND_SECONDS)
        self._growth = GrowthHistory(self.settings.lag_seconds)
        self._newest = GrowthHistory(self.settings.lag_seconds, NEWEST_RECORDS)

    def log_ends(self, seconds: float, ends: Ends) -> None:
        """Note where the logs ended at an instant of this process's clock."""
        self._lag.add(seconds, ends)

    def counted(self, feeds: Feeds) -> None:
        """Note what has become of records while there is nothing to judge: the very first ones may be a flood."""
        counts = feeds.counts()
        for history in (self._growth, self._newest):
            history.grown(feeds.seconds, counts)
        self._stands.standing(feeds.seconds, self._lag.newest, durable_of(feeds.partitions))

    def notes(self) -> dict[str, FeedNote]:
        """Return what another watch needs to go on by topic, once something has been counted."""
        return {
            topic: FeedNote(samples, DataFault("dead_letters", topic) in self._begun)
            for topic, samples in self._newest.beginnings.items()
        }

    def go_on_from(self, notes: Mapping[str, FeedNote]) -> None:
        """Go on from what another watch has noted: bad records are not forgotten before good ones have followed."""
        self._newest.go_on_from({topic: note.samples for topic, note in notes.items()})
        self._begun = {DataFault("dead_letters", topic) for topic, note in notes.items() if note.is_flooded}

    def look(self, feeds: Feeds) -> set[DataFault]:
        """Return the faults that feeds have now; looks are in the order of time."""
        found = {DataFault("halted", topic) for topic in NEEDED if topic in feeds.halted}
        if not self._lag.is_measured:  # what is read may be a small part of what is there
            found.add(DataFault("unmeasured", TOUCHES))
        elif self._lag.is_silent(feeds.seconds):  # what came meanwhile may wait for longer than a lag
            found.add(DataFault("unanswered", TOUCHES))
        found |= self._lagging(feeds)
        found |= self._bad_shares(feeds)
        if standing := transactions_stand(feeds, self.settings.lag_seconds):
            found.add(standing)
        self._begun = found
        return found

    def _lagging(self, feeds: Feeds) -> set[DataFault]:
        durable = durable_of(feeds.partitions)
        began = self._lag.behind(feeds.seconds, durable, self.settings.lag_seconds)
        lasts = self._lag.behind(feeds.seconds, durable, self.settings.lag_seconds / 2)
        starting = self._lag.starting(durable)
        standing = self._stands.standing(feeds.seconds, self._lag.newest, durable)
        found = set()
        for topic in NEEDED:
            lag = DataFault("lag", topic)
            if topic in (lasts if lag in self._begun else began):
                found.add(lag)
            elif topic in starting:
                found.add(DataFault("catching_up", topic))
            elif topic in standing:
                found.add(DataFault("standing", topic))
        return found

    def _bad_shares(self, feeds: Feeds) -> set[DataFault]:
        counts = feeds.counts()
        lately, newest = (each.grown(feeds.seconds, counts) for each in (self._growth, self._newest))
        found = set()
        for topic in counts.keys() & NEEDED:
            letters, copies = newest[topic], lately[topic]
            shares: tuple[tuple[Code, int, int, int, float], ...] = (
                (
                    "dead_letters",
                    letters.dead_letters,
                    letters.records,
                    FEWEST_LETTERS,
                    self.settings.dead_letter_share,
                ),
                ("duplicates", copies.duplicates, copies.records, FEWEST_DUPLICATES, self.settings.duplicate_share),
            )
            for code, bad, records, fewest, limit in shares:
                fault = DataFault(code, topic)
                mark = limit / 2 if fault in self._begun else limit
                if bad >= fewest and bad > mark * records:
                    found.add(fault)
        return found


def transactions_stand(feeds: Feeds, lag_seconds: float) -> DataFault | None:
    """Tell whether returns are missing: other feeds of customers go on in event time, and transactions do not.

    Longest gaps of a week are usual, so neither a night nor a weekend is a fault where one has been seen before.
    """
    others = feeds.watermark(TOUCHES, LOGINS)
    if others is None or feeds.watermark(TOUCHES) is None or feeds.pulse is None:
        return None
    if feeds.pulse.last_ms is None:
        has_any = feeds.counts().get(TRANSACTIONS, Counts(0, 0, 0)).accepted > 0
        return DataFault("stands" if has_any else "no_transactions", TRANSACTIONS)
    patience = max(STANDS_MS, 1000 * lag_seconds, USUAL_GAPS * feeds.pulse.gap_ms)
    return DataFault("stands", TRANSACTIONS) if others - feeds.pulse.last_ms > patience else None


@dataclass(slots=True)
class Settling:
    """Holds back what may be over at once, and keeps what has just ended: an alert must not flap.

    What is held back is a doubt: nothing may be concluded from the data meanwhile.

    Args:
        raise_seconds: how long a fault that may be an instant's chance must be there before it counts.
        lag_seconds: how long nothing must be known of the lag before it counts as one.
    """

    raise_seconds: float
    lag_seconds: float
    _seen: dict[DataFault, float] = field(default_factory=dict)
    _last: dict[DataFault, float] = field(default_factory=dict)
    _raised: set[DataFault] = field(default_factory=set)

    def settled(self, found: Iterable[DataFault], seconds: float) -> list[DataFault]:
        """Return the faults that count now, in the order of their topics and codes."""
        for fault in found:
            self._seen.setdefault(fault, seconds)
            self._last[fault] = seconds
            if seconds - self._seen[fault] >= self._patience(fault):
                self._raised.add(fault)
        over = [fault for fault, last in self._last.items() if last < seconds and seconds - last >= CLEAR_SECONDS]
        for fault in over:
            self._raised.discard(fault)
            del self._seen[fault], self._last[fault]
        return in_order(self._raised)

    def _patience(self, fault: DataFault) -> float:
        if fault.code in _NEVER:
            return inf
        if fault.code in _SLOWEST:
            return self.lag_seconds
        return self.raise_seconds if fault.code in _SLOW else 0.0


def in_order(faults: Iterable[DataFault]) -> list[DataFault]:
    """Return faults as they are told: by topic, code and campaign."""
    return sorted(faults, key=lambda one: (_ORDER[one.topic], one.code, one.campaign_id))


def campaigns_of(fault: DataFault, names: Iterable[str], with_costs: Mapping[str, bool]) -> list[str]:
    """Return the campaigns that a fault blocks: its own, or all that need its feed."""
    if fault.campaign_id:
        return [fault.campaign_id]
    if fault.topic == COSTS:
        return [name for name in names if with_costs.get(name, False)]
    return list(names)


_ORDER: Final = {topic: place for place, topic in enumerate(NEEDED)}
