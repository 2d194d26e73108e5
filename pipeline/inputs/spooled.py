"""Files without offsets as bounded logs: their events in order of time, spread over partitions as Kafka's clients do.

They are sorted on the disk and written to one nameless file for each partition, so memory does not grow with them.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final

import msgspec

from pipeline.errors import UserError
from pipeline.ingest.ordering import TimeOrder
from pipeline.inputs.archived import BATCH, batch_of
from pipeline.inputs.columns import Stored
from pipeline.inputs.file_tables import FileTables
from pipeline.inputs.given import Refusals, digest_of, records_in
from pipeline.transport.dimensions import DimensionRecord
from pipeline.transport.partitioner import partition_of
from pipeline.transport.ports import TP
from schemas.dating import occurred_at_of
from schemas.topics import CAMPAIGNS, CUSTOMERS, DIMENSION_TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pipeline.ingest.ports import Record
    from pipeline.transport.ports import RecordBatch
    from pipeline.worker.ports import DimensionSource

_LENGTH_BYTES: Final = 4
_NEVER: Final = -(1 << 62)
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(list[tuple[bytes, bytes | None]])


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What files hold: records by partition of the event topics, and definitions.

    Attributes:
        refused: lines that are no records.
    """

    digest: str
    counts: Mapping[TP, int]
    definitions: int
    profiles: int
    refused: Refusals


def survey_files(paths: Sequence[Path], topic: str, partition_count: int) -> Surveyed:
    """Read files once, to know what is in them.

    Raises:
        UserError: one cannot be read.
    """
    counts: Counter[TP] = Counter()
    tables: Counter[str] = Counter()
    refusals = Refusals()
    for path in paths:
        for name, key, _ in records_in(path, topic, refusals):
            if name in DIMENSION_TOPICS:
                tables[name] += 1
            else:
                counts[TP(name, partition_of(key, partition_count))] += 1
    return Surveyed(digest_of(paths), counts, tables[CAMPAIGNS], tables[CUSTOMERS], refusals)


@dataclass(slots=True)
class _Spool:
    """A partition's records on the disk, in blocks; and where each block begins."""

    file: IO[bytes]
    held: list[tuple[bytes, bytes | None]] = field(default_factory=list)
    blocks: list[tuple[int, int]] = field(default_factory=list)  # first offset, place in the file
    count: int = 0

    def add(self, key: bytes, value: bytes | None) -> None:
        self.held.append((key, value))
        if len(self.held) >= BATCH:
            self.flush()

    def flush(self) -> None:
        encoded = _ENCODER.encode(self.held)
        self.blocks.append((self.count, self.file.tell()))
        self.file.write(len(encoded).to_bytes(_LENGTH_BYTES, "little"))
        self.file.write(encoded)
        self.count += len(self.held)
        self.held = []

    def read(self, position: int) -> list[Stored]:
        """Return records from an offset on, to the end of its block."""
        first, place = max(block for block in self.blocks if block[0] <= position)
        self.file.seek(place)
        rows = _DECODER.decode(self.file.read(int.from_bytes(self.file.read(_LENGTH_BYTES), "little")))
        return [Stored(first + at, *row) for at, row in enumerate(rows) if first + at >= position]


class SpooledSource:
    """Implements `pipeline.replay.ports.ReplaySource` over files.

    Args:
        paths: the files.
        topic: of their records, or `auto`.
        partition_count: what the customers are spread over.
        ends: the partitions to read, and where each one's log ends.
        digest: what `survey_files` has told of the files.
        is_erased: says of a key whether its customer is erased.
        profiles: take the place of the files'.
        without_campaigns: the run has definitions of its own.
    """

    def __init__(  # noqa: PLR0913 - the files, how they are spread, and what is left out
        self,
        paths: Sequence[Path],
        topic: str,
        partition_count: int,
        ends: Mapping[TP, int],
        digest: str,
        *,
        is_erased: Callable[[bytes], bool],
        profiles: Callable[[int], Sequence[DimensionRecord]] | None = None,
        without_campaigns: bool = False,
    ) -> None:
        self._paths = paths
        self._topic = topic
        self._partition_count = partition_count
        self._ends = ends
        self._digest = digest
        self._is_erased = is_erased
        self._given_profiles = profiles
        self._without_campaigns = without_campaigns
        self._campaigns: list[DimensionRecord] = []
        self._customers: dict[int, list[DimensionRecord]] = defaultdict(list)
        self._tables = FileTables([], self._profiles, is_erased)
        self._spools: dict[TP, _Spool] = {}
        self._positions: dict[TP, int] = {}

    @property
    def dimensions(self) -> DimensionSource:
        """The files' definitions and profiles, or what takes their place."""
        return self._tables

    async def start(self) -> None:
        """Sort the records and spread them.

        Raises:
            UserError: the files are not those that were surveyed, or the disk for sorting is full.
        """
        await asyncio.to_thread(self._spread)

    async def stop(self) -> None:
        """Close the files, which takes them away."""
        for spool in self._spools.values():
            spool.file.close()
        self._spools.clear()

    async def seek(self, positions: Mapping[TP, int]) -> None:
        """Read these partitions from these offsets on."""
        self._positions |= positions

    async def next_batch(self, tp: TP) -> RecordBatch | None:
        """Return the partition's next records, None once its end is reached."""
        position, end = self._positions[tp], self._ends[tp]
        if position >= end:
            return None
        records = await asyncio.to_thread(self._spools[tp].read, position)
        self._positions[tp] = records[-1].offset + 1
        kept = [record for record in records if not self._is_erased(record.key or b"")]
        return batch_of(tp, kept, self._positions[tp], end)

    def _spread(self) -> None:
        if digest_of(self._paths) != self._digest:
            raise UserError("the files have changed since this run began", "roi runs drop the run, then begin anew")
        try:
            self._spools = {tp: _Spool(_nameless()) for tp in self._ends}
            for name, key, value in self._in_time_order():
                tp = TP(name, partition_of(key, self._partition_count))
                if tp in self._spools:
                    self._spools[tp].add(key, value)
            for spool in self._spools.values():
                spool.flush()
                spool.file.flush()
        except OSError as error:
            raise UserError(
                f"the events cannot be sorted in {tempfile.gettempdir()} ({error.strerror})",
                "set TMPDIR to a disk with room for the unpacked files",
            ) from error
        self._tables = FileTables(
            [] if self._without_campaigns else self._campaigns, self._given_profiles or self._profiles, self._is_erased
        )

    def _in_time_order(self) -> Iterator[Record]:
        """Yield the events by time; those whose time cannot be read come first, as `roi ingest` sends them."""
        order = TimeOrder()
        for path in self._paths:
            for record in records_in(path, self._topic, Refusals()):
                name, key, value = record
                if name in DIMENSION_TOPICS:
                    self._take_table(name, key, value)
                    continue
                at = occurred_at_of(value)
                order.add(_NEVER if at is None else at, record)
        yield from order.drain()

    def _take_table(self, name: str, key: bytes, value: bytes | None) -> None:
        partition = partition_of(key, self._partition_count)
        records = self._campaigns if name == CAMPAIGNS else self._customers[partition]
        records.append(DimensionRecord(key, value, partition, len(records)))

    def _profiles(self, partition: int) -> Sequence[DimensionRecord]:
        return self._customers.get(partition, [])


def _nameless() -> IO[bytes]:
    """Return a file that is gone when it is closed, or when this process ends."""
    return tempfile.TemporaryFile(prefix="roi-replay-")
