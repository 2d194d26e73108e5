from __future__ import annotations

from pipeline.transport.guards import FEWEST_STRAY_KEYS, BadShareGuard, PartitionerGuard


def test_bad_share_at_the_limit_is_allowed() -> None:
    guard = BadShareGuard(limit=0.5, window=10)
    assert not guard.observe(good=5, bad=5)


def test_bad_share_over_the_limit_is_told() -> None:
    guard = BadShareGuard(limit=0.5, window=10)
    assert guard.observe(good=4, bad=6)


def test_bad_events_before_the_window_is_full_say_nothing() -> None:
    guard = BadShareGuard(limit=0.5, window=10)
    assert not guard.observe(good=0, bad=9)
    assert guard.observe(good=0, bad=1)


def test_bad_events_leave_the_window_again() -> None:
    guard = BadShareGuard(limit=0.5, window=10)
    guard.observe(good=0, bad=5)
    assert not guard.observe(good=5, bad=0)
    assert not guard.observe(good=5, bad=0)
    assert not guard.observe(good=1, bad=5)


def test_good_history_does_not_hide_a_flood_for_longer_than_the_window() -> None:
    guard = BadShareGuard(limit=0.5, window=10)
    guard.observe(good=1_000_000, bad=0)
    assert guard.observe(good=0, bad=11)


def test_only_a_full_window_is_full() -> None:
    guard = BadShareGuard(limit=0.5, window=10)
    guard.observe(good=9, bad=0)
    assert not guard.is_full
    guard.observe(good=1, bad=0)
    assert guard.is_full


def keys(count: int, *, first: int = 0) -> list[bytes]:
    return [b"c%d" % number for number in range(first, first + count)]


def test_a_small_topic_spread_by_another_hash_is_told() -> None:
    guard = PartitionerGuard(window=1000)
    assert not guard.observe(20, keys(FEWEST_STRAY_KEYS - 1))
    assert guard.observe(20, keys(1, first=100))


def test_one_customers_misplaced_events_are_no_other_hash() -> None:
    guard = PartitionerGuard(window=1000)
    assert not guard.observe(500, [b"the same"] * 500)


def test_some_misplaced_keys_among_many_good_ones_are_no_other_hash() -> None:
    guard = PartitionerGuard(window=1000)
    assert not guard.observe(1357, [])
    assert not guard.observe(250, keys(250))
    assert guard.observe(1000, keys(251))


def test_misplaced_keys_leave_the_window_again() -> None:
    guard = PartitionerGuard(window=100)
    assert not guard.observe(15, keys(15))
    assert not guard.observe(100, [])
    assert not guard.observe(1, keys(1, first=50))
    assert (guard.events, guard.strays) == (101, 1)
