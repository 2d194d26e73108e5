from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import TopicPartition, codec
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.record.memory_records import MemoryRecords, _MemoryRecordsPy
from aiokafka.record.util import calc_crc32c
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.native.library import is_built, library
from pipeline.transport import bulk, unpacking
from pipeline.transport.batches import run_batch, runs_before
from pipeline.transport.packed import Packed, joined, packed
from pipeline.transport.ports import TP
from pipeline.transport.record_headers import _TolerantRecords
from pipeline.transport.runs import runs
from tests.transport.record_batches import (
    APPEND_TIME,
    BASE,
    TRANSACTIONAL,
    Batch,
    Fetch,
    batches,
    encoded,
    fetches,
    sealed,
    with_length,
)

if TYPE_CHECKING:
    from pipeline.transport.ports import RecordBatch

pytestmark = pytest.mark.skipif(not is_built(), reason="the native core is not built here")
Row = tuple[int, bytes | None, bytes | None, int]
PACKED = Batch([(0, 5, b"k", b"v", [])], codec=1)
OF_A_TRANSACTION = Batch([(0, 5, b"k", b"v", [])], codec=0, attributes=TRANSACTIONAL, producer=7)


def source(fetch: Fetch, reader: Any) -> Any:
    tp = TopicPartition("t", 0)
    aborted = list(fetch.aborted)
    return PartitionRecords(tp, reader(fetch.raw), aborted, fetch.position, None, None, True, READ_COMMITTED)


def rows(batch: RecordBatch) -> list[Row]:
    assert batch.stamped == ((batch.timestamps[0], batch.timestamps[-1]) if batch.timestamps else None)
    return list(zip(batch.offsets, batch.keys, batch.values, batch.timestamps, strict=True))


def by_aiokafka(fetch: Fetch, reader: Any) -> tuple[list[Row], int | None, str | None]:
    found: list[Row] = []
    reading = source(fetch, reader)
    try:
        found.extend(
            (record.offset, record.key, record.value, -1 if record.timestamp is None else record.timestamp)
            for record in reading
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, both have to fail
        return found, None, repr(error)
    return found, reading.next_fetch_offset, None


def by_runs(fetch: Fetch, most: int = 1000) -> tuple[list[Row], int | None, str | None, list[Any]]:
    taken: list[Any] = []
    reading = source(fetch, _MemoryRecordsPy)
    position, failure = None, None
    try:
        taken.extend(runs(reading, most))
        position = reading.next_fetch_offset
    except Exception as error:  # noqa: BLE001 - whatever it is, both have to fail
        failure = repr(error)
    return rows(run_batch(TP("t", 0), taken, 0, 0, 1)), position, failure, taken


@settings(max_examples=250, deadline=None)
@given(fetches())
def test_runs_are_what_aiokafka_reads(fetch: Fetch) -> None:
    # its compiled reader takes the first batch's format for all: where these differ, its Python reader is the judge
    expected, position, failure = by_aiokafka(fetch, MemoryRecords if fetch.is_uniform else _MemoryRecordsPy)
    if failure is not None and failure.startswith("UnicodeDecodeError"):  # the second look that the worker takes
        expected, position, failure = by_aiokafka(fetch, _TolerantRecords)
    found, at, error, _ = by_runs(fetch)
    assert (at, error is None) == (position, failure is None)
    # a batch that breaks in its middle gives aiokafka's caller records that are read again: the fetch failed
    assert found == expected[: len(found)]
    assert failure is not None or len(found) == len(expected)


@settings(max_examples=60, deadline=None)
@given(batches(magics=(2,)).filter(lambda batch: batch.marker is None and batch.damage is None))
def test_sound_batches_are_read_by_the_compiled_core(batch: Batch) -> None:
    raw, end = encoded(batch, BASE)
    _, position, failure, taken = by_runs(Fetch(raw, BASE))
    assert (position, failure) == (end, None)
    assert [type(run) for run in taken] == [Packed]
    assert len(taken[0]) == len(batch.records)


@settings(max_examples=120, deadline=None)
@given(
    st.lists(batches(magics=(2,)).filter(lambda batch: batch.damage is None), min_size=1, max_size=8)
    | st.permutations([PACKED, PACKED, PACKED, OF_A_TRANSACTION]),
    st.data(),
)
def test_batches_of_no_transaction_come_at_once(made: list[Batch], data: st.DataObject) -> None:
    raw, offset, kinds = b"", BASE, []
    for one in made:
        piece, offset = encoded(one, offset)
        raw += piece
        kinds.append(None if one.attributes not in {0, APPEND_TIME} else "packed" if one.codec else "plain")
    broken = data.draw(st.sampled_from([None, *(place for place, kind in enumerate(kinds) if kind)]))
    if broken is not None:  # what stands before a broken sum is read
        start = sum(len(encoded(one, 0)[0]) for one in made[:broken])
        raw = raw[: start + 61] + bytes([raw[start + 61] ^ 1]) + raw[start + 62 :]
    *_, failure, taken = by_runs(Fetch(raw, BASE))
    assert (failure is not None) == (broken is not None)
    known = kinds[:broken]
    # a run for each stretch of a kind; what is not compressed stays where it lies
    found = ["plain" if run.texts is raw else "packed" for run in taken if isinstance(run, Packed)]
    singles = known.count(None)
    stretches = [kind for kind, before in zip(known, [None, *known], strict=False) if kind and kind != before]
    assert found.count("plain") == stretches.count("plain")
    assert stretches.count("packed") <= found.count("packed") <= stretches.count("packed") + singles


@pytest.mark.parametrize("most", [1, 4, 5, 1000])
def test_no_more_batches_are_taken_than_hold_so_many_records(most: int) -> None:
    raw, offset = b"", BASE
    for _ in range(6):
        piece, offset = encoded(Batch([(place, 5, b"k", b"v", []) for place in range(2)], codec=3), offset)
        raw += piece
    *_, failure, taken = by_runs(Fetch(raw, BASE), most)
    assert failure is None
    assert [len(run) for run in taken] == {1: [1] * 12, 4: [4] * 3, 5: [4] * 3, 1000: [12]}[most]


def test_batches_that_the_core_is_not_sure_of_have_few_others_unpacked_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, _ = encoded(Batch([(0, 5, b"k", b"v", [])], codec=0), BASE)
    odd = bytearray(one)
    odd[62] = 0x80  # a record's attributes: nobody uses them
    body = codec.lz4_encode(bytes(odd[61:]))
    raw = b""
    for place in range(300):
        head = bytearray(odd[:61])
        head[8:12] = (len(body) + 49).to_bytes(4, "big")
        head[22] = 3
        raw += sealed(head + body, BASE + place, 0, 0)
    batches: list[int] = []

    def counted(fetched: bytes, heads: Any) -> unpacking.Unpacked:
        given = unpacking.unpacked(fetched, heads)
        batches.append(len(given.ends))
        return given

    monkeypatch.setattr(bulk, "unpacked", counted)
    found, _, failure, _ = by_runs(Fetch(raw, BASE))
    assert failure is None
    assert len(found) == 300
    assert 300 <= sum(batches) < 3 * 300


@pytest.mark.parametrize("odd", [None, 0, 1, 2])
def test_lz4_of_several_frames_is_read_by_the_compiled_core_too(odd: int | None) -> None:
    raw, offset = b"", BASE
    for place in range(3):
        plain, end = encoded(Batch([(0, 5, b"k", b"v" * 100, []), (1, 6, b"k", None, [])]), offset)
        body = codec.lz4_encode(plain[61:90]) + codec.lz4_encode(plain[90:])
        if place == odd:  # such a frame is passed over by whoever reads lz4
            body += b"\x50\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc"
        head = bytearray(plain[:61])
        head[8:12] = (len(body) + 49).to_bytes(4, "big")
        head[22] = 3
        raw += sealed(head + body, offset, 0, 1)
        offset = end
    found, position, failure, taken = by_runs(Fetch(raw, BASE))
    assert (found, position, failure) == by_aiokafka(Fetch(raw, BASE), MemoryRecords)
    assert [type(run) for run in taken] == [Packed]
    assert len(found) == 6


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("length", [-1, -12, -13, -52, -10_000, -(10**9), -(1 << 31), "flipped", "to the first again"])
def test_a_length_below_zero_breaks_its_batch_and_none_before_it(place: int, length: int | str) -> None:
    raw, offset, places = b"", BASE, []
    for _ in range(3):
        places.append(len(raw))
        piece, offset = encoded(Batch([(number, 5, b"k", b"v", []) for number in range(3)]), offset)
        raw += piece
    size = len(raw) // 3 - 12
    known = {"flipped": size - (1 << 31), "to the first again": -places[place] - 12}
    odd = with_length(raw, places[place], known[length] if isinstance(length, str) else length)
    found, _, failure, _ = by_runs(Fetch(bytes(odd), BASE))
    assert failure is not None
    assert failure.startswith("CorruptRecordException")
    assert [row[0] for row in found] == list(range(BASE, BASE + 3 * place))


@pytest.mark.parametrize("plainly", [False, True])
@given(st.binary(max_size=200), st.integers(0, 9))
def test_the_sum_is_aiokafkas(plainly: bool, texts: bytes, start: int) -> None:  # noqa: FBT001 - a parameter of the test
    part = texts[start:]
    assert library().crc32c(part, len(part), plainly) == calc_crc32c(part)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(batches().filter(lambda batch: batch.damage is None), min_size=1, max_size=4),
    st.integers(0, 20),
    st.integers(0, 20),
)
def test_parts_of_a_packed_batch_are_those_of_its_lists(made: list[Batch], start: int, size: int) -> None:
    raw, offset = b"", BASE
    for one in made:
        piece, offset = encoded(one, offset)
        raw += piece
    *_, taken = by_runs(Fetch(raw, BASE))
    batch = run_batch(TP("t", 0), taken, offset, offset, 1)
    lists = run_batch(
        TP("t", 0), [list(source(Fetch(raw, BASE), _MemoryRecordsPy))] if taken else [], offset, offset, 1
    )
    assert len(batch) == len(lists)
    part, expected = batch.part(start, start + size), lists.part(start, start + size)
    assert rows(part) == rows(expected)
    assert (part.next_offset, part.tp, len(part)) == (expected.next_offset, expected.tp, len(expected))


@given(st.lists(st.lists(st.tuples(st.none() | st.binary(), st.none() | st.binary())), min_size=1))
def test_joined_parts_keep_their_texts(parts: list[list[tuple[bytes | None, bytes | None]]]) -> None:
    class Given:
        def __init__(self, key: bytes | None, value: bytes | None) -> None:
            self.offset, self.timestamp, self.key, self.value = 1, 2, key, value

    whole = joined([packed([Given(*pair) for pair in part]) for part in parts])
    pairs = [pair for part in parts for pair in part]
    assert list(zip(whole.column("key"), whole.column("value"), strict=True)) == pairs


@settings(max_examples=100, deadline=None)
@given(fetches(), st.integers(1, 4))
def test_a_reader_that_stops_after_any_run_goes_on_with_the_next_record(fetch: Fetch, most: int) -> None:
    whole, _, failure, _ = by_runs(fetch)
    offsets = [row[0] for row in whole]
    assume(offsets == sorted(set(offsets)))  # a broken head may tell any
    reading = source(fetch, _MemoryRecordsPy)
    found: list[Row] = []
    try:
        for run in runs(reading, most):
            assert len(run) <= most
            found += rows(run_batch(TP("t", 0), [run], 0, 0, 1))
            left = [row for row in whole if row[0] >= reading.next_fetch_offset]
            assert [*found, *left] == whole
    except Exception:
        if failure is None:
            raise


@given(batches().filter(lambda batch: batch.damage is None), st.integers(BASE - 1, BASE + 40))
def test_records_from_an_offset_on_can_be_left_out(batch: Batch, end: int) -> None:
    raw, _ = encoded(batch, BASE)
    found = list(runs(source(Fetch(raw, BASE), _MemoryRecordsPy), 1000))
    tp = TP("t", 0)
    kept = [row for row in rows(run_batch(tp, found, 0, 0, 1)) if row[0] < end]
    assert rows(run_batch(tp, runs_before(found, end), 0, 0, 1)) == kept
