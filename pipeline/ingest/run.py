"""The loop from sources to the producer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pipeline.ingest.lines import batches_of_lines
from pipeline.ingest.records import LONGEST_LINE, RefusedError
from pipeline.ingest.sources import BrokenSourceError
from schemas.topics import DIMENSION_TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pipeline.ingest.ports import RecordProducer
    from pipeline.ingest.records import LineParser

_DIMENSIONS: Final = frozenset(DIMENSION_TOPICS)


@dataclass(slots=True)
class Tally:
    """What became of the lines; empty ones are not counted.

    Attributes:
        broken: names of sources that could not be read to their end.
    """

    read: int = 0
    produced: int = 0
    refused: int = 0
    broken: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every line of every source was produced."""
        return not self.refused and not self.broken


class Ingestion:
    """Produces every good line of the sources given to it, in order.

    Campaign definitions and customer profiles are acknowledged by the broker before the first event behind them is
    produced: workers read those topics to their end before their first event.

    Args:
        producer: takes the records; its errors end the ingestion.
        parse: turns a line into a record or refuses it.
        complain: called with one sentence for each refused line and broken source.
    """

    def __init__(self, producer: RecordProducer, parse: LineParser, complain: Callable[[str], None]) -> None:
        self.tally = Tally()
        self._producer = producer
        self._parse = parse
        self._complain = complain
        self._dimensions_in_flight = False

    def read(self, name: str, chunks: Iterable[bytes]) -> None:
        """Produce one source's lines; a broken source keeps what was read of it and is noted in the tally."""
        try:
            for number, line in self._numbered_lines(chunks):
                self._read_line(name, number, line)
        except BrokenSourceError as error:
            self.tally.broken.append(name)
            self._complain(f"{name}: {error}; what was read before stays")

    def finish(self) -> None:
        """Wait until the broker has acknowledged everything."""
        self._producer.flush()
        self._dimensions_in_flight = False

    @staticmethod
    def _numbered_lines(chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
        first = 1
        for lines in batches_of_lines(chunks, LONGEST_LINE):
            yield from enumerate(lines, first)
            first += len(lines)

    def _read_line(self, name: str, number: int, line: bytes) -> None:
        event = line.strip()
        if not event:
            return
        tally = self.tally
        tally.read += 1
        try:
            topic, key, value = self._parse(event)
        except RefusedError as error:
            tally.refused += 1
            self._complain(f"{name}:{number}: {error}")
            return
        if topic in _DIMENSIONS:
            self._dimensions_in_flight = True
        elif self._dimensions_in_flight:
            self.finish()
        self._producer.send(topic, key, value)
        tally.produced += 1
