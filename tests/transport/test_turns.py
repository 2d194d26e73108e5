"""Whose records are taken next: no broker, no fetcher."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.transport.packed import RECORD, Packed
from pipeline.transport.ports import TP
from pipeline.transport.turns import PATIENCE_ROUNDS, PATIENCE_SLICES, Turns, order_of
from schemas.topics import COSTS, LOGINS, TOUCHES, TRANSACTIONS

NOW = 1_000_000
TOUCHED, PAID, LOGGED_IN = TP(TOUCHES, 0), TP(TRANSACTIONS, 0), TP(LOGINS, 0)


def run_to(timestamp: int) -> Packed:
    rows = np.zeros(2, RECORD)
    rows["timestamp"] = [0, timestamp]
    return Packed(b"", rows)


def test_the_topic_that_is_furthest_behind_is_next_and_touches_come_before_their_equals() -> None:
    turns, shard = Turns(), [PAID, TOUCHED]
    assert turns.next_of(shard, NOW) == TOUCHED
    turns.took(TOUCHED, [run_to(100)], shard)
    assert turns.next_of(shard, NOW) == PAID  # nothing is known of it
    turns.took(PAID, [run_to(300)], shard)
    assert turns.next_of(shard, NOW) == TOUCHED
    turns.took(TOUCHED, [run_to(200), run_to(300)], shard)
    assert turns.next_of(shard, NOW) == TOUCHED
    turns.took(TOUCHED, [run_to(301)], shard)
    assert turns.next_of(shard, NOW) == PAID


def test_a_clock_that_is_ahead_of_now_tells_nothing_and_nor_do_records_without_time() -> None:
    turns, shard = Turns(), [PAID, TOUCHED]
    turns.took(PAID, [run_to(NOW + 1)], shard)
    turns.took(TOUCHED, [run_to(5)], shard)
    assert turns.next_of(shard, NOW) == PAID
    turns.took(PAID, [[SimpleNamespace(timestamp=None)]], shard)
    assert turns.next_of(shard, NOW) == PAID
    turns.took(PAID, [[SimpleNamespace(timestamp=6)]], shard)
    assert turns.next_of(shard, NOW) == TOUCHED


def test_shards_take_turns_those_whose_topics_are_all_there_first() -> None:
    turns = Turns()
    arrived = [TP(LOGINS, 2), TP(TOUCHES, 1), TP(TRANSACTIONS, 2), TP(COSTS, 3)]
    second, first, third = [arrived[0], arrived[2]], [arrived[1]], [arrived[3]]
    assert turns.shards(arrived) == [second, first, third]
    turns.took(arrived[0], [run_to(1)], second)
    assert turns.shards(arrived) == [first, third, second]
    assert turns.shards(arrived, {1}) == [third, second, first]
    turns.took(arrived[3], [], third)
    assert turns.shards(arrived) == [first, second, third]
    assert turns.shards(arrived, {1, 2}) == [third, first, second]


@given(st.integers(1, 20), st.data())
def test_a_shard_of_which_something_is_under_way_has_its_turn_at_last(count: int, data: st.DataObject) -> None:
    turns, arrived = Turns(), [TP(LOGINS, number) for number in range(count)]
    waited = [0] * count
    for _ in range(100):
        under_way = data.draw(st.sets(st.integers(0, count - 1)))
        first = turns.shards(arrived, under_way)[0]
        turns.took(first[0], [run_to(1)], first)
        waited = [0 if number == first[0].partition else rounds + 1 for number, rounds in enumerate(waited)]
        assert max(waited) <= (PATIENCE_ROUNDS + 1) * count


def test_touches_of_one_fetch_are_handed_over_first() -> None:
    assert sorted([LOGGED_IN, PAID, TOUCHED], key=order_of) == [TOUCHED, LOGGED_IN, PAID]


@given(st.lists(st.integers(-1, 2 * NOW), min_size=1), st.integers(1, 200))
def test_whatever_the_timestamps_say_every_partition_gets_its_turn(stamps: list[int], slices: int) -> None:
    turns, shard = Turns(), [LOGGED_IN, PAID, TOUCHED]
    waited = dict.fromkeys(shard, 0)
    for number in range(slices):
        served = turns.next_of(shard, NOW)
        turns.took(served, [run_to(stamps[number % len(stamps)])], shard)
        waited = {tp: 0 if tp == served else count + 1 for tp, count in waited.items()}
        assert max(waited.values()) <= PATIENCE_SLICES + 1  # two may be due at once
