from __future__ import annotations

import pytest

from pipeline.alerts.service import rest_seconds


@pytest.mark.parametrize(
    ("took", "rest"), [(0.0, 1.0), (0.2, 0.8), (0.25, 0.75), (0.5, 1.5), (1.5, 4.5), (2.0, 5.0), (40.0, 5.0)]
)
def test_a_look_that_takes_long_is_followed_by_a_rest_three_times_as_long_up_to_five_seconds(
    took: float, rest: float
) -> None:
    assert rest_seconds(1.0, took) == pytest.approx(rest)


def test_a_rest_is_no_longer_than_a_long_tick() -> None:
    assert rest_seconds(20.0, 15.0) == pytest.approx(20.0)
