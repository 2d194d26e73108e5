from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.ingest.ordering import TimeOrder

if TYPE_CHECKING:
    from pathlib import Path


@given(times=st.lists(st.integers(-5, 5), max_size=60), run_bytes=st.sampled_from([1, 700, 3_000, 1 << 20]))
def test_records_come_back_by_time_and_then_as_they_came(times: list[int], run_bytes: int) -> None:
    order = TimeOrder(run_bytes)
    for number, at in enumerate(times):
        order.add(at, ("topic", str(number).encode(), None if number % 7 == 0 else b"value"))
    assert len(order) == len(times)
    expected = [str(number).encode() for number, _ in sorted(enumerate(times), key=lambda item: item[1])]
    drained = list(order.drain())
    assert [key for _, key, _ in drained] == expected
    assert all((value is None) == (int(key) % 7 == 0) for _, key, value in drained)
    assert not list(order.drain())


def test_nothing_is_left_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    order = TimeOrder(run_bytes=1)
    order.add(2, ("topic", b"b", b"raw id"))
    order.add(1, ("topic", b"a", b"raw id"))
    assert not list(tmp_path.iterdir())
    assert [key for _, key, _ in order.drain()] == [b"a", b"b"]


def test_a_full_disk_names_the_directory_and_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    order = TimeOrder(run_bytes=1)
    with pytest.raises(UserError, match=r"cannot be sorted in .*missing.*TMPDIR"):
        order.add(2, ("topic", b"b", None))
