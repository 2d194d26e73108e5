from __future__ import annotations

from bench.backlog import Backlog
from bench.owning import shards_owned
from bench.processes import Compared, process_rows


def test_what_two_would_do_where_cores_allow_is_told_by_the_slower_one() -> None:
    found = Compared(Backlog(1_000, 1_000, 4.0, (2.0,)), Backlog(1_000, 1_000, 5.0, (1.25, 1.0)))
    assert found.would_be == 1.6
    one, two, derived = process_rows("kafka", found)
    assert one.beside == "2.00 s CPU for 1,000 events"
    assert two.beside == "0.80 times one here, 1.12 times its CPU: 1.25 and 1.00 s"
    assert derived.result == "would read 1.60 times as fast as one"
    assert derived.beside == "2.00 s of one / 1.25 s of the slower of two; below the target of 1.8"


def test_two_halves_of_the_work_would_be_twice_as_fast_also_where_more_was_read() -> None:
    found = Compared(Backlog(1_000, 1_000, 4.0, (2.0,)), Backlog(2_000, 2_000, 4.0, (2.0, 2.0)))
    assert found.would_be == 2.0
    assert process_rows("kafka", found)[2].beside.endswith("at least the target of 1.8")


def test_owned_shards_are_read_where_a_worker_tells_them() -> None:
    told = "# TYPE roi_shards_owned gauge\nroi_shards_owned 8.0\nroi_shards_owned_ever 9.0\n"
    assert shards_owned(told) == 8
    assert shards_owned("") == 0
