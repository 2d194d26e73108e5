from __future__ import annotations

from random import Random
from typing import Any, Final

import pytest
from hypothesis import given, strategies

from pipeline.ledger.rows import ENGAGED
from pipeline.native.customers import NativeActivity
from pipeline.native.library import library
from pipeline.native.people import People
from pipeline.native.rows import LoginRows
from pipeline.state.activity import DORMANT_DAYS, Activity
from pipeline.state.records import Customer
from pipeline.state.rows import DayColumns
from schemas.columns import LoginColumns
from tests.state.rules import PROPERTY

pytestmark = pytest.mark.usefixtures("native_core")
DAYS: Final = (0, 1, 6, 7, 8, 29, 30, 31, 63, 64, 65, 89, 90, 91, 92, 120, 124, 125, 126, 127, 128, 129, 200, 300, 430)
Login = tuple[int, int, bool]  # customer, day, engaged


def pseudonym_of(person: int) -> bytes:
    return bytes([person]) * 16


def rows_of(logins: list[Login]) -> LoginRows:
    count = len(logins)
    columns = LoginColumns(
        list(range(count)),
        [""] * count,
        [0] * count,
        [f"customer {person}" for person, _, _ in logins],
        [""] * count,
        [None] * count,
        [not engaged for _, _, engaged in logins],
    )
    rows = LoginRows.of(columns, 5.0)
    rows.rows["day"] = [day for _, day, _ in logins]
    return rows


def counted(people: People, logins: list[Login]) -> None:
    rows = rows_of(logins)
    if people.find_all(rows):
        strangers = [int(name.split()[1]) for name in rows.strangers()]
        people.meet_all(rows, b"".join(map(pseudonym_of, strangers)))
    people.count(rows)


def drained(activity: Activity) -> dict[Any, list[int]]:
    columns = DayColumns()
    activity.drain_changes(1, columns)
    return {(row.tier, row.day, row.chapter): row.measures for row in columns.rows()}


@PROPERTY
@given(
    strategies.lists(
        strategies.tuples(strategies.integers(0, 2), strategies.sampled_from(DAYS), strategies.booleans()), max_size=40
    ),
    strategies.integers(0, 99),
    strategies.sampled_from((0, 3, 10, 60)),
)
def test_days_gain_what_the_plain_activity_says(logins: list[Login], seed: int, lateness: int) -> None:
    random = Random(seed)
    in_time = sorted(logins, key=lambda login: login[1] + random.randint(0, lateness))
    plain, native = Activity(lateness), NativeActivity(lateness)
    customers = {person: Customer(pseudonym_of(person), "unknown") for person in range(3)}
    news = []
    for person, day, engaged in in_time:
        if plain.add(customers[person], day, engaged=engaged):
            news.append((day, pseudonym_of(person).hex(), engaged))
    while in_time:
        size = random.randint(1, 7)
        counted(native.people, in_time[:size])
        in_time = in_time[size:]
    assert drained(native) == drained(plain)
    rows = native.people.take_rows()
    assert [(found.kind, found.count) for found in rows] == ([("login", len(news))] if news else [])
    if news:
        assert rows[0].columns == {
            "at": b"".join(day.to_bytes(8, "little", signed=True) for day, _, _ in news),
            "id": b"".join(b"\x20" + name.encode() for _, name, _ in news),
            "flags": bytes(ENGAGED * engaged for _, _, engaged in news),
            "tier": b"\x07unknown" * len(news),
        }


def test_a_login_far_behind_the_others_is_an_error_and_no_wrong_number() -> None:
    people = NativeActivity(3).people
    counted(people, [(1, 1_000, True)])
    with pytest.raises(OverflowError, match="further back"):
        counted(people, [(1, 1_000 - DORMANT_DAYS - 60, True)])


def test_a_customer_known_by_pseudonym_keeps_its_days_when_its_id_is_met() -> None:
    people = NativeActivity(3).people
    number = people.dormant(pseudonym_of(1))
    assert library().shard_load_login(people.handle, number, 100, True)
    people.set_tier(number, "gold")
    counted(people, [(1, 100, True), (2, 100, True)])
    assert (len(people), people.take_rows()[0].count) == (2, 1)
    assert people.find(b"customer 1") == number
    counted(people, [(1, 101, True)])
    assert people.take_rows()[0].columns["tier"] == b"\x04gold"


def test_an_erased_customer_is_a_stranger_without_days() -> None:
    people = NativeActivity(3).people
    counted(people, [(1, 100, True)])
    people.erase(pseudonym_of(1), b"customer 1")
    assert (len(people), people.find(b"customer 1")) == (0, None)
    people.take_rows()
    counted(people, [(1, 100, True)])
    assert (len(people), people.take_rows()[0].count) == (1, 1)


def test_very_many_customers_are_told_apart() -> None:
    people = People(125)
    numbers = [people.meet(f"C{person}".encode(), person.to_bytes(16)) for person in range(20_000)]
    assert [people.find(f"C{person}".encode()) for person in range(20_000)] == numbers
    assert (len(people), len(set(numbers)), people.find(b"C")) == (20_000, 20_000, None)
