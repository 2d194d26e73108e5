"""How an archive lies on disk: Parquet files by topic and business day, and a manifest that makes it whole.

    DIR/manifest.json
    DIR/topic=bank.touches.v1/day=2026-03-01/000017.parquet

A file holds records of any partitions, each partition's by increasing offset. Those of no day, which are malformed,
stand under `day=__HIVE_DEFAULT_PARTITION__`, as do definitions and profiles.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST: Final = "manifest.json"
FORMAT: Final = 2
_READ: Final = frozenset({1, FORMAT})  # of format 1 every file holds one partition
NO_DAY: Final = "__HIVE_DEFAULT_PARTITION__"
KEY_ENTRY: Final = b"roi.pseudonym_key"
TOPIC_ENTRY: Final = b"roi.topic"
_NOT_ONE: Final = "name the directory that roi archive has written"


class ArchivedFile(msgspec.Struct, frozen=True):
    """What a Parquet file holds of one partition: offsets, and the row groups they are in (none named: all)."""

    path: str
    topic: str
    partition: int
    first: int
    last: int
    rows: int
    groups: tuple[int, ...] = ()


class ArchivedLog(msgspec.Struct, frozen=True):
    """A partition's log as it was archived: offsets in [start, end)."""

    topic: str
    partition: int
    start: int
    end: int


class Manifest(msgspec.Struct, frozen=True):
    """What an archive holds.

    Attributes:
        key: fingerprint of the key that the pseudonyms are made with.
        digest: tells this archive from any other.
        partition_counts: of each topic.
        begin_ms, end_ms: event times that were archived, the end excluded; null is without a bound.
        takeovers: (topic, partition, offset, watermark ms): from that offset on the watermark was no less. What live
            had taken over of silent topics, and what records have moved that are not in the archive.
        future: (topic, partition, offset): events that live refused as from the future.
        zone: of the business days; null where an older release has written the archive.
    """

    key: str
    digest: str
    partition_counts: dict[str, int]
    logs: tuple[ArchivedLog, ...]
    files: tuple[ArchivedFile, ...]
    begin_ms: int | None = None
    end_ms: int | None = None
    takeovers: tuple[tuple[str, int, int, int], ...] = ()
    future: tuple[tuple[str, int, int], ...] = ()
    records: int = 0
    format: int = FORMAT
    zone: str | None = None

    @property
    def paths(self) -> list[str]:
        """The files, each once."""
        return sorted({file.path for file in self.files})


def key_fingerprint(key: bytes) -> str:
    """Return what tells pseudonym keys apart without telling anything of them."""
    return hashlib.sha256(b"roi archive" + hashlib.sha256(key).digest()).hexdigest()[:16]


def read_manifest(directory: Path) -> Manifest:
    """Return an archive's manifest.

    Raises:
        UserError: it is none, or one of another format.
    """
    path = directory / MANIFEST
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        raise UserError(f"{directory} is no archive: {MANIFEST} cannot be read ({error.strerror})", _NOT_ONE) from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"{directory} is no archive: {MANIFEST} is damaged", _NOT_ONE) from error
    if found.format not in _READ:
        raise UserError(f"{directory} is an archive of format {found.format}, not {FORMAT}", "update this program")
    return found
