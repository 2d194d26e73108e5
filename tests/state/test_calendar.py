from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies

from pipeline.state.calendar import DAY_MS, BusinessCalendar, whole_milliseconds
from tests.state.rules import PROPERTY, ZONES

_EPOCH_ORDINAL = datetime(1970, 1, 1, tzinfo=UTC).toordinal()


def _at(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


FIRST, LAST = _at("1990-01-01T00:00Z"), _at("2060-01-01T00:00Z")


@PROPERTY
@given(strategies.sampled_from(ZONES), strategies.lists(strategies.integers(FIRST, LAST)))
def test_the_business_day_is_the_local_calendar_day(zone: str, instants: list[int]) -> None:
    calendar = BusinessCalendar(zone)
    for instant in instants:
        local = datetime.fromtimestamp(instant / 1000, ZoneInfo(zone))
        assert calendar.day_of(instant) == local.toordinal() - _EPOCH_ORDINAL


@pytest.mark.parametrize(
    ("last", "first"),
    [
        ("2026-03-08T23:59:59.999-04:00", "2026-03-09T00:00-04:00"),  # the day has 23 hours
        ("2026-11-01T23:59:59.999-05:00", "2026-11-02T00:00-05:00"),  # the day has 25 hours
        ("2026-03-07T23:59:59.999-05:00", "2026-03-08T00:00-05:00"),
    ],
)
def test_a_day_ends_at_local_midnight_around_a_change_of_clocks(last: str, first: str) -> None:
    calendar = BusinessCalendar("America/New_York")
    assert calendar.day_of(_at(first)) == calendar.day_of(_at(last)) + 1


def test_a_quarter_of_an_hour_is_worked_out_once() -> None:
    calendar = BusinessCalendar("Asia/Kathmandu")  # 5 hours and 45 minutes ahead
    midnight = _at("2026-03-02T00:00+05:45")
    assert {calendar.day_of(midnight + step) for step in (0, 1, 899_999)} == {calendar.day_of(midnight)}
    assert calendar.day_of(midnight - 1) == calendar.day_of(midnight) - 1
    assert len(calendar._days) == 2


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00"])
def test_the_first_and_last_instants_there_are_have_a_day(zone: str, text: str) -> None:
    instant = (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000
    day = BusinessCalendar(zone).day_of(int(instant))
    assert abs(day - instant // DAY_MS) <= 1


@PROPERTY
@given(strategies.sampled_from(ZONES), strategies.lists(strategies.integers(FIRST, LAST)))
def test_the_hour_began_when_the_clock_showed_it_full(zone: str, instants: list[int]) -> None:
    calendar = BusinessCalendar(zone)
    for instant in instants:
        local = datetime.fromtimestamp(instant / 1000, ZoneInfo(zone))
        start = calendar.hour_of(instant)
        assert start == instant // 1000 - local.minute * 60 - local.second
        assert calendar.day_of(start * 1000) == calendar.day_of(instant)


def test_an_hour_that_the_clock_shows_twice_is_two() -> None:
    calendar = BusinessCalendar("America/New_York")
    hours = [calendar.hour_of(_at(f"2026-11-01T01:30{offset}")) for offset in ("-04:00", "-05:00")]
    assert hours[1] - hours[0] == 3_600


def test_days_are_milliseconds_as_a_person_writes_them() -> None:
    assert whole_milliseconds(0.29) == 25_056_000
    assert whole_milliseconds(7) == 7 * DAY_MS
    assert whole_milliseconds(1e-9) == 0
