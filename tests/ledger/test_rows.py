from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies

from pipeline.clickhouse.native import Body, NativeTable, varint
from pipeline.ledger.rows import COLUMNS
from pipeline.state.rows import CELL_WIDTH, FULL, CellColumns, CellRow
from tests.ledger.building import block_of, letter, part, touch_facts
from tests.support.fakes import rows_of
from tests.support.fakes_native import NativeReader

LENGTHS = (0, 1, 15, 16, 127, 128, 129, 16_383, 16_384)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("letter_of", ["a", "é", "客", "\U0001f600"])
def test_texts_of_any_length_come_back(length: int, letter_of: str) -> None:
    texts = ["", letter_of * length, "z"]
    body = NativeTable([("text", "String")]).block(3, {"text": texts})
    assert NativeReader(body).blocks() == [([("text", "String")], [(text,) for text in texts])]


@pytest.mark.parametrize("count", [1, 15, 16, 127, 128, 65_535, 65_536])
def test_any_number_of_rows_comes_back(count: int) -> None:
    table = NativeTable([("number", "Int64"), ("fixed", "UInt8"), ("empty", "String"), ("measures", "Array(Int64)")])
    body = table.block(count, {"number": list(range(-1, count - 1)), "fixed": 9, "measures": list(range(2 * count))})
    ((_, rows),) = NativeReader(body).blocks()
    assert len(rows) == count
    assert rows[0] == (-1, 9, "", [0, 1])
    assert rows[-1] == (count - 2, 9, "", [2 * count - 2, 2 * count - 1])


def test_lengths_are_written_in_groups_of_seven_bits() -> None:
    assert [varint(number) for number in (0, 127, 128, 300, 16_384)] == [
        b"\x00",
        b"\x7f",
        b"\x80\x01",
        b"\xac\x02",
        b"\x80\x80\x01",
    ]


TEXTS = strategies.text(strategies.characters(exclude_categories=["Cs"]), max_size=70)
INT64 = strategies.integers(-(1 << 63), (1 << 63) - 1)


UINT64 = strategies.integers(0, (1 << 64) - 1)


@given(strategies.lists(strategies.tuples(TEXTS, INT64, UINT64), min_size=1, max_size=20))
def test_any_values_come_back(rows: list[tuple[str, int, int]]) -> None:
    table = NativeTable([("text", "String"), ("signed", "Int64"), ("version", "UInt64"), ("measures", "Array(Int64)")])
    texts, signed, versions = zip(*rows, strict=True)
    columns: dict[str, Any] = {
        "text": list(texts),
        "signed": list(signed),
        "version": list(versions),
        "measures": list(signed),
    }
    ((_, found),) = NativeReader(table.block(len(rows), columns)).blocks()
    assert found == [(*row, [row[1]]) for row in rows]


SHEETS = strategies.lists(
    strategies.tuples(strategies.integers(1, 4), strategies.integers(0, 7), TEXTS), min_size=1, max_size=6
)


@given(SHEETS)
def test_sheets_are_joined_to_one_block_with_the_rows_of_all(shapes: list[tuple[int, int, str]]) -> None:
    table = NativeTable([("text", "String"), ("measures", "Array(Int64)"), ("number", "UInt32")])
    wished = [
        (text, list(range(row * width, (row + 1) * width)), width)
        for count, width, text in shapes
        for row in range(count)
    ]
    sheets = [
        table.sheet(count, {"text": text, "measures": range(count * width), "number": width})
        for count, width, text in shapes
    ]
    assert [rows for _, rows in NativeReader(table.joined(sheets)).blocks()] == [wished]


@given(strategies.lists(strategies.one_of(strategies.binary(max_size=9), strategies.integers(0, 300_000).map(bytes))))
def test_a_body_is_sent_in_few_pieces_any_number_of_times(parts: list[bytes]) -> None:
    body = Body([memoryview(part) if number % 2 else part for number, part in enumerate(parts)])
    for _ in range(2):
        pieces = [bytes(piece) for piece in body]
        assert b"".join(pieces) == bytes(body) == b"".join(parts)
        assert len(pieces) <= 1 + 2 * len(body) // (1 << 18)
    assert len(body) == sum(map(len, parts))


def test_a_block_of_several_shards_is_one_for_the_engine() -> None:
    block = block_of(part(1), part(2, touches=touch_facts("t")), part(3))
    assert len(NativeReader(block.body).blocks()) == 1
    assert len(rows_of(block.body)) == block.rows == 4


def test_a_number_that_its_column_cannot_hold_is_an_error_here_and_not_in_the_ledger() -> None:
    with pytest.raises(OverflowError):
        NativeTable([("number", "Int64")]).block(1, {"number": [1 << 63]})


def test_a_block_counts_the_rows_it_has() -> None:
    nothing = block_of()
    assert (bytes(nothing.body), nothing.rows) == (b"", 0)
    full = part(3, touches=touch_facts("é" * 64, "b"))._replace(dead_letters=[letter(5, "x" * 300)])
    block = block_of(full, part(0))
    rows = rows_of(block.body)
    assert len(rows) == block.rows == 5
    assert {row.kind for row in rows} == {"touch", "dead_letter", "position"}
    assert {row.version for row in rows} == {1 << 32 | 1}
    assert [row.detail for row in rows if row.kind == "dead_letter"] == ["x" * 300]


def test_every_column_of_a_touch_is_what_was_learnt() -> None:
    (row, _) = rows_of(block_of(part(3, touches=touch_facts("t", variant="b"))).body)
    values = row._asdict()
    assert list(values) == [name for name, _ in COLUMNS]
    assert {name: value for name, value in values.items() if value not in ("", 0)} == {
        "kind": "touch",
        "shard": 3,
        "campaign_id": "spring",
        "label": "b",
        "at": 1_000,
        "id": "t",
        "customer": "000102030405060708090a0b0c0d0e0f",
        "tier": "A",
        "channel": "app",
        "category": "send",
        "flags": 5,
        "measures": [5],
        "source": 7,
        "version": 1 << 32 | 1,
    }


@given(
    strategies.lists(
        strategies.lists(strategies.integers(-(1 << 66), 1 << 66), min_size=CELL_WIDTH, max_size=CELL_WIDTH),
        min_size=1,
        max_size=5,
    )
)
def test_cells_of_any_size_are_rows_that_add_up(cells: list[list[int]]) -> None:
    columns = CellColumns()
    for at, measures in enumerate(cells):
        columns.add(CellRow(f"c{at}", "A", 0, 0, 0, 7, measures))
    block = part(0, cells={"tier": columns})
    rows = [row for row in rows_of(block_of(block).body) if row.kind == "tier"]
    assert len({row.identity for row in rows}) == len(rows)
    for at, measures in enumerate(cells):
        own = [row.measures for row in rows if row.campaign_id == f"c{at}"]
        assert [sum(column) for column in zip(*own, strict=True)] == measures
        assert len(own) == 1 or max(map(abs, measures)) >= FULL
