from __future__ import annotations

import pytest

from pipeline.alerts.service import rest_seconds
from pipeline.alerts.telemetry import STALE_SECONDS


@pytest.mark.parametrize(
    ("took", "rest"),
    [(0.0, 1.0), (0.05, 0.95), (0.1, 0.9), (0.25, 2.25), (0.5, 4.5), (2.0, 5.0), (22.0, 3.0), (40.0, 0.0)],
)
def test_a_look_that_takes_long_is_followed_by_a_rest_nine_times_as_long_up_to_five_seconds(
    took: float, rest: float
) -> None:
    assert rest_seconds(1.0, took) == pytest.approx(rest)


def test_a_rest_is_no_longer_than_a_long_tick() -> None:
    assert rest_seconds(8.0, 5.0) == pytest.approx(8.0)


@pytest.mark.parametrize("took", [0.1, 5.0, 10.5, 19.0, 24.0])
def test_a_service_that_rests_does_not_look_like_one_that_is_silent(took: float) -> None:
    assert took + rest_seconds(20.0, took) < STALE_SECONDS
