"""Compares the reader of record batches with aiokafka's on bodies with odd bytes in them; see `tests.native.fuzz`."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from aiokafka import codec
from aiokafka.record.default_records import DefaultRecordBatchBuilder, _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy
from aiokafka.record.util import decode_varint_py

from pipeline.native.library import NOBODY, library
from pipeline.transport.packed import RECORD, Packed
from pipeline.transport.runs import BATCH_HEAD
from pipeline.transport.unpacking import LEAST_RECORD, decompressed, unpacked

if TYPE_CHECKING:
    from random import Random

    import numpy.typing as npt

_HEAD: Final = _DefaultRecordBatchPy.HEADER_STRUCT
_ENCODERS: Final = ((0, bytes), (2, codec.snappy_encode), (3, codec.lz4_encode))
_SIZES: Final = (None, 0, 1, 5, 63, 64, 130)
Row = tuple[int, int, bytes | None, bytes | None]


def fuzz_batches(inputs: int, random: Random) -> str:
    """Compare; return how many batches there were, and how many of them the compiled reader was sure of.

    Raises:
        SystemExit: the two disagree; the message has the batch.
    """
    sure = 0
    for _ in range(inputs):
        _compare_fetch(random)
        _compare_compressed(random)
        raw = _odd(_batch(random), random)
        found = _read(raw)
        if found is None:
            continue
        sure += 1
        if found != _as_aiokafka(raw, found):
            raise SystemExit(f"the two readers disagree on {raw!r}")
    return f"{inputs} batches, sure of {sure}"


def _batch(random: Random) -> bytearray:
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, 0, 0, 1 << 20)
    for place in range(random.randint(1, 5)):
        key, value = (None if size is None else random.randbytes(size) for size in random.choices(_SIZES, k=2))
        headers = [
            ("h" * random.randint(0, 2), random.choice((None, b"", b"x"))) for _ in range(random.choice((0, 0, 2)))
        ]
        builder.append(place, random.randint(0, 1 << 42), key, value, headers)
    return bytearray(builder.build())


def _odd(raw: bytearray, random: Random) -> bytes:
    _spoil(raw, random.choice((0, 1, 1, 2, 4)), random, _HEAD.size)
    end = len(raw) - random.choice((0, 0, 0, 1, random.randrange(len(raw) - _HEAD.size)))
    return bytes(raw[:end])


def _read(raw: bytes) -> list[Row] | None:
    base, *_, first, newest, _, _, _, count = _HEAD.unpack_from(raw)
    body = raw[_HEAD.size :]
    memory = ctypes.create_string_buffer(body, len(body))  # a byte more and the sanitizer sees it
    rows = np.empty(count, RECORD)
    head = BATCH_HEAD.pack(base, first, newest, 0, count, 0)
    kept = library().batch_records(ctypes.cast(memory, ctypes.c_char_p), len(body), head, rows.ctypes.data)
    if kept == NOBODY:
        return None
    found = Packed(body, rows[:kept])
    return _rows(found)


class _Batch(_DefaultRecordBatchPy):  # type: ignore[misc] # aiokafka is untyped here
    def _read_msg(self, decode_varint: Any = decode_varint_py) -> Any:
        return super()._read_msg(decode_varint)  # its fast one looks at bytes behind the buffer


def _as_aiokafka(raw: bytes, found: list[Row]) -> list[Row] | str:
    rows: list[Row] = []
    try:
        for record in _Batch(bytearray(raw)):
            if record.offset >= (rows[-1][0] + 1 if rows else 0):
                rows.append((record.offset, record.timestamp, record.key, record.value))
    except Exception as error:  # noqa: BLE001 - whatever it is, the compiled reader must not have been sure
        if isinstance(error.__context__, UnicodeDecodeError):
            return found  # a header's name that is no text: such records are to be read, and aiokafka cannot
        return repr(error)
    return rows


def _compare_fetch(random: Random) -> None:
    """Compare what is taken of several batches at once; their heads may be odd, sums are not looked at.

    Now and then the place to begin at is the fetch's end, or not of the fetch at all.
    """
    raw = bytearray(b"".join(_placed(_batch(random), place) for place in range(random.randint(1, 4))))
    _spoil(raw, random.choice((0, 0, 1, 2)), random)
    fetched = bytes(raw[: len(raw) - random.choice((0, 0, 1, random.randrange(len(raw))))])
    memory = ctypes.create_string_buffer(fetched, len(fetched))
    start = random.choice((0, 0, 3, 11))
    place = random.choice((0, 0, 0, 0, len(fetched), len(fetched) + 1, -1, -(10**9)))
    progress = np.array([place, start], np.int64)
    text, at = ctypes.cast(memory, ctypes.c_char_p), progress.ctypes.data
    count = library().plain_count(text, len(fetched), at, random.choice((0, 4, 1000)))
    rows = np.empty(count, RECORD)
    kept = library().plain_records(text, len(fetched), at, False, count, rows.ctypes.data)
    end, behind = progress.tolist()
    if place:
        if (count, kept, end, behind) != (0, 0, place, start):
            raise SystemExit(f"records of a place ({place}) that has none: {fetched!r}")
        return
    found = Packed(fetched, rows[:kept])
    _expect(fetched, end, start, (_rows(found), behind))


def _compare_compressed(random: Random) -> None:
    """Compare what is taken of several compressed batches at once, whose heads and records may be odd.

    The compiled reader is given what aiokafka's codec makes of each, or the fetch's own bytes: any that are there.
    """
    raw = bytearray(b"".join(_placed(_packed(_batch(random), random), place) for place in range(random.randint(1, 4))))
    _spoil(raw, random.choice((0, 0, 0, 1)), random)
    fetched = bytes(raw[: len(raw) - random.choice((0, 0, 0, 1, random.randrange(len(raw))))])
    memory = ctypes.create_string_buffer(fetched, len(fetched))
    start = random.choice((0, 0, 3, 11))
    progress = np.array([random.choice((0, 0, 0, len(fetched) + 1, -1)), start], np.int64)
    text, at = ctypes.cast(memory, ctypes.c_char_p), progress.ctypes.data
    heads = np.empty((random.choice((1, 8)), 4), np.uint64)
    listed = library().compressed_batches(
        text, len(fetched), at, False, random.choice((0, 4, 1000)), len(heads), heads.ctypes.data
    )
    pieces = [
        (begin, end, decompressed(number, memoryview(fetched)[begin:end]))
        for begin, end, number, _ in heads[:listed].tolist()
    ]
    _compare_unpacked(fetched, heads[:listed], [piece for *_, piece in pieces])
    texts = [fetched[begin:end] if piece is None else piece for begin, end, piece in pieces]
    whole = b"".join(texts)
    ends = np.cumsum([len(piece) for piece in texts], dtype=np.uint64)
    room = random.choice((0, 3, 100))
    rows = np.empty(room, RECORD)
    body = ctypes.create_string_buffer(whole, max(1, len(whole)))
    kept = library().compressed_records(
        text, len(fetched), at, ctypes.cast(body, ctypes.c_char_p), ends.ctypes.data, listed, room, rows.ctypes.data
    )
    end, behind = progress.tolist()
    if not listed or not end or any(piece is None for *_, piece in pieces):
        return
    found = Packed(whole, rows[:kept])
    _expect(fetched, end, start, (_rows(found), behind))


def _compare_unpacked(fetched: bytes, heads: npt.NDArray[np.uint64], pieces: list[bytes | None]) -> None:
    """Compare what is unpacked at once with what the codecs make of each batch."""
    sound: list[bytes] = []
    for piece, count in zip(pieces, heads[:, 3].tolist(), strict=True):
        if piece is None or count > len(piece) // LEAST_RECORD:
            break
        sound.append(piece)
    found = unpacked(fetched, heads)
    if (found.texts, len(found.ends)) != (b"".join(sound), len(sound)):
        raise SystemExit(f"{heads.tolist()} of {fetched!r} are unpacked otherwise than one by one")


def _expect(fetched: bytes, end: int, start: int, taken: tuple[list[Row], int]) -> None:
    """Compare what was taken up to a place with what aiokafka reads there one batch after another."""
    expected = _one_by_one(fetched[:end], start)
    if expected is not None and expected != taken:
        raise SystemExit(f"the two readers disagree on {fetched!r}")


def _rows(found: Packed) -> list[Row]:
    columns: list[Any] = [found.rows["offset"].tolist(), found.rows["timestamp"].tolist()]
    return list(zip(*columns, found.column("key"), found.column("value"), strict=True))


def _spoil(raw: bytearray, times: int, random: Random, first: int = 0) -> None:
    """Put odd bytes in places from the first one on."""
    for _ in range(times):
        raw[random.randrange(first, len(raw))] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))


def _packed(raw: bytearray, random: Random) -> bytearray:
    """Compress a batch's records, of which a byte may be odd."""
    head, body = raw[: _HEAD.size], raw[_HEAD.size :]
    _spoil(body, random.choice((0, 0, 0, 1)), random)
    number, encode = random.choice(_ENCODERS)
    packed = encode(bytes(body))
    head[8:12] = (len(packed) + _HEAD.size - 12).to_bytes(4, "big")
    head[22] |= number
    return head + packed


def _placed(raw: bytearray, place: int) -> bytes:
    raw[:8] = (10 * place).to_bytes(8, "big")
    return bytes(raw)


def _one_by_one(fetched: bytes, start: int) -> tuple[list[Row], int] | str | None:
    """Return the same as aiokafka reads it, its complaint, or None where it cannot read what is to be read."""
    rows: list[Row] = []
    records = _MemoryRecordsPy(fetched)
    while records.has_next():
        batch = _Batch(bytearray(records._next_slice))
        records.next_batch()
        try:
            for record in batch:
                if record.offset >= start:
                    rows.append((record.offset, record.timestamp, record.key, record.value))
                    start = record.offset + 1
        except Exception as error:  # noqa: BLE001 - as in _as_aiokafka
            return None if isinstance(error.__context__, UnicodeDecodeError) else repr(error)
        start = batch.next_offset
    return rows, start
