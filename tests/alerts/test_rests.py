from __future__ import annotations

import pytest

from pipeline.alerts.service import rest_seconds


@pytest.mark.parametrize(
    ("took", "rest"), [(0.0, 1.0), (0.2, 0.8), (0.5, 0.5), (0.9, 0.9), (1.5, 1.5), (2.0, 2.0), (40.0, 2.0)]
)
def test_a_look_that_takes_long_is_followed_by_a_rest_as_long_up_to_two_ticks(took: float, rest: float) -> None:
    assert rest_seconds(1.0, took) == pytest.approx(rest)
