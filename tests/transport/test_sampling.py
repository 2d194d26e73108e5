from __future__ import annotations

from pipeline.transport.sampling import BadShareGuard


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
