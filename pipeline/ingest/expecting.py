"""What the workers will make of records, foretold with their own judges: reasons of refusal, and each event's time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.transport.partitioner import LONGEST_KEY, partitions_of_all
from schemas.decode import decode, decode_campaign, decode_customer
from schemas.judge import RejectedError
from schemas.topics import CAMPAIGNS, DIMENSION_TOPICS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.ingest.ports import Record

TOO_LATE: Final = "too_late"
FROM_THE_FUTURE: Final = "from_the_future"
_DIMENSIONS: Final = frozenset(DIMENSION_TOPICS)
_NEVER: Final = -(1 << 62)


class Expectation(NamedTuple):
    """What is expected of one record.

    Attributes:
        at: the event's time in epoch milliseconds; None for a definition, a profile, or an event that can't be read.
        reason: why the workers will refuse it, '' if they will not.
        detail: the rule that it breaks.
    """

    at: int | None
    reason: str = ""
    detail: str = ""


@dataclass(slots=True)
class Watermarks:
    """The watermark of each topic partition, as far as it is known; it follows the events where ``follows`` is set.

    Attributes:
        lateness_ms: allowed lateness behind the watermark of the event's own topic partition.
        future_ms: how far ahead of the wall clock an event may be.
        partition_counts: number of partitions by topic; a topic that is not there has one.
        known: watermarks in epoch milliseconds by topic and partition.
        follows: whether events are judged in the order in which they come; not so where they are sorted later.
    """

    lateness_ms: int
    future_ms: int
    partition_counts: Mapping[str, int]
    known: dict[tuple[str, int], int] = field(default_factory=dict)
    follows: bool = True

    def reason(self, topic: str, partition: int, at: int, now_ms: int) -> str:
        """Return why an event of this time will be refused, '' if it will not; note its time."""
        if at > now_ms + self.future_ms:
            return FROM_THE_FUTURE
        watermark = self.known.get((topic, partition), _NEVER)
        if at < watermark - self.lateness_ms:
            return TOO_LATE
        if self.follows and at > watermark:
            self.known[topic, partition] = at
        return ""


class Foreteller:
    """Says of records what the workers will say: the same models and decoder, the watermarks as far as known."""

    def __init__(self, currency: str, earliest_ms: int, watermarks: Watermarks) -> None:
        self._currency = currency
        self._earliest_ms = earliest_ms
        self._watermarks = watermarks

    def expect(self, records: Sequence[Record], now_ms: int) -> list[Expectation]:
        """Return what is expected of each record, in their order."""
        found: list[Expectation] = [Expectation(None)] * len(records)
        places_of: dict[str, list[int]] = defaultdict(list)
        for place, record in enumerate(records):
            places_of[record[0]].append(place)
        for topic, places in places_of.items():
            chosen = [records[place] for place in places]
            judged = _definitions(topic, chosen) if topic in _DIMENSIONS else self._events(topic, chosen, now_ms)
            for place, expectation in zip(places, judged, strict=True):
                found[place] = expectation
        return found

    def _events(self, topic: str, records: Sequence[Record], now_ms: int) -> list[Expectation]:
        keys = [key for _, key, _ in records]
        decoded = decode(
            topic,
            range(len(records)),
            keys,
            [value for _, _, value in records],
            currency=self._currency,
            earliest_ms=self._earliest_ms,
        )
        found: list[Expectation] = [Expectation(None)] * len(records)
        for item in decoded.rejected:
            found[item.offset] = Expectation(None, str(item.reason), item.detail)
        partitions = self._partitions(topic, keys)
        reason_of = self._watermarks.reason
        for place, at in zip(decoded.columns.offset, decoded.columns.occurred_at, strict=True):
            found[place] = Expectation(at, reason_of(topic, partitions[place], at, now_ms))
        return found

    def _partitions(self, topic: str, keys: list[bytes]) -> list[int]:
        count = self._watermarks.partition_counts.get(topic, 1)
        short = [key[:LONGEST_KEY] for key in keys]  # a longer key is refused for what it is
        partitions: list[int] = partitions_of_all(short, count).tolist()
        return partitions


def _definitions(topic: str, records: Sequence[Record]) -> list[Expectation]:
    judge = decode_campaign if topic == CAMPAIGNS else decode_customer
    found: list[Expectation] = []
    for _, key, value in records:
        try:
            judge(key, value)
        except RejectedError as error:
            found.append(Expectation(None, str(error.reason), error.detail))
        else:
            found.append(Expectation(None))
    return found
