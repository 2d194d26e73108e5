"""Writing an archive: into a hidden directory first, which becomes the archive when all of it is on the disk."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import UserError
from pipeline.inputs.columns import schema_of
from pipeline.inputs.layout import KEY_ENTRY, MANIFEST, TOPIC_ENTRY, ArchivedFile, Manifest

if TYPE_CHECKING:
    from pathlib import Path

UNFINISHED: Final = ".unfinished"
_GROUP_ROWS: Final = 16_384
_HELD_ROWS: Final = 262_144
_OPEN_FILES: Final = 48
Place = tuple[str, str, int]  # topic, day, partition
Day = tuple[str, str]


@dataclass(slots=True)
class _Part:
    """What a file holds of one partition."""

    first: int
    last: int = -1
    rows: int = 0
    groups: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Open:
    """A file that is being written, one topic's of one day."""

    path: str
    writer: Any
    groups: int = 0
    parts: dict[int, _Part] = field(default_factory=dict)


@dataclass(slots=True)
class _Held:
    """Rows that wait for a row group of their own."""

    tables: list[pa.Table] = field(default_factory=list)
    rows: int = 0


class ArchiveWriter:
    """Takes rows partition by partition, each partition's by increasing offset; memory is bounded.

    A day's file holds all partitions: one for each would be thousands of files of a few rows, each with its own header
    and its own wait for the disk. Many rows of a partition are row groups of their own; the few share one.

    Args:
        directory: where the archive is to be; empty, or not there yet.
        key: fingerprint of the pseudonyms' key.
    """

    def __init__(self, directory: Path, key: str) -> None:
        self._directory = directory
        self._unfinished = directory / UNFINISHED
        self._key = key
        self._is_new = False
        self._held: dict[Place, _Held] = {}
        self._held_rows = 0
        self._open: dict[Day, _Open] = {}
        self._number = 0
        self._files: list[ArchivedFile] = []

    def begin(self) -> None:
        """Make the directory.

        Raises:
            UserError: it holds something already, or cannot be written.
        """
        try:
            self._is_new = not self._directory.exists()
            self._directory.mkdir(parents=True, exist_ok=True)
            if set(self._directory.iterdir()) - {self._unfinished, *self._moved()}:
                raise UserError(
                    f"{self._directory} is not empty", "name another directory: an archive is written as a whole"
                )
            self._clear()  # of one that was killed
            self._unfinished.mkdir()
        except OSError as error:
            raise self._unwritable(error) from error

    def add(self, topic: str, partition: int, day: str, table: pa.Table) -> None:
        """Take rows of one partition and day.

        Raises:
            UserError: the disk is full, or cannot be written.
        """
        place = (topic, day, partition)
        held = self._held.pop(place, None) or _Held()
        self._held[place] = held  # the one that was touched last stands last
        held.tables.append(table)
        held.rows += len(table)
        self._held_rows += len(table)
        try:
            if held.rows >= _GROUP_ROWS:
                self._flush([place])
            while self._held_rows > _HELD_ROWS:
                self._flush_day(next(iter(self._held))[:2])
        except OSError as error:
            raise self._unwritable(error) from error

    def finish(self, manifest: Manifest) -> Manifest:
        """Write what is held, and make the archive whole; return its manifest with the files in it.

        Raises:
            UserError: the disk is full, or cannot be written.
        """
        try:
            for day in sorted({place[:2] for place in self._held}):
                self._flush_day(day)
            for day in list(self._open):
                self._close(day)
            files = tuple(sorted(self._files, key=lambda file: (file.topic, file.partition, file.first)))
            whole = msgspec.structs.replace(manifest, files=files, records=sum(file.rows for file in files))
            digest = hashlib.sha256(msgspec.json.encode(whole)).hexdigest()[:32]
            whole = msgspec.structs.replace(whole, digest=digest)
            path = self._unfinished / MANIFEST
            path.write_bytes(msgspec.json.format(msgspec.json.encode(whole), indent=1))
            _sync(path)
            for entry in sorted(self._unfinished.iterdir(), key=lambda entry: entry.name == MANIFEST):
                entry.rename(self._directory / entry.name)  # the manifest goes last: without it there is no archive
            self._unfinished.rmdir()
            _sync(self._directory)
        except OSError as error:
            raise self._unwritable(error) from error
        return whole

    def abandon(self) -> None:
        """Remove what was written of an archive that did not become whole."""
        for opened in self._open.values():
            with suppress(OSError, pa.ArrowException):
                opened.writer.close()
        self._clear()
        if self._is_new:
            with suppress(OSError):
                self._directory.rmdir()

    def _moved(self) -> list[Path]:
        """Return what has its place already of an archive whose manifest still waits for its own."""
        if not (self._unfinished / MANIFEST).exists():
            return []
        return list(self._directory.glob("topic=*"))

    def _clear(self) -> None:
        for directory in (*self._moved(), self._unfinished):  # while the manifest is there, what was moved is known
            shutil.rmtree(directory, ignore_errors=True)

    def _flush_day(self, day: Day) -> None:
        self._flush(sorted(place for place in self._held if place[:2] == day))

    def _flush(self, places: list[Place]) -> None:
        """Write what is held of some partitions of one topic and day."""
        found = [(place[2], self._held.pop(place)) for place in places]
        tables = {partition: pa.concat_tables(held.tables) for partition, held in found}
        self._held_rows -= sum(held.rows for _, held in found)
        tables = {partition: table for partition, table in tables.items() if len(table)}
        if not tables:
            return
        opened = self._opened(places[0][:2])
        whole = pa.concat_tables(tables.values())
        opened.writer.write_table(whole, row_group_size=_GROUP_ROWS)
        end = opened.groups + ceil(len(whole) / _GROUP_ROWS)
        for partition, table in tables.items():
            offsets = table.column("offset")
            part = opened.parts.setdefault(partition, _Part(offsets[0].as_py()))
            part.last = offsets[-1].as_py()
            part.rows += len(table)
            part.groups += range(opened.groups, end)
        opened.groups = end

    def _opened(self, day: Day) -> _Open:
        if day in self._open:
            self._open[day] = self._open.pop(day)
            return self._open[day]
        while len(self._open) >= _OPEN_FILES:
            self._close(next(iter(self._open)))
        topic, name = day
        path = f"topic={topic}/day={name}/{self._number:06}.parquet"
        self._number += 1
        file = self._unfinished / path
        file.parent.mkdir(parents=True, exist_ok=True)
        schema = schema_of(topic).with_metadata({KEY_ENTRY: self._key, TOPIC_ENTRY: topic})
        self._open[day] = _Open(path, pq.ParquetWriter(file, schema, compression="zstd", write_page_checksum=True))
        return self._open[day]

    def _close(self, day: Day) -> None:
        opened = self._open[day]
        opened.writer.close()
        del self._open[day]
        _sync(self._unfinished / opened.path)
        self._files += [
            ArchivedFile(opened.path, day[0], partition, part.first, part.last, part.rows, tuple(part.groups))
            for partition, part in opened.parts.items()
        ]

    def _unwritable(self, error: OSError) -> UserError:
        return UserError(
            f"the archive cannot be written to {self._directory} ({error.strerror or error})",
            "name a directory with room; nothing of it is left there",
        )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
