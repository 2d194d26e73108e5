"""Many record batches of a fetch at once: the compiled core finds them, and reads what it is sure of.

Batches of transactions, markers, older formats and whatever is not plainly right are left to be read one by one.
"""
# ruff: noqa: SLF001 - aiokafka's readers of a fetch keep their places to themselves

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import lz4.frame
import numpy as np
from aiokafka import codec
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import _MemoryRecordsPy

from pipeline.native.library import library
from pipeline.transport.packed import MOST_BYTES, RECORD, Packed

if TYPE_CHECKING:
    import numpy.typing as npt

LEAST_RECORD: Final = 7  # bytes; a head that counts more records than there is room for is left to aiokafka
_MOST_BATCHES: Final = 512
ENOUGH_BYTES: Final = 1 << 26  # decompressed, after which no further batch is: few bytes may hold very many


def _lz4_decode(payload: memoryview) -> bytes | None:
    # three times as fast for record batches of a few events as aiokafka's, which has the last word on what is odd
    texts, length = lz4.frame.decompress(payload, return_bytes_read=True)
    return texts if length == len(payload) else None


_DECODERS: Final[dict[int, Any]] = {
    DefaultRecordBatch.CODEC_NONE: bytes,
    DefaultRecordBatch.CODEC_GZIP: codec.gzip_decode,
    DefaultRecordBatch.CODEC_SNAPPY: codec.snappy_decode,
    DefaultRecordBatch.CODEC_LZ4: _lz4_decode,
    DefaultRecordBatch.CODEC_ZSTD: codec.zstd_decode,
}


def decompressed(number: int, payload: memoryview) -> bytes | None:
    """Return what Kafka's codec of this number has packed; None: only aiokafka can tell what is wrong with it."""
    decode = _DECODERS.get(number)
    if decode is None:
        return None
    try:
        texts = decode(payload)
    except Exception:  # noqa: BLE001 - whatever a codec raises: aiokafka meets it again, and answers as ever
        return None
    return None if texts is None else bytes(texts)


def next_batches(source: Any, records: Any, most: int) -> tuple[Packed, int] | None:
    """Return what the next record batches hold, and the offset behind them, if these need no look each by itself.

    Args:
        source: a `PartitionRecords` of aiokafka.
        records: its bytes; they move on behind what is returned.
        most: records after which no further batch is taken.
    """
    if not isinstance(records, _MemoryRecordsPy) or len(records._buffer) >= MOST_BYTES:
        return None
    fetched, begin = records._buffer, records._pos - len(records._next_slice)
    # a length below 0, which no sum covers, has led aiokafka back: to nothing, or to a place counted from the end
    if begin < 0 or not len(records._next_slice):
        return None
    progress = np.array([begin, source.next_fetch_offset], np.int64)  # struct fetch_progress (native/core.h)
    found: Packed | None = _plain(fetched, progress, most, checks=source._check_crcs)
    if progress[0] == begin:
        found = _compressed(fetched, progress, most, checks=source._check_crcs)
    end, behind = progress.tolist()
    if found is None or end == begin:
        return None
    records._pos = end
    records._cache_next()
    return found, behind


def _plain(fetched: bytes, progress: npt.NDArray[np.int64], most: int, *, checks: bool) -> Packed:
    """Return the records of batches that are not compressed, which lie in the fetch itself."""
    at = progress.ctypes.data
    count = library().plain_count(fetched, len(fetched), at, most)
    rows = np.empty(count, RECORD)
    kept = library().plain_records(fetched, len(fetched), at, checks, count, rows.ctypes.data)
    return Packed(fetched, rows[:kept])


def _compressed(fetched: bytes, progress: npt.NDArray[np.int64], most: int, *, checks: bool) -> Packed | None:
    """Return the records of compressed batches, which lie in a buffer of their own, one batch after another."""
    at = progress.ctypes.data
    heads = np.empty((_MOST_BATCHES, 4), np.uint64)  # struct compressed_batch (native/core.h)
    listed = library().compressed_batches(fetched, len(fetched), at, checks, most, len(heads), heads.ctypes.data)
    view, texts, ends, room, size = memoryview(fetched), [], [], 0, 0
    for begin, end, number, count in heads[:listed].tolist():
        text = decompressed(number, view[begin:end])
        if text is None or count > len(text) // LEAST_RECORD or size + len(text) >= MOST_BYTES:
            break
        texts.append(text)
        size += len(text)
        ends.append(size)
        room += count
        if size >= ENOUGH_BYTES:
            break
    if not texts:
        return None
    whole = texts[0] if len(texts) == 1 else b"".join(texts)
    rows = np.empty(room, RECORD)
    places = np.array(ends, np.uint64)
    kept = library().compressed_records(
        fetched, len(fetched), at, whole, places.ctypes.data, len(ends), room, rows.ctypes.data
    )
    return Packed(whole, rows[:kept])
