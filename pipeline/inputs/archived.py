"""An archive as bounded logs: its files of a partition merged by offset, as many open at a time as overlap."""

from __future__ import annotations

import asyncio
import math
from heapq import heapify, heappop, heapreplace
from itertools import islice
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import UserError
from pipeline.inputs.columns import Stored, records_of
from pipeline.inputs.file_tables import FileTables
from pipeline.inputs.layout import MANIFEST
from pipeline.transport.dimensions import DimensionRecord
from pipeline.transport.ports import TP, RecordBatch
from schemas.topics import CAMPAIGNS, CUSTOMERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pipeline.inputs.layout import ArchivedFile, Manifest
    from pipeline.worker.ports import DimensionSource

BATCH: Final = 5_000
_ROWS: Final = 4_096
_RESTORE: Final = "restore it from where it was kept"


class ArchiveSource:
    """Implements `pipeline.replay.ports.ReplaySource` over an archive.

    Args:
        directory: the archive.
        manifest: its manifest.
        ends: where each partition's log ends.
        is_erased: says of a key whether its customer is erased.
        profiles: take the place of the archive's, by partition.
        without_campaigns: the run has definitions of its own.
    """

    def __init__(  # noqa: PLR0913 - the files, what is read of them, and what takes their place
        self,
        directory: Path,
        manifest: Manifest,
        ends: Mapping[TP, int],
        is_erased: Callable[[bytes], bool],
        *,
        profiles: Callable[[int], Sequence[DimensionRecord]] | None = None,
        without_campaigns: bool = False,
    ) -> None:
        self._directory = directory
        self._manifest = manifest
        self._ends = ends
        campaigns = [] if without_campaigns else self._dimension(CAMPAIGNS)
        self._tables = FileTables(campaigns, profiles or self._profiles, is_erased)
        self._positions: dict[TP, int] = {}
        self._records: dict[TP, Iterator[Stored]] = {}

    @property
    def dimensions(self) -> DimensionSource:
        """The archive's definitions and profiles, or what takes their place."""
        return self._tables

    async def start(self) -> None:
        """Nothing is open before it is read."""

    async def stop(self) -> None:
        """Close what is open."""
        self._records.clear()

    async def seek(self, positions: Mapping[TP, int]) -> None:
        """Read these partitions from these offsets on."""
        for tp, position in positions.items():
            self._positions[tp] = position
            self._records[tp] = merged(self._directory, self._files(tp), position)

    async def next_batch(self, tp: TP) -> RecordBatch | None:
        """Return the partition's next records, None once its end is reached."""
        position, end = self._positions[tp], self._ends[tp]
        if position >= end:
            return None
        records = await asyncio.to_thread(lambda: list(islice(self._records[tp], BATCH)))
        self._positions[tp] = next_offset = records[-1].offset + 1 if len(records) == BATCH else end
        return batch_of(tp, records, next_offset, end)

    def _files(self, tp: TP) -> list[ArchivedFile]:
        return [file for file in self._manifest.files if (file.topic, file.partition) == tp]

    def _dimension(self, topic: str) -> list[DimensionRecord]:
        partitions = sorted({file.partition for file in self._manifest.files if file.topic == topic})
        return [record for partition in partitions for record in self._of_partition(topic, partition)]

    def _profiles(self, partition: int) -> list[DimensionRecord]:
        return self._of_partition(CUSTOMERS, partition)

    def _of_partition(self, topic: str, partition: int) -> list[DimensionRecord]:
        return [
            DimensionRecord(record.key, record.value, partition, record.offset, refusal=record.refusal)
            for record in merged(self._directory, self._files(TP(topic, partition)), 0)
        ]


def batch_of(tp: TP, records: Sequence[Stored], next_offset: int, end: int) -> RecordBatch:
    """Return records of a file as a batch that waits for nothing and has no partition of its own to be on."""
    return RecordBatch(
        tp.topic,
        tp.partition,
        offsets=[record.offset for record in records],
        keys=[record.key for record in records],
        values=[record.value for record in records],
        timestamps=[-1] * len(records),
        next_offset=next_offset,
        end_offset=end,
        fetched_at=-math.inf,
        refusals={record.offset: record.refusal for record in records if record.refusal is not None},
    )


def merged(directory: Path, files: Sequence[ArchivedFile], position: int) -> Iterator[Stored]:
    """Yield a partition's records from an offset on, by offset.

    Raises:
        UserError: a file is not there, damaged, or another one than was archived.
    """
    waiting = sorted((file for file in files if file.last >= position), key=lambda file: file.first, reverse=True)
    heap: list[tuple[int, int, Stored, Iterator[Stored]]] = []
    while waiting or heap:
        while waiting and (not heap or waiting[-1].first <= heap[0][0]):
            reading = _read(directory, waiting.pop(), position)
            if (first := next(reading, None)) is not None:
                heap.append((first.offset, len(waiting), first, reading))
                heapify(heap)
        if not heap:
            continue
        _, number, record, reading = heap[0]
        yield record
        if (following := next(reading, None)) is None:
            heappop(heap)
        else:
            heapreplace(heap, (following.offset, number, following, reading))


def _read(directory: Path, file: ArchivedFile, position: int) -> Iterator[Stored]:
    path = directory / file.path
    held: list[int] = []  # first and last offset of each batch
    count = 0
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as opened:
            for batch in opened.iter_batches(batch_size=_ROWS, row_groups=list(file.groups) or None):
                rows = batch.filter(pc.equal(batch.column("partition"), file.partition))
                if len(rows):
                    held += (rows.column("offset")[0].as_py(), rows.column("offset")[-1].as_py())
                    count += len(rows)
                for record in records_of(file.topic, rows):
                    if record.offset >= position:
                        yield record
    except (OSError, pa.ArrowException, KeyError, UnicodeDecodeError) as error:
        words = getattr(error, "strerror", None) or "it is damaged"
        raise UserError(f"{path} of the archive cannot be read ({words})", _RESTORE) from error
    # a whole Parquet file may be another one than was archived: fewer rows would be lost without a word
    if (count, *held[:1], *held[-1:]) != (file.rows, file.first, file.last):
        raise UserError(f"{path} of the archive does not hold the records that {MANIFEST} tells of", _RESTORE)
