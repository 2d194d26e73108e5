"""Writing an archive: into a hidden directory first, which becomes the archive when all of it is on the disk."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
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
Place = tuple[str, int, str]  # topic, partition, day


@dataclass(slots=True)
class _Open:
    """A file that is being written."""

    path: str
    writer: Any
    first: int
    last: int = -1
    rows: int = 0


@dataclass(slots=True)
class _Held:
    """Rows that wait for a row group of their own."""

    tables: list[pa.Table] = field(default_factory=list)
    rows: int = 0


class ArchiveWriter:
    """Takes rows partition by partition, each partition's by increasing offset; memory is bounded.

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
        self._open: dict[Place, _Open] = {}
        self._files: list[ArchivedFile] = []

    def begin(self) -> None:
        """Make the directory.

        Raises:
            UserError: it holds something already, or cannot be written.
        """
        try:
            self._is_new = not self._directory.exists()
            self._directory.mkdir(parents=True, exist_ok=True)
            found = {entry.name for entry in self._directory.iterdir()}
            if found - {UNFINISHED}:
                raise UserError(
                    f"{self._directory} is not empty", "name another directory: an archive is written as a whole"
                )
            shutil.rmtree(self._unfinished, ignore_errors=True)  # of one that was killed
            self._unfinished.mkdir()
        except OSError as error:
            raise self._unwritable(error) from error

    def add(self, topic: str, partition: int, day: str, table: pa.Table) -> None:
        """Take rows of one partition and day.

        Raises:
            UserError: the disk is full, or cannot be written.
        """
        place = (topic, partition, day)
        held = self._held.pop(place, None) or _Held()
        self._held[place] = held  # the one that was touched last stands last
        held.tables.append(table)
        held.rows += len(table)
        self._held_rows += len(table)
        try:
            if held.rows >= _GROUP_ROWS:
                self._flush(place)
            while self._held_rows > _HELD_ROWS:
                self._flush(next(iter(self._held)))
        except OSError as error:
            raise self._unwritable(error) from error

    def finish(self, manifest: Manifest) -> Manifest:
        """Write what is held, and make the archive whole; return its manifest with the files in it.

        Raises:
            UserError: the disk is full, or cannot be written.
        """
        try:
            for place in list(self._held):
                self._flush(place)
            for place in list(self._open):
                self._close(place)
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
        shutil.rmtree(self._unfinished, ignore_errors=True)
        if self._is_new:
            with suppress(OSError):
                self._directory.rmdir()

    def _flush(self, place: Place) -> None:
        held = self._held.pop(place)
        self._held_rows -= held.rows
        if not held.rows:
            return
        table = pa.concat_tables(held.tables)
        offsets = table.column("offset")
        opened = self._opened(place, offsets[0].as_py())
        opened.writer.write_table(table, row_group_size=_GROUP_ROWS)
        opened.last = offsets[-1].as_py()
        opened.rows += len(table)

    def _opened(self, place: Place, first: int) -> _Open:
        if place in self._open:
            self._open[place] = self._open.pop(place)
            return self._open[place]
        while len(self._open) >= _OPEN_FILES:
            self._close(next(iter(self._open)))
        topic, partition, day = place
        path = f"topic={topic}/day={day}/{partition}-{first:020}.parquet"
        file = self._unfinished / path
        file.parent.mkdir(parents=True, exist_ok=True)
        schema = schema_of(topic).with_metadata({KEY_ENTRY: self._key, TOPIC_ENTRY: topic})
        self._open[place] = _Open(path, pq.ParquetWriter(file, schema, compression="zstd"), first)
        return self._open[place]

    def _close(self, place: Place) -> None:
        opened = self._open[place]
        opened.writer.close()
        del self._open[place]
        _sync(self._unfinished / opened.path)
        topic, partition, _ = place
        self._files.append(ArchivedFile(opened.path, topic, partition, opened.first, opened.last, opened.rows))

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
