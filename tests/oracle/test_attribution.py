from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies

from tests.oracle.attribution import WHOLE, credit_millionths, largest_remainder
from tests.oracle.config import DAY_MS, MODELS, whole_milliseconds
from tests.oracle.money import split_aum, split_return

if TYPE_CHECKING:
    from tests.oracle.config import Model

WEEK_MS = 7 * DAY_MS


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        #   t1            t2            t3            x
        #   |--- 7 days --|--- 7 days --|             |    half-life 7 days: weights 1/4, 1/2, 1
        #                               (age 0)
        ("last_touch", [0, 0, 1_000_000]),
        ("first_touch", [1_000_000, 0, 0]),
        ("linear", [333_333, 333_333, 333_334]),
        ("position", [400_000, 200_000, 400_000]),
        ("time_decay", [142_857, 285_714, 571_429]),
    ],
)
def test_three_touches_a_half_life_apart(model: Model, expected: list[int]) -> None:
    assert credit_millionths(model, [2 * WEEK_MS, WEEK_MS, 0], float(WEEK_MS)) == expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, [1_000_000]),
        (2, [500_000, 500_000]),
        (4, [400_000, 100_000, 100_000, 400_000]),
        (5, [400_000, 66_666, 66_667, 66_667, 400_000]),
    ],
)
def test_position_splits_the_middle_fifth(count: int, expected: list[int]) -> None:
    assert credit_millionths("position", [0] * count, 1.0) == expected


def test_linear_gives_what_is_left_to_the_later_touches() -> None:
    assert credit_millionths("linear", [0] * 7, 1.0) == [142_857] * 6 + [142_858]
    assert credit_millionths("linear", [0] * 11, 1.0) == [90_909] * 10 + [90_910]
    assert credit_millionths("linear", [0] * 6, 1.0) == [166_666] * 2 + [166_667] * 4


def test_decay_below_the_smallest_double_goes_to_the_youngest_touch() -> None:
    assert credit_millionths("time_decay", [30 * DAY_MS, 29 * DAY_MS], 1000.0) == [0, 1_000_000]


@given(strategies.sampled_from(MODELS), strategies.lists(strategies.integers(0, 90 * DAY_MS), min_size=1, max_size=60))
def test_credit_sums_to_the_whole(model: Model, ages: list[int]) -> None:
    credit = credit_millionths(model, sorted(ages, reverse=True), float(WEEK_MS))
    assert sum(credit) == WHOLE
    assert min(credit) >= 0


def test_remainder_goes_to_the_largest_fraction_first() -> None:
    assert largest_remainder(10, [Fraction(16, 5), Fraction(17, 5), Fraction(17, 5)]) == [3, 3, 4]
    assert largest_remainder(10, [Fraction(19, 5), Fraction(31, 10), Fraction(31, 10)]) == [4, 3, 3]


def test_one_return_is_split_to_the_last_unit() -> None:
    assert split_return([10, 10, 10], [333_333, 333_333, 333_334]) == [3, 3, 4]
    assert split_return([11, 11, 11], [333_333, 333_333, 333_334]) == [3, 4, 4]


def test_returns_that_differ_by_campaign_are_floored_each() -> None:
    assert split_return([10, 11, 10], [333_333, 333_333, 333_334]) == [3, 3, 3]


def test_return_of_a_touch_without_credit_does_not_matter() -> None:
    assert split_return([99, 11, 11], [0, 500_000, 500_000]) == [0, 5, 6]


def test_aum_is_split_by_size_and_keeps_its_sign() -> None:
    assert split_aum(-11, [333_333, 333_333, 333_334]) == [-3, -4, -4]
    assert split_aum(0, [500_000, 500_000]) == [0, 0]


@pytest.mark.parametrize(
    ("days", "expected"),
    [(0.29, 25_056_000), (0.7, 60_480_000), (0.001, 86_400), (7, 604_800_000), (1e-8, 0), (0.1, 8_640_000)],
)
def test_days_are_read_as_decimals(days: float, expected: int) -> None:
    assert whole_milliseconds(days) == expected
