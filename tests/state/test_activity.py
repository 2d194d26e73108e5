from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, strategies

from pipeline.state.activity import DORMANT_DAYS, Activity
from pipeline.state.records import Customer
from pipeline.state.rows import DayColumns, DayRow
from tests.state.rules import PROPERTY

LATENESS = 3
Login = tuple[int, int, bool]  # customer, day, engaged


def _in_time(logins: list[Login], random: Random) -> list[Login]:
    """Order logins as they may arrive: nobody's day lies more than the lateness behind the newest."""
    return sorted(logins, key=lambda login: login[1] + random.randint(0, LATENESS))


def _drained(activity: Activity, version: int = 1) -> list[DayRow]:
    columns = DayColumns()
    activity.drain_changes(version, columns)
    return columns.rows()


def _sums(activity: Activity, last: int) -> dict[int, list[int]]:
    """Return dau, wau, mau, gross mau and reactivated by day, as the view adds the changes up."""
    changes = {row.day: row.measures for row in _drained(activity)}
    found, running = {}, [0, 0, 0]
    for day in range(last + 1):
        dau, wau, mau, _, gross, reactivated = changes.get(day, [0] * 6)
        running = [running[0] + wau, running[1] + mau, running[2] + gross]
        found[day] = [dau, *running, reactivated]
    return found


def _brute_force(logins: list[Login], last: int) -> dict[int, list[int]]:
    people = {person for person, _, _ in logins}
    any_day = {person: {day for who, day, _ in logins if who == person} for person in people}
    days = {person: {day for who, day, engaged in logins if who == person and engaged} for person in people}
    found = {}
    for day in range(last + 1):

        def seen(sets: dict[int, set[int]], span: int, day: int = day) -> int:
            return sum(bool(own & set(range(day - span + 1, day + 1))) for own in sets.values())

        back = sum(
            day in own and any(other < day for other in own) and not own & set(range(day - DORMANT_DAYS, day))
            for own in days.values()
        )
        found[day] = [seen(days, 1), seen(days, 7), seen(days, 30), seen(any_day, 30), back]
    return found


@PROPERTY
@given(
    strategies.lists(
        strategies.tuples(
            strategies.integers(0, 2),
            strategies.sampled_from(
                (0, 1, 6, 7, 8, 29, 30, 31, 89, 90, 91, 92, 120, 180, 181, 182, 183, 212, 300, 430)
            ),
            strategies.booleans(),
        ),
        max_size=25,
    ),
    strategies.integers(0, 99),
)
def test_rolling_counts_equal_sets_of_days_counted_by_hand(logins: list[Login], seed: int) -> None:
    activity, people = Activity(LATENESS), dict[int, Customer]()
    for person, day, engaged in _in_time(logins, Random(seed)):
        customer = people.setdefault(person, Customer(bytes([person]), "A"))
        activity.add(customer, day, engaged=engaged)
    last = max((day for _, day, _ in logins), default=0) + 31
    assert _sums(activity, last) == _brute_force(logins, last)


@pytest.mark.parametrize(("gap", "reactivated"), [(90, 0), (91, 1), (400, 1)])
def test_a_customer_comes_back_after_more_than_ninety_days(gap: int, reactivated: int) -> None:
    # day 10 |---- gap ----| 10 + gap: the 90 days before must be empty
    activity, customer = Activity(LATENESS), Customer(b"c", "A")
    activity.add(customer, 10, engaged=True)
    activity.add(customer, 10 + gap, engaged=True)
    assert _sums(activity, 10 + gap)[10 + gap][4] == reactivated


def test_a_late_login_takes_a_comeback_back() -> None:
    activity, customer = Activity(LATENESS), Customer(b"c", "A")
    for day in (0, 92, 90):
        activity.add(customer, day, engaged=True)
    sums = _sums(activity, 92)
    assert (sums[90][4], sums[92][4]) == (0, 0)


def test_a_repeated_login_says_nothing_new() -> None:
    activity, customer = Activity(LATENESS), Customer(b"c", "A")
    assert activity.add(customer, 5, engaged=False)
    assert not activity.add(customer, 5, engaged=False)
    assert activity.add(customer, 5, engaged=True)
    assert not activity.add(customer, 5, engaged=True)
    assert not activity.add(customer, 5, engaged=False)


@pytest.mark.parametrize("first", [-1, -5, -200])
def test_a_login_before_1970_is_remembered_at_its_day(first: int) -> None:
    activity, customer = Activity(LATENESS), Customer(b"c", "A")
    activity.add(customer, first, engaged=True)
    assert not activity.add(customer, first, engaged=True)
    activity.add(customer, 100, engaged=True)
    assert next(row.measures[5] for row in _drained(activity) if row.day == 100) == 1
    assert not activity.add(customer, 100, engaged=True)


def test_loaded_days_are_known_but_not_counted_again() -> None:
    activity, customer = Activity(LATENESS), Customer(b"c", "A")
    activity.load(customer, 3, engaged=True)
    activity.load(customer, 8, engaged=False)
    assert _drained(activity) == []
    assert not activity.add(customer, 3, engaged=True)
    assert activity.add(customer, 8, engaged=True)


def test_a_day_nobody_touches_leaves_memory_and_comes_back_as_a_new_chapter() -> None:
    activity, customer = Activity(LATENESS), Customer(b"c", "A")
    activity.open_chapter(1)
    activity.add(customer, 4, engaged=True)
    assert {row.chapter for row in _drained(activity)} == {1}
    activity.forget_idle(2)
    activity.open_chapter(7)
    activity.add(Customer(b"d", "A"), 4, engaged=True)
    today = next(row for row in _drained(activity, 7) if row.day == 4)
    assert (today.chapter, today.measures[0]) == (7, 1)
