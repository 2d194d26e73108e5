from __future__ import annotations

import tracemalloc
from itertools import repeat

from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.lines import batches_of_lines


def lines_of(chunks: list[bytes], longest: int = 1_000) -> list[bytes]:
    return [line for batch in batches_of_lines(chunks, longest) for line in batch]


@given(st.lists(st.lists(st.sampled_from([b"a", b"\n", b"\r\n", b"xyz"])).map(b"".join)))
def test_lines_do_not_depend_on_where_the_text_was_cut(chunks: list[bytes]) -> None:
    whole = b"".join(chunks).split(b"\n")
    assert lines_of(chunks) == (whole if whole[-1] else whole[:-1])


def test_too_long_line_keeps_more_than_the_limit_and_its_neighbours_are_whole() -> None:
    chunks = [b"before\n" + b"x" * 600, b"x" * 600, b"x" * 600, b"x" * 600, b"x\nafter"]
    before, long, after = lines_of(chunks)
    assert (before, after) == (b"before", b"after")
    assert 1_000 < len(long) <= 1_600


def test_endless_line_needs_little_memory() -> None:
    tracemalloc.start()
    try:
        batches = batches_of_lines(repeat(b"x" * 10_000, 5_000), longest=100_000)
        assert [len(line) for batch in batches for line in batch] == [110_000]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000
