"""Fetches as brokers answer them, made without a broker: record batches of every format and codec in a row."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from aiokafka.record._crc32c import crc as crc32c
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from hypothesis import strategies as st

BASE: Final = 100  # offset of the first batch
TRANSACTIONAL, CONTROL, APPEND_TIME = 0x10, 0x20, 0x08
_HEAD: Final = struct.Struct(">qiibIhiqqqhii")

Record = tuple[int, int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]


@dataclass(frozen=True)
class Batch:
    """A record batch: its records' places count from its own beginning."""

    records: list[Record]
    codec: int = 0
    attributes: int = 0
    producer: int = -1
    trailing: int = 0  # offsets behind the last record that compaction took
    magic: int = 2
    marker: int | None = None  # of a control batch: 0 abort, 1 commit
    damage: int | None = None


def texts() -> st.SearchStrategy[bytes | None]:
    return st.none() | st.binary(max_size=6) | st.binary(min_size=60, max_size=140)


@st.composite
def batches(draw: st.DrawFn, magics: tuple[int, ...] = (2, 2, 2, 2, 1, 0)) -> Batch:
    magic = draw(st.sampled_from(magics))
    places = sorted(draw(st.sets(st.integers(0, 30), min_size=1, max_size=8)))
    headers = st.lists(st.tuples(st.text(max_size=3), st.none() | st.binary(max_size=3)), max_size=2)
    records: list[Record] = [
        (place, draw(st.integers(0, 1 << 41)), draw(texts()), draw(texts()), draw(headers)) for place in places
    ]
    if magic < 2:
        codec = draw(st.sampled_from([0, 1, 2, 3] if magic else [0, 1, 2]))
        return Batch(records, codec, magic=magic)
    producer = draw(st.sampled_from([-1, 7, 8]))
    if producer >= 0 and draw(st.booleans()):
        if draw(st.booleans()):
            return Batch([], 0, TRANSACTIONAL | CONTROL, producer, marker=draw(st.integers(0, 1)))
        attributes = TRANSACTIONAL
    else:
        attributes = 0
    attributes |= draw(st.sampled_from([0, 0, APPEND_TIME]))
    damage = draw(st.none() | st.none() | st.none() | st.integers(0, 1000))
    return Batch(records, draw(st.integers(0, 4)), attributes, producer, draw(st.integers(0, 5)), damage=damage)


def encoded(batch: Batch, base: int) -> tuple[bytes, int]:
    """Return the batch's bytes and the offset behind it."""
    if batch.magic < 2:
        old = LegacyRecordBatchBuilder(batch.magic, batch.codec, 1 << 20)
        for place, (_, timestamp, key, value, _) in enumerate(batch.records):
            old.append(place if batch.codec else base + place, timestamp, key, value)
        raw = bytearray(old.build())
        if batch.codec:  # the broker writes the offset of the last record (format 1) or of the last one, absolute
            raw[:8] = (base + len(batch.records) - 1).to_bytes(8, "big")
        return bytes(raw), base + len(batch.records)
    records = batch.records
    if batch.marker is not None:
        records = [(0, 5, struct.pack(">hh", 0, batch.marker), b"\0" * 6, [])]
    new = DefaultRecordBatchBuilder(2, batch.codec, 0, batch.producer, 0, 0, 1 << 20)
    for place, timestamp, key, value, headers in records:
        new.append(place, timestamp, key, value, headers)
    raw = bytearray(new.build())
    last = records[-1][0] + batch.trailing
    return sealed(raw, base, batch.attributes, last, batch.damage), base + last + 1


def sealed(raw: bytearray, base: int, attributes: int, last: int, damage: int | None = None) -> bytes:
    """Write what the broker writes into a head, and the sum; damage is one odd byte below a right sum."""
    head = list(_HEAD.unpack_from(raw))
    head[0], head[5], head[6] = base, head[5] | attributes, last
    _HEAD.pack_into(raw, 0, *head)
    if damage is not None:
        at = _HEAD.size + damage % (len(raw) - _HEAD.size)
        raw[at] ^= 1 << damage % 8
    raw[17:21] = crc32c(bytes(raw[21:])).to_bytes(4, "big")
    return bytes(raw)


def with_length(raw: bytes | bytearray, place: int, length: int) -> bytearray:
    """Return a fetch whose batch at a place tells another length; no sum covers it."""
    odd = bytearray(raw)
    odd[place + 8 : place + 12] = length.to_bytes(4, "big", signed=True)
    return odd


@dataclass(frozen=True)
class Fetch:
    """A partition's answer, and the position that was asked for."""

    raw: bytes
    position: int
    aborted: list[tuple[int, int]] = field(default_factory=list)
    is_uniform: bool = False  # of the newest format alone, heads as they were made


@st.composite
def fetches(draw: st.DrawFn) -> Fetch:
    raw, offset = b"", BASE
    made = draw(st.lists(batches(), min_size=1, max_size=5))
    places = []
    for batch in made:
        piece, offset = encoded(batch, offset + draw(st.integers(0, 3)))
        places.append(len(raw))
        raw += piece
    aborted = draw(st.lists(st.tuples(st.sampled_from([7, 8]), st.integers(BASE, offset)), max_size=3))
    is_uniform = all(batch.magic == 2 for batch in made)
    answer = bytearray(raw)
    if draw(st.integers(0, 9)) == 0:  # a broken sum, or a broken head
        answer[draw(st.integers(0, len(answer) - 1))] ^= 1 << draw(st.integers(0, 7))
        is_uniform = False
    if draw(st.integers(0, 9)) == 0:  # a length below 0: back into what has been read, or far before it
        length = draw(st.integers(-len(raw) - 20, -1) | st.integers(-(1 << 31), -1))
        answer = with_length(answer, draw(st.sampled_from(places)), length)
        is_uniform = False
    cut = draw(st.sampled_from([0, 0, 1, 30]))
    return Fetch(bytes(answer[: len(answer) - cut]), draw(st.integers(BASE, BASE + 40)), aborted, is_uniform)
