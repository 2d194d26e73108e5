from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.figures import (
    Sample,
    Throughput,
    backtest_row,
    facts_row,
    judging_row,
    latency_row,
    memory_row,
    notice_row,
    percentile,
    recovery_row,
    replay_rows,
    throughput,
    throughput_rows,
    tick_rows,
    visible_latencies,
    whale_row,
)

HUNDRED = list(range(1, 101))
P = ("bank.logins.v1", 0)
Q = ("bank.logins.v1", 1)


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (0.991, 100), (1.0, 100), (0.001, 1)])
def test_percentile_is_the_nearest_rank(share: float, expected: int) -> None:
    assert percentile(HUNDRED[::-1], share) == expected


@given(st.lists(st.floats(allow_nan=False), min_size=1), st.floats(min_value=0.01, max_value=1))
def test_at_least_the_share_is_not_above_the_percentile(values: list[float], share: float) -> None:
    limit = percentile(values, share)
    assert limit in values
    assert sum(value <= limit for value in values) >= share * len(values) * (1 - 1e-9)


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 0.0), ([1.0], 1.1)])
def test_percentile_refuses_what_has_no_answer(values: list[float], share: float) -> None:
    with pytest.raises(ValueError, match="must"):
        percentile(values, share)


def test_throughput_counts_from_the_first_sample_to_the_first_that_shows_all() -> None:
    #        owns shards      first block            last block           nobody writes any more
    samples = [Sample(5, 0, 1.0), Sample(6, 3_000, 1.5), Sample(7, 4_000, 2.0), Sample(9, 4_000, 2.1)]
    assert throughput(samples) == Throughput(events=4_000, seconds=2, cpu_seconds=1.0)
    assert throughput(samples).rate == 2_000
    assert throughput(samples).cpu_microseconds == 250


@pytest.mark.parametrize("samples", [[], [Sample(0, 0, 0)], [Sample(0, 7, 0), Sample(1, 7, 1)]])
def test_throughput_refuses_what_shows_no_progress(samples: list[Sample]) -> None:
    with pytest.raises(ValueError, match="no progress"):
        throughput(samples)


def test_an_event_is_visible_at_the_first_poll_whose_position_lies_behind_it() -> None:
    # acks          0 1     2
    # polls       |     |        |
    # position    0     2        3
    accepted = {P: [(0, 1.0), (1, 1.5), (2, 3.0)]}
    polls = [(0.5, {}), (2.0, {P: 2}), (5.0, {P: 3})]
    assert visible_latencies(accepted, polls) == [1.0, 0.5, 2.0]


def test_partitions_do_not_vouch_for_each_other() -> None:
    polls = [(1.0, {P: 10}), (2.0, {P: 10, Q: 1})]
    assert visible_latencies({P: [(9, 0.0)], Q: [(0, 0.0)]}, polls) == [1.0, 2.0]


def test_an_answer_older_than_the_acknowledgement_counts_as_no_delay() -> None:
    assert visible_latencies({P: [(0, 2.0)]}, [(1.0, {P: 1})]) == [0.0]


def test_an_event_that_never_shows_is_an_error() -> None:
    with pytest.raises(ValueError, match="offset 4"):
        visible_latencies({P: [(4, 0.0)]}, [(1.0, {P: 4})])


def test_rows_compare_with_baseline_and_ceiling_of_the_same_run() -> None:
    speeds = {"ours": Throughput(1_000, 1, 0.5), "slow": Throughput(100, 1, 1), "fast": Throughput(2_000, 1, 1)}
    rows = throughput_rows("kafka", speeds, baseline="slow", ceiling="fast")
    assert [(row.measured, row.beside) for row in rows] == [
        ("slow", "5% of fast"),
        ("ours", "10.0 times slow, 50% of fast"),
        ("fast", "20.0 times slow"),
    ]
    assert rows[1].result == "1,000 events/s, 500.00 µs CPU an event"


def test_rows_need_no_peer() -> None:
    assert throughput_rows("tansu", {"ours": Throughput(10, 1, 1)}, baseline="x", ceiling="y")[0].beside == ""


def test_other_rows_show_their_figures() -> None:
    latency = latency_row(
        "tansu",
        {"wished_rate": 20_000, "rate": 19_990.4, "events": 1_000, "p50_ms": 150.2, "p99_ms": 480.6, "worst_ms": 501.0},
    )
    assert latency.measured == "accepted → visible at 20,000 events/s"
    assert latency.result == "p50 150 ms, p99 481 ms, worst 501 ms"
    assert latency.beside == "p99 within 1,000 ms; 1,000 events at 19,990/s"
    notice = notice_row(
        {
            "wished_rate": 20_000,
            "rate": 19_990.4,
            "notices": 30,
            "p50_ms": 1_150.2,
            "p99_ms": 2_480.6,
            "worst_ms": 2_501.0,
        }
    )
    assert (notice.result, notice.beside) == (
        "p50 1150 ms, p99 2481 ms, worst 2501 ms",
        "30 notices at 19,990 events/s",
    )
    whale = whale_row(
        {
            "core": "plain",
            "touches": 50,
            "transactions": 50,
            "in_order_us": 5.25,
            "late_p50_us": 20,
            "late_worst_us": 90,
        }
    )
    assert whale.measured == "one customer with 50 touches, 50 transactions, plain core"
    assert whale.result == "late event p50 20 µs, worst 90 µs"
    memory = memory_row(
        {"core": "native", "customers": 200, "live_touches": 100, "live_transactions": 300, "bytes_each": 742.4}
    )
    assert memory.measured == "state of 200 customers, compiled core"
    taken = recovery_row(
        {"core": "native", "customers": 200, "rows": 700, "seconds": 0.25, "customers_per_second": 800.0}
    )
    assert (taken.measured, taken.result) == ("take-over of 200 customers, compiled core", "0.25 s, 800 customers/s")
    judged = judging_row({"campaigns": 10_000, "below": 900, "p50_ms": 512.4, "worst_ms": 700})
    assert (judged.result, judged.beside) == ("p50 512 ms, worst 700 ms", "51 µs a campaign, 900 below")
    backtested = backtest_row(
        {"campaigns": 300, "looks": 300_000, "fired": 90, "seconds": 36.0, "read_seconds": 3.0, "memory_mb": 300.4}
    )
    assert backtested.result == "36.0 s, of which 3.0 s to read; 300 MB"
    assert backtested.beside == "300,000 looks, 120 µs each, 90 fired on"
    assert (memory.result, memory.beside) == ("742 bytes a customer", "each with 0.50 touches, 1.50 transactions")


def test_replays_stand_beside_the_ceiling_and_the_worker_of_their_run() -> None:
    alone, both = (Throughput(1_400, 1, 0.5), 600.0), (Throughput(2_100, 1, 1.0), 400.0)
    rows = replay_rows("kafka", Throughput(1_000, 1, 1), Throughput(2_000, 1, 1), {1: alone, 2: both})
    ceiling, held = "of bare aiokafka getmany", "at most %d MiB a process"
    assert [(row.measured, row.beside) for row in rows] == [
        ("bare aiokafka getmany", ""),
        ("a replay in 1 process", "70% of bare aiokafka getmany, 140% of the live path, at most 600 MiB a process"),
        ("a replay in 2 processes", f"1.50 times 1 process, 105% {ceiling}, 210% of the live path, {held % 400}"),
    ]


def test_the_rows_of_the_whole_tick_tell_it_with_and_without_a_new_minute() -> None:
    found: dict[str, float] = {"campaigns": 10_000, "changed": 50}
    found |= {f"{kind}{name}_seconds": 0.25 for kind in ("within", "minute") for name in ("", "_slowest", "_look")}
    rows = tick_rows(found)
    assert [row.measured for row in rows] == [
        "whole tick of 10,000 campaigns, 50 changed",
        "whole tick of 10,000 campaigns, a new minute, so that all grow older",
    ]
    assert {(row.result, row.beside) for row in rows} == {("p50 250 ms, worst 250 ms", "p50 of the look 250 ms")}


def test_the_row_of_the_facts_tells_a_tick_in_milliseconds() -> None:
    found = {"campaigns": 10_000, "changed": 50, "tick_seconds": 0.1194, "slowest_seconds": 0.31, "first_seconds": 41.6}
    row = facts_row(found)
    assert row.measured == "facts of 10,000 campaigns, 50 changed"
    assert row.result == "p50 119 ms, worst 310 ms"
    assert row.beside == "the first look 42 s"
