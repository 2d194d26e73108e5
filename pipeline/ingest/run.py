"""The loop from sources to the producer."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pipeline.ingest.lines import batches_of_lines, stripped
from pipeline.ingest.recognise import recognised
from pipeline.ingest.records import LONGEST_LINE, RefusedError
from pipeline.ingest.sources import BrokenSourceError
from schemas.topics import DIMENSION_TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pipeline.ingest.expecting import Foreteller
    from pipeline.ingest.ordering import TimeOrder
    from pipeline.ingest.ports import Record, RecordProducer
    from pipeline.ingest.records import LineParser

_DIMENSIONS: Final = frozenset(DIMENSION_TOPICS)
_FIRST: Final = -(1 << 62)  # definitions and profiles come before every event


@dataclass(slots=True)
class Tally:
    """What became of the lines; empty ones are not counted.

    Attributes:
        broken: names of sources that could not be read to their end.
        refusals: how many lines were refused, by reason.
        expected: how many of the records the workers will refuse, by reason.
    """

    read: int = 0
    produced: int = 0
    refused: int = 0
    broken: list[str] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    expected: Counter[str] = field(default_factory=Counter)

    @property
    def complete(self) -> bool:
        """Whether every line of every source was produced."""
        return not self.refused and not self.broken


class Ingestion:
    """Produces every good line of the sources given to it, in their order or, with ``order``, in that of time.

    Campaign definitions and customer profiles are acknowledged by the broker before the first event behind them is
    produced: workers read those topics to their end before their first event.

    Args:
        producer: takes the records; its errors end the ingestion.
        parse: turns a line into a record or refuses it.
        complain: called with one sentence for each refused line, broken source and record that workers will refuse.
        foreteller: says which records the workers will refuse; they are produced all the same.
        order: holds the records until `finish`, which produces them in order of time; needs a ``foreteller``.
    """

    def __init__(
        self,
        producer: RecordProducer,
        parse: LineParser,
        complain: Callable[[str], None],
        *,
        foreteller: Foreteller | None = None,
        order: TimeOrder | None = None,
    ) -> None:
        self.tally = Tally()
        self._producer = producer
        self._parse = parse
        self._complain = complain
        self._foreteller = foreteller
        self._order = order
        self._dimensions_in_flight = False
        self._latest = _FIRST

    def read(self, name: str, chunks: Iterable[bytes]) -> None:
        """Take one source's lines; a broken source keeps what was read of it and is noted in the tally.

        Raises:
            UserError: the source is no lines of JSON; nothing of it was taken.
        """
        self._latest = _FIRST
        try:
            for first, lines in _numbered(recognised(name, chunks, "nothing of it was sent")):
                self._take(name, *self._parsed(name, first, lines))
        except BrokenSourceError as error:
            self.tally.broken.append(name)
            self._complain(f"{name}: {error}; what was read before stays")

    def finish(self) -> None:
        """Produce what is held for its order, and wait until the broker has acknowledged everything."""
        if self._order is not None:
            for record in self._order.drain():
                self._send(record)
        self._acknowledged()

    def _parsed(self, name: str, first: int, lines: list[bytes]) -> tuple[list[int], list[Record]]:
        numbers: list[int] = []
        records: list[Record] = []
        for number, line in enumerate(lines, first):
            event = stripped(line)
            if not event:
                continue
            self.tally.read += 1
            try:
                records.append(self._parse(event))
            except RefusedError as error:
                self.tally.refused += 1
                self.tally.refusals[str(error)] += 1
                self._complain(f"{name}:{number}: {error}")
            else:
                numbers.append(number)
        return numbers, records

    def _take(self, name: str, numbers: list[int], records: list[Record]) -> None:
        if self._foreteller is None or not records:
            for record in records:
                self._send(record)
            return
        expectations = self._foreteller.expect(records, time.time_ns() // 1_000_000)
        for number, record, (at, reason, detail) in zip(numbers, records, expectations, strict=True):
            if reason:
                self.tally.expected[reason] += 1
                why = f"{reason} ({detail})" if detail else reason
                self._complain(f"{name}:{number}: the workers will refuse it: {why}")
            if self._order is None:
                self._send(record)
            elif record[0] in _DIMENSIONS:
                self._order.add(_FIRST, record)
            else:
                # an event whose time can't be read stays behind the one before it
                self._latest = self._latest if at is None else at
                self._order.add(self._latest, record)

    def _send(self, record: Record) -> None:
        topic, key, value = record
        if topic in _DIMENSIONS:
            self._dimensions_in_flight = True
        elif self._dimensions_in_flight:
            self._acknowledged()
        self._producer.send(topic, key, value)
        self.tally.produced += 1

    def _acknowledged(self) -> None:
        self._producer.flush()
        self._dimensions_in_flight = False


def _numbered(chunks: Iterable[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    first = 1
    for lines in batches_of_lines(chunks, LONGEST_LINE):
        yield first, lines
        first += len(lines)
