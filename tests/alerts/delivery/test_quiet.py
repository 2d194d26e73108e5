from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.delivery.quiet import QuietHours, milliseconds_to_next_minute

BERLIN = ZoneInfo("Europe/Berlin")
SHANGHAI = ZoneInfo("Asia/Shanghai")


def ms(text: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("local", "is_quiet"),
    [
        ("2026-01-15T21:59:59.999", False),
        ("2026-01-15T22:00", True),
        ("2026-01-16T00:00", True),
        ("2026-01-16T06:59:59.999", True),
        ("2026-01-16T07:00", False),
        ("2026-01-16T12:00", False),
    ],
)
def test_quiet_hours_reach_over_midnight(local: str, *, is_quiet: bool) -> None:
    assert QuietHours.of("22:00-07:00", SHANGHAI).holds_at(ms(local, SHANGHAI)) is is_quiet


def test_quiet_hours_within_a_day_end_on_it() -> None:
    quiet = QuietHours.of("12:00-13:30", SHANGHAI)
    assert [
        quiet.holds_at(ms(f"2026-01-15T{at}", SHANGHAI)) for at in ("11:59", "12:00", "13:29", "13:30", "00:00")
    ] == [False, True, True, False, False]


def test_an_hour_that_daylight_saving_leaves_out_ends_quiet_hours_that_end_in_it() -> None:
    quiet = QuietHours.of("22:00-02:30", BERLIN)
    assert quiet.holds_at(ms("2026-03-29T01:59"))
    assert not quiet.holds_at(ms("2026-03-29T03:00"))  # a minute later: 02:30 never was


def test_an_hour_that_daylight_saving_repeats_is_quiet_both_times() -> None:
    quiet = QuietHours.of("02:00-03:00", BERLIN)
    both = [quiet.holds_at(ms("2026-10-25T02:15", fold=fold)) for fold in (0, 1)]
    assert both == [True, True]
    assert not quiet.holds_at(ms("2026-10-25T03:00"))


@pytest.mark.parametrize("text", ["07:00-07:00", "25:00-07:00", "22:00", ""])
def test_hours_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        QuietHours.of(text, BERLIN)


@given(st.integers(0, 4_000_000_000_000))
def test_the_next_minute_begins_within_a_minute(now_ms: int) -> None:
    wait = milliseconds_to_next_minute(now_ms)
    assert 0 < wait <= 60_000
    assert (now_ms + wait) % 60_000 == 0
