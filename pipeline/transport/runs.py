"""Runs of records: what aiokafka has fetched of a partition, whole record batches at a time.

aiokafka's own iterator makes two objects of every record. This one checks and skips what that does, but has the
compiled core read the record batches that it is sure of, many at once (`bulk`).
"""
# ruff: noqa: SLF001 - aiokafka offers single records only; whatever stands between those and a fetch is private

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from aiokafka.consumer import fetcher as aiokafka_fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

from pipeline.native.library import NOBODY, library
from pipeline.transport.bulk import BulkReader
from pipeline.transport.packed import MOST_BYTES, RECORD, Packed
from pipeline.transport.unpacking import LEAST_RECORD, decompressed

if TYPE_CHECKING:
    from collections.abc import Iterator

    Run = Packed | list[Any]

_HEAD: Final = _DefaultRecordBatchPy.HEADER_STRUCT
BATCH_HEAD: Final = struct.Struct("<6q")  # struct batch_head (native/core.h)
_MAGIC: Final = 2  # the record batches' format since Kafka 0.11; older ones are left to aiokafka
_MAGIC_AT: Final = 16


def keep_bytes() -> None:
    """Have aiokafka cut fetches into batches by its Python reader, which keeps the bytes at hand.

    It gives the same batches as the compiled one, so other consumers of the process notice nothing; but the compiled
    one takes the format of a fetch's first batch for that of all, and cannot read old batches between newer ones.
    """
    if not issubclass(aiokafka_fetcher.MemoryRecords, _MemoryRecordsPy):  # nor the tolerant one (record_headers)
        aiokafka_fetcher.MemoryRecords = _MemoryRecordsPy


def runs(source: Any, most: int) -> Iterator[Run]:
    """Yield what a `PartitionRecords` of aiokafka holds, moving its position on as its own iterator does.

    A run may hold many record batches; one of more records than ``most`` comes in several runs.

    Raises:
        CorruptRecordException: as from its own iterator.
        UnicodeDecodeError: likewise, of a batch that only aiokafka could read.
    """
    records, bulk = source._records, BulkReader(source, most)
    while records.has_next():
        run, behind = bulk.next_batches(records) or _next_batch(source, records)
        for start in range(0, len(run), most):
            part = run[start : start + most] if isinstance(run, list) else run.part(start, start + most)
            # behind the last record too: compaction leaves gaps there
            is_last = start + most >= len(run)
            source.next_fetch_offset = behind if is_last else _offset(run, start + most)
            yield part
        source.next_fetch_offset = behind


def _next_batch(source: Any, records: Any) -> tuple[Run, int]:
    raw = getattr(records, "_next_slice", None)
    batch = records.next_batch()
    if source._check_crcs and not batch.validate_crc():
        raise CorruptRecordException(f"Invalid CRC - {source._tp}")
    run: Run = []
    if not (_is_aborted(source, batch) or batch.is_control_batch):
        found = _read(raw, source.next_fetch_offset)
        run = _read_slowly(batch, source.next_fetch_offset) if found is None else found
    return run, batch.next_offset


def _offset(run: Run, place: int) -> int:
    return int(run[place].offset if isinstance(run, list) else run.rows["offset"][place])


def _is_aborted(source: Any, batch: Any) -> bool:
    if source._isolation_level != aiokafka_fetcher.READ_COMMITTED or batch.producer_id is None:
        return False
    source._consume_aborted_up_to(batch.base_offset)
    if batch.is_control_batch and source._contains_abort_marker(batch):
        source._aborted_producers.discard(batch.producer_id)
    return bool(batch.is_transactional and batch.producer_id in source._aborted_producers)


def _read(raw: memoryview | None, position: int) -> Packed | None:
    """Return a record batch's records from a position on; None: aiokafka has to read them."""
    if raw is None or len(raw) < _HEAD.size or raw[_MAGIC_AT] != _MAGIC:
        return None
    base, _, _, _, _, attributes, _, first, newest, _, _, _, count = _HEAD.unpack_from(raw)
    texts = decompressed(attributes & DefaultRecordBatch.CODEC_MASK, raw[_HEAD.size :])
    if texts is None or not 0 <= count <= len(texts) // LEAST_RECORD or len(texts) >= MOST_BYTES:
        return None
    is_append_time = bool(attributes & _DefaultRecordBatchPy.TIMESTAMP_TYPE_MASK)
    head = BATCH_HEAD.pack(base, first, newest, position, count, is_append_time)
    rows = np.empty(count, RECORD)
    kept = library().batch_records(texts, len(texts), head, rows.ctypes.data)
    return None if kept == NOBODY else Packed(texts, rows[:kept])


def _read_slowly(batch: Any, position: int) -> list[Any]:
    kept: list[Any] = []
    for record in batch:
        if record.offset >= position:
            kept.append(record)
            position = record.offset + 1
    return kept
