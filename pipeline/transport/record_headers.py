"""Records whose header names are not UTF-8: brokers take them, and aiokafka cannot read past one.

The protocol calls a header's name a string, but a client in C or Go may write any bytes there. aiokafka's parser raises
UnicodeDecodeError then, at every fetch of that partition. Once that has happened, `read_tolerantly` puts a parser in
its place that reads such a batch a second time, in Python, with replacement characters for what is not UTF-8.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy
from aiokafka.record.util import decode_varint_py

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)
_NEWEST_FORMAT: Final = 2  # the first one that has headers


class _TolerantBytes(bytearray):
    """Bytes whose slices decode, whatever they are."""

    def __getitem__(self, place: Any) -> Any:
        found: Any = super().__getitem__(place)
        return _TolerantBytes(found) if isinstance(place, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        del errors
        return super().decode(encoding, "replace")


class _TolerantBatch(_DefaultRecordBatchPy):  # type: ignore[misc] # aiokafka is untyped here
    _buffer: bytearray

    def __iter__(self) -> _TolerantBatch:
        self._maybe_uncompress()
        self._buffer = _TolerantBytes(self._buffer)
        return self

    def _read_msg(self, decode_varint: Any = decode_varint_py) -> Any:
        # aiokafka's fast one looks at bytes behind the buffer where a length in it lies: the process would be stopped
        return super()._read_msg(decode_varint)


class _Batch:
    """aiokafka's batch, read by its fast parser as far as that goes."""

    def __init__(self, batch: Any, raw: memoryview | None) -> None:
        self._batch = batch
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        read = 0
        try:
            for record in self._batch:
                yield record
                read += 1
        except UnicodeDecodeError:
            if self._raw is None:
                raise
            for number, record in enumerate(_TolerantBatch(self._raw)):
                if number >= read:
                    yield record


class _TolerantRecords(_MemoryRecordsPy):  # type: ignore[misc] # aiokafka is untyped here
    def next_batch(self, *arguments: Any) -> Any:
        raw = self._next_slice
        batch = super().next_batch(*arguments)
        if batch is None:
            return None
        has_headers = raw is not None and raw[self.MAGIC_OFFSET] >= _NEWEST_FORMAT
        return _Batch(batch, raw if has_headers else None)


def read_tolerantly() -> None:
    """Have all consumers of this process read header names that are not UTF-8, from the next fetch on."""
    if fetcher.MemoryRecords is not _TolerantRecords:
        logger.warning("a record's header has a name that is not UTF-8: it is read with replacement characters")
        fetcher.MemoryRecords = _TolerantRecords
