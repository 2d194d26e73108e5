from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.instant_batch import parse_epoch_milliseconds
from schemas.instants import floor_instant, format_instant, parse_instant, to_epoch_milliseconds
from tests.schemas.strategies import instants
from tests.support.depth import depth

NOON = datetime(2026, 11, 22, 12, 0, 0, 123_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T12:00:00.123Z",
        "2026-11-22T12:00:00.123z",
        "2026-11-22t12:00:00.123Z",
        "2026-11-22T20:00:00.123+08:00",
        "2026-11-22T02:30:00.123-09:30",
        "2026-11-22T12:00:00.123-00:00",
        "2026-11-23T11:59:00.123+23:59",
        "2026-11-22T12:00:00.1239Z",
        "2026-11-22T12:00:00.123999999999Z",
    ],
)
def test_instant_is_kept_to_the_millisecond_in_utc(text: str) -> None:
    assert parse_instant(text) == NOON
    assert parse_instant(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.5Z", 500),
        ("1970-01-01T00:00:00.05Z", 50),
        ("1969-12-31T23:59:59.9999Z", -1),
        ("2000-02-29T00:00:00Z", 951_782_400_000),
        ("2024-02-29T23:59:59.999Z", 1_709_251_199_999),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
    ],
)
@pytest.mark.parametrize("times", [1, 100])
def test_instant_is_whole_milliseconds_since_the_epoch(text: str, milliseconds: int, times: int) -> None:
    assert to_epoch_milliseconds(parse_instant(text)) == milliseconds
    assert parse_epoch_milliseconds([text] * times) == [milliseconds] * times


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-22",
        "2026-11-22T12:00:00",
        "2026-11-22T12:00Z",
        "2026-11-22 12:00:00Z",
        "2026-11-22T12:00:00,5Z",
        "2026-11-22T12:00:00.Z",
        "2026-11-22T12:00:00+0800",
        "2026-11-22T12:00:00+08",
        "2026-11-22T12:00:00+24:00",
        "2026-11-22T12:00:00+08:60",
        "2026-11-22T24:00:00Z",
        "2026-11-22T12:60:00Z",
        "2026-12-31T23:59:60Z",
        "2026-02-29T12:00:00Z",
        "1900-02-29T12:00:00Z",
        "2200-02-29T12:00:00Z",
        "2026-04-31T12:00:00Z",
        "2026-00-10T12:00:00Z",
        "2026-13-10T12:00:00Z",
        "2026-11-00T12:00:00Z",
        "0000-01-01T12:00:00Z",
        "0000-12-31T23:30:00-01:00",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "20261122T120000Z",
        "2026-W47-7T12:00:00Z",
        "+2026-11-22T12:00:00Z",
        "2026-11-22T12:00:00Z\n",
        " 2026-11-22T12:00:00Z",
        "2026-11-22T12:00:00Z[Asia/Shanghai]",
        "\uff12026-11-22T12:00:00Z",
        "1795348800",
    ],
)
@pytest.mark.parametrize("times", [1, 100])
def test_other_texts_are_no_instants(text: str, times: int) -> None:
    with pytest.raises(ValueError, match=r"RFC 3339|day|year|years"):
        parse_instant(text)
    assert parse_epoch_milliseconds([text] * times) == [None] * times


@settings(max_examples=depth(300))
@given(st.lists(instants(), min_size=1, max_size=5))
def test_batch_agrees_with_the_exact_parser(texts: list[str]) -> None:
    def exact(text: str) -> int | None:
        try:
            return to_epoch_milliseconds(parse_instant(text))
        except ValueError:
            return None

    assert parse_epoch_milliseconds(texts * 40) == [exact(text) for text in texts] * 40


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_day_of_the_calendar_agrees_with_the_library(moment: datetime) -> None:
    text = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)

    assert parse_epoch_milliseconds([text] * 40) == [expected] * 40
    assert format_instant(parse_instant(text)) == text


def test_batch_of_nothing_is_nothing() -> None:
    assert parse_epoch_milliseconds([]) == []


def test_aware_datetime_is_floored_and_naive_refused() -> None:
    east = timezone(timedelta(hours=8))

    assert floor_instant(datetime(2026, 11, 22, 20, 0, 0, 123_999, tzinfo=east)) == NOON
    with pytest.raises(ValueError, match="naive"):
        floor_instant(datetime(2026, 11, 22, 12, 0))  # noqa: DTZ001 - the naive one is the point
    with pytest.raises(ValueError, match="years"):
        floor_instant(datetime.min.replace(tzinfo=east))
