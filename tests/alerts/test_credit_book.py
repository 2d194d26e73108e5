"""The book of credits: what blocks make of credits, whatever order their rows come in and however often."""

from __future__ import annotations

from typing import Final

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.credit_book import CREDITS, CreditBook

_NAMES: Final = ["autumn", "spring"]
# few keys, so that credits share half of one, and blocks write the same credit again
_KEYS: Final = st.sampled_from([1, 2, 1 << 63])
_ROWS: Final = st.lists(
    st.tuples(st.integers(0, 1), _KEYS, _KEYS, st.booleans(), st.integers(1, 40)),
    max_size=40,
    unique_by=lambda row: row[4],
)
Row = tuple[int, int, int, bool, int]


def _new(rows: list[Row]) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    found = np.zeros(len(rows), CREDITS)
    for at, (place, key, key2, booked, version) in enumerate(rows):
        found[at]["place"], found[at]["key"], found[at]["key2"] = place, key, key2
        found[at]["booked"], found[at]["version"], found[at]["returned"] = booked, version, version
        found[at]["transaction"] = key
    return found


def _asked(book: CreditBook, name: str) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    found: np.ndarray[tuple[int], np.dtype[np.void]] = book.late(name, np.array([1, 2, 1 << 63], np.uint64))
    return found


def _held(book: CreditBook, name: str) -> dict[tuple[int, int], int]:
    found = _asked(book, name)
    held = {(int(row["key"]), int(row["key2"])): int(row["returned"]) for row in found}
    assert len(held) == len(found) == book.size(name)
    return held


@given(blocks=st.lists(_ROWS, max_size=4), copies=st.integers(1, 2), asks=st.booleans())
def test_a_book_holds_each_credit_as_its_newest_block_has_it(
    blocks: list[list[Row]], copies: int, *, asks: bool
) -> None:
    book = CreditBook(splits=True)
    model: list[dict[tuple[int, int], int]] = [{}, {}]
    for name in _NAMES:
        book.enter(name, np.zeros(0, CREDITS))
    for number, block in enumerate(blocks):
        rows = [(*row[:4], row[4] + 100 * number) for row in block]  # later blocks have higher versions
        book.change(_NAMES, _new(rows * copies))
        if asks:  # what was put aside takes its place; else all of it does at the end
            for name in _NAMES:
                _held(book, name)
        for place, key, key2, booked, version in sorted(rows, key=lambda row: row[4]):
            if booked:
                model[place][key, key2] = version
            else:
                model[place].pop((key, key2), None)
    assert [_held(book, name) for name in _NAMES] == model


def test_a_campaign_that_is_about_to_be_read_takes_nothing() -> None:
    book = CreditBook(splits=False)
    book.change(_NAMES, _new([(0, 1, 1, True, 1)]))
    assert [book.size(name) for name in _NAMES] == [0, 0]


def test_many_credits_are_replaced_at_once() -> None:
    rows = [(0, key, 7, True, 1) for key in range(1, 1001)]
    book = CreditBook(splits=False)
    book.enter("autumn", np.zeros(0, CREDITS))
    book.change(["autumn"], _new(rows))
    book.change(["autumn"], _new([(0, key, 7 + key % 2, key % 3 == 0, 2) for key in range(1, 1001)]))
    _asked(book, "autumn")
    gone = sum(1 for key in range(1, 1001) if key % 2 == 0 and key % 3)
    more = sum(1 for key in range(1, 1001) if key % 2 and key % 3 == 0)
    assert book.size("autumn") == 1000 - gone + more
