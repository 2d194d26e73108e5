"""What feeds were like a short while ago: where their logs ended, and how many of their records counted. Pure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Ends = dict[tuple[str, str, int], int]
"""Next offset by topic, id of the topic's life, and partition."""
_SAMPLES: Final = 60
_LONGEST_SECONDS: Final = 86_400.0
_ANSWER_SECONDS: Final = 30.0
"""So long a broker that works may take from one answer to the next, however short a lag is a fault."""


class Counts(NamedTuple):
    """Records by what became of them."""

    accepted: int
    duplicates: int
    dead_letters: int

    @property
    def records(self) -> int:
        """All of them."""
        return sum(self)

    def since(self, before: Counts) -> Counts:
        """Return what has come to the counts of before."""
        return Counts(*(now - then for now, then in zip(self, before, strict=True)))

    def plus(self, accepted: int, duplicates: int, dead_letters: int) -> Counts:
        """Return the sums."""
        return Counts(self.accepted + accepted, self.duplicates + duplicates, self.dead_letters + dead_letters)


Sample = tuple[float, Counts]
"""When, by this process's clock, and what was counted until then."""


class LagHistory:
    """Where logs ended: a record that was there a minute ago and is not durable now is a minute behind.

    No record's own time is asked: producers set it as they like, and an embedded broker does not find records by it.

    Args:
        lag_seconds: how far back it is looked.
    """

    def __init__(self, lag_seconds: float) -> None:
        self._keep = lag_seconds
        self._patience = max(lag_seconds, _ANSWER_SECONDS)
        self._newest_at: float | None = None
        self._first: Ends = {}
        self._newest: Ends = {}
        self._samples: deque[tuple[float, Ends]] = deque()

    def add(self, seconds: float, ends: Ends) -> None:
        """Note where the logs ended; one sample of every sixtieth of the time is kept."""
        if not self._first or self.is_silent(seconds):  # of what came meanwhile nobody knows for how long it waits
            self._first = ends
        self._newest_at, self._newest = seconds, ends
        if not self._samples or seconds - self._samples[-1][0] >= self._keep / _SAMPLES:
            self._samples.append((seconds, ends))
        while len(self._samples) > 1 and seconds - self._samples[1][0] >= self._keep:
            self._samples.popleft()

    @property
    def is_measured(self) -> bool:
        """Whether anything has been noted."""
        return self._newest_at is not None

    @property
    def newest(self) -> Ends:
        """Where the logs ended when it was noted last."""
        return self._newest

    def is_silent(self, seconds: float) -> bool:
        """Tell whether what was noted last is older than what it would show: a lag may have come and grown since."""
        return self._newest_at is not None and seconds - self._newest_at > self._patience

    def behind(self, seconds: float, durable: Ends, by_seconds: float) -> set[str]:
        """Return the topics of which something is not durable that was there so many seconds ago."""
        then = [ends for at, ends in self._samples if seconds - at > by_seconds]
        return self._waiting(then[-1], durable) if then else set()

    def starting(self, durable: Ends) -> set[str]:
        """Return the topics of which what waited at the first look, or at the first after a silence, still waits."""
        return self._waiting(self._first, durable)

    def _waiting(self, ends: Ends, durable: Ends) -> set[str]:
        # a topic made anew, or a log cut short, has lost what it held: nobody waits for that
        return {key[0] for key, end in ends.items() if durable.get(key, 0) < min(end, self._newest.get(key, 0))}


class _Stand(NamedTuple):
    """Where a partition is, since when, and since when records wait there (None = none do)."""

    offset: int
    moved_at: float
    waits_since: float | None


class StandHistory:
    """Which partitions stand although records wait there, while others have gone on: their worker is gone, or frozen.

    Meanwhile the ledger holds a part of the customers, and all of what campaigns cost.

    Args:
        seconds: how long records have to wait.
    """

    def __init__(self, seconds: float) -> None:
        self._patience = seconds
        self._known: dict[tuple[str, str, int], _Stand] = {}

    def standing(self, seconds: float, ends: Ends, durable: Ends) -> set[str]:
        """Note how far partitions are, and return the topics of those that stand."""
        self._known = {key: self._stand(key, seconds, end, durable.get(key, 0)) for key, end in ends.items()}
        # those of a worker whose blocks are slow move together: none stands behind another
        moved_at = max((one.moved_at for one in self._known.values()), default=seconds)
        return {
            key[0]
            for key, one in self._known.items()
            if one.waits_since is not None and seconds - one.waits_since >= self._patience and one.moved_at < moved_at
        }

    def _stand(self, key: tuple[str, str, int], seconds: float, end: int, offset: int) -> _Stand:
        before = self._known.get(key)
        if before is None or before.offset != offset:
            return _Stand(offset, seconds, seconds if offset < end else None)
        waits_since = (seconds if before.waits_since is None else before.waits_since) if offset < end else None
        return _Stand(offset, before.moved_at, waits_since)


class GrowthHistory:
    """How a topic's counts have grown lately.

    Args:
        seconds: what is called lately.
        records: so many of the newest ones count if they came within a day: a burst of bad ones is not forgotten
            before good ones have followed it; 0 = only those of that time.
    """

    def __init__(self, seconds: float, records: int = 0) -> None:
        self._window = seconds
        self._records = records
        self._samples: dict[str, deque[Sample]] = {}
        self._has_looked = False

    def grown(self, seconds: float, counts: dict[str, Counts]) -> dict[str, Counts]:
        """Note the counts, and return what has come to them; nothing at the first look."""
        found = {topic: self._of_topic(topic, seconds, now) for topic, now in counts.items()}
        self._has_looked = True
        return found

    @property
    def beginnings(self) -> dict[str, tuple[Sample, ...]]:
        """The counts that topics' growth is told from: three of each at most, which whoever goes on from them needs."""
        return {topic: self._needed(samples) for topic, samples in self._samples.items()}

    def _needed(self, samples: deque[Sample]) -> tuple[Sample, ...]:
        """Return the first sample, and those on both sides of where the newest records begin."""
        newest = samples[-1][1]
        place = len(samples) - 1
        while place and newest.records - samples[place][1].records < self._records:
            place -= 1
        return tuple(samples[one] for one in sorted({0, place, min(place + 1, len(samples) - 1)}))

    def go_on_from(self, beginnings: Mapping[str, Sequence[Sample]]) -> None:
        """Tell growth from what somebody else has noted; a topic that is not there had no records then."""
        self._samples = {topic: deque(samples) for topic, samples in beginnings.items()}
        self._has_looked = True

    def _of_topic(self, topic: str, seconds: float, now: Counts) -> Counts:
        begin = Counts(0, 0, 0)
        samples = self._samples.setdefault(topic, deque([(seconds, begin if self._has_looked else now)]))
        if now.records < samples[-1][1].records:  # the topic was made anew
            samples.clear()
            samples.append((seconds, begin))
        if now != samples[-1][1] and seconds - samples[-1][0] >= self._window / _SAMPLES:
            samples.append((seconds, now))
        while len(samples) > 1 and self._is_of_before(samples[1], seconds, now):
            samples.popleft()
        return self._newest(samples, seconds, now)

    def _newest(self, samples: deque[Sample], seconds: float, now: Counts) -> Counts:
        """Return what came lately, or the newest records if these are more.

        Where the second sample has too few behind it, and the first a whole backlog, what is missing is taken to have
        been like that backlog if this makes it worse: a few bad records behind it must not vanish among its many.
        """
        grown = now.since(samples[0][1])
        if len(samples) == 1 or seconds - samples[1][0] < self._window:
            return grown
        later = now.since(samples[1][1])
        between, missing = grown.since(later), self._records - later.records
        if not 0 < missing < between.records:
            return grown
        found = later.plus(*(count * missing // between.records for count in between))
        return found if found.dead_letters * grown.records > grown.dead_letters * found.records else grown

    def _is_of_before(self, sample: Sample, seconds: float, now: Counts) -> bool:
        at, then = sample
        is_followed = now.records - then.records >= self._records or seconds - at >= _LONGEST_SECONDS
        return seconds - at >= self._window and is_followed
