"""Many record batches of a fetch at once: the compiled core finds them, and reads what it is sure of.

Batches of transactions, markers, older formats and whatever is not plainly right are left to be read one by one.
"""
# ruff: noqa: SLF001 - aiokafka's readers of a fetch keep their places to themselves

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from aiokafka.record.memory_records import _MemoryRecordsPy

from pipeline.native.library import library
from pipeline.transport.packed import MOST_BYTES, RECORD, Packed
from pipeline.transport.unpacking import unpacked

if TYPE_CHECKING:
    import numpy.typing as npt

_MOST_BATCHES: Final = 512  # listed at once: beyond so many one call more costs next to nothing


class BulkReader:
    """Takes what the next record batches of one fetch hold, if these need no look each by itself."""

    def __init__(self, source: Any, most: int) -> None:
        """Begin at the place of a `PartitionRecords` of aiokafka; take no further batch after ``most`` records."""
        self._source = source
        self._most = most
        # Compressed batches that are unpacked at once. After one that the core is not sure of it is one, then twice as
        # many each time: where nearly all are odd, each would have all behind it unpacked for nothing.
        self._at_once = _MOST_BATCHES

    def next_batches(self, records: Any) -> tuple[Packed, int] | None:
        """Return the records of some batches and the offset behind them; aiokafka's reader moves on behind them, too.

        None: the next batch is to be read by itself.
        """
        if not isinstance(records, _MemoryRecordsPy) or len(records._buffer) >= MOST_BYTES:
            return None
        fetched, begin = records._buffer, records._pos - len(records._next_slice)
        # a length below 0, which no sum covers, has led aiokafka back: to nothing, or to a place counted from the end
        if begin < 0 or not len(records._next_slice):
            return None
        progress = np.array([begin, self._source.next_fetch_offset], np.int64)  # struct fetch_progress (native/core.h)
        found: Packed | None = self._plain(fetched, progress)
        if progress[0] == begin:
            found = self._compressed(fetched, progress)
        end, behind = progress.tolist()
        if found is None or end == begin:
            return None
        records._pos = end
        records._cache_next()
        return found, behind

    def _plain(self, fetched: bytes, progress: npt.NDArray[np.int64]) -> Packed:
        """Return the records of batches that are not compressed, which lie in the fetch itself."""
        at, checks = progress.ctypes.data, self._source._check_crcs
        count = library().plain_count(fetched, len(fetched), at, self._most)
        rows = np.empty(count, RECORD)
        kept = library().plain_records(fetched, len(fetched), at, checks, count, rows.ctypes.data)
        return Packed(fetched, rows[:kept])

    def _compressed(self, fetched: bytes, progress: npt.NDArray[np.int64]) -> Packed | None:
        """Return the records of compressed batches, which lie in a buffer of their own, one batch after another."""
        at, checks = progress.ctypes.data, self._source._check_crcs
        heads = np.empty((self._at_once, 4), np.uint64)  # struct compressed_batch (native/core.h)
        listed = library().compressed_batches(
            fetched, len(fetched), at, checks, self._most, len(heads), heads.ctypes.data
        )
        texts, ends, room = unpacked(fetched, heads[:listed])
        if not ends:
            if listed:  # none is where the next is no compressed one
                self._at_once = 1
            return None
        rows = np.empty(room, RECORD)
        places = np.array(ends, np.uint64)
        kept = library().compressed_records(
            fetched, len(fetched), at, texts, places.ctypes.data, len(ends), room, rows.ctypes.data
        )
        is_whole = progress[0] == heads[len(ends) - 1, 1]
        self._at_once = min(2 * self._at_once, _MOST_BATCHES) if is_whole else 1
        return Packed(texts, rows[:kept])
