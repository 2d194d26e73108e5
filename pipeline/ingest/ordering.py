"""Records in order of their events' time, whatever their number: sorted runs in files without a name, then merged."""

from __future__ import annotations

import tempfile
from heapq import merge
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.ingest.ports import Record

RUN_BYTES: Final = 24 << 20
"""Size of the records that are sorted in memory at a time, with `_OVERHEAD` for each."""

_OVERHEAD: Final = 300
_BLOCK: Final = 500
_MOST_RUNS: Final = 64  # open files; beyond it they are merged into one
_LENGTH_BYTES: Final = 4


class _Timed(NamedTuple):
    at: int
    number: int
    topic: str
    key: bytes
    value: bytes | None


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(list[_Timed])


class TimeOrder:
    """Takes records in any order and gives them back by time; those of one time keep the order in which they came.

    Memory is bounded by `RUN_BYTES`. The files have no name, so that nothing is left of them however this process
    ends; their directory is that of ``TMPDIR``.
    """

    def __init__(self, run_bytes: int = RUN_BYTES) -> None:
        self._run_bytes = run_bytes
        self._runs: list[IO[bytes]] = []
        self._held: list[_Timed] = []
        self._size = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, at: int, record: Record) -> None:
        """Take one record with its event's time in epoch milliseconds.

        Raises:
            UserError: the disk for sorting is full.
        """
        topic, key, value = record
        self._held.append(_Timed(at, self._count, topic, key, value))
        self._count += 1
        self._size += len(value or b"") + len(key) + _OVERHEAD
        if self._size >= self._run_bytes:
            self._held.sort()
            self._spill(self._held)
            self._held, self._size = [], 0
            if len(self._runs) >= _MOST_RUNS:
                runs, self._runs = self._runs, []
                self._spill(merge(*map(_read, runs)))

    def drain(self) -> Iterator[Record]:
        """Yield every record in order of time and forget them."""
        self._held.sort()
        runs, held = self._runs, self._held
        self._runs, self._held, self._size, self._count = [], [], 0, 0
        for timed in merge(*map(_read, runs), held) if runs else held:
            yield timed.topic, timed.key, timed.value

    def _spill(self, ordered: Iterable[_Timed]) -> None:
        try:
            file: Any = tempfile.TemporaryFile(prefix="roi-ingest-")  # noqa: SIM115 - read and closed when drained
            block: list[_Timed] = []
            for timed in ordered:
                block.append(timed)
                if len(block) == _BLOCK:
                    _write(file, block)
                    block = []
            _write(file, block)
            file.flush()
        except OSError as error:
            raise UserError(
                f"the events cannot be sorted in {tempfile.gettempdir()} ({error.strerror})",
                "set TMPDIR to a disk with room for the unpacked files, or send them as they come: --no-sort",
            ) from error
        self._runs.append(file)


def _write(file: IO[bytes], block: list[_Timed]) -> None:
    encoded = _ENCODER.encode(block)
    file.write(len(encoded).to_bytes(_LENGTH_BYTES, "little"))
    file.write(encoded)


def _read(file: IO[bytes]) -> Iterator[_Timed]:
    with file:
        file.seek(0)
        while length := file.read(_LENGTH_BYTES):
            yield from _DECODER.decode(file.read(int.from_bytes(length, "little")))
