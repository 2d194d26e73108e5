from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, strategies

from pipeline.state.money import aum_of, return_of, share_out, share_out_assets
from pipeline.state.records import Customer, Transaction

WEIGHTS = strategies.lists(strategies.integers(0, 1_000), min_size=1, max_size=12).filter(any)


@given(strategies.integers(-(10**15), 10**15), WEIGHTS)
def test_parts_add_up_and_are_less_than_one_unit_from_fair(whole: int, weights: list[int]) -> None:
    parts = share_out(whole, weights, sum(weights))
    assert sum(parts) == whole
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(whole * weight, sum(weights))) < 1
        assert part * whole >= 0


@given(strategies.integers(-(10**15), 10**15), WEIGHTS)
def test_the_larger_fraction_is_rounded_up_before_the_smaller_one(whole: int, weights: list[int]) -> None:
    total = sum(weights)
    parts = share_out(whole, weights, total)
    fractions = [whole * weight % total for weight in weights]
    raised = [part > whole * weight // total for part, weight in zip(parts, weights, strict=True)]
    for place, up in enumerate(raised):
        for other, other_up in enumerate(raised):
            if up and not other_up:
                assert (fractions[place], place) > (fractions[other], other)


def test_a_tie_goes_to_the_later_position() -> None:
    assert share_out(1, [1, 1, 1], 3) == [0, 0, 1]


def test_floors_of_a_negative_whole_are_below_it() -> None:
    assert share_out(-2, [1, 1, 1], 3) == [-1, -1, 0]
    assert share_out_assets(-2, [333_333, 333_333, 333_334]) == [0, -1, -1]  # its size is split, and the sign kept


def _transaction(amount: int, **fields: object) -> Transaction:
    values = {"kind": "deposit", "revenue_minor": None, "aum_delta_minor": None, "reversed_minor": None} | fields
    return Transaction(Customer(b"c", "A"), 0, "x", product=None, amount_minor=amount, tier="A", **values)  # type: ignore[arg-type] # plain values of a test


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, 3),  # 333 at 100 bps, floored
        ({"kind": "payment"}, 0),  # no margin
        ({"revenue_minor": 0}, 0),  # given, so the margin is out
        ({"revenue_minor": 50}, 50),
        ({"revenue_minor": 50, "reversed_minor": 0}, 50),
        ({"revenue_minor": 50, "reversed_minor": 332}, 0),  # 50 * 1 // 333
        ({"revenue_minor": 50, "reversed_minor": 999}, 0),  # more than there was
    ],
)
def test_return_is_revenue_or_margin_scaled_and_floored(fields: dict[str, object], expected: int) -> None:
    assert return_of(_transaction(333, **fields), {"deposit": 100}) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, 101),
        ({"kind": "withdrawal"}, -101),
        ({"kind": "payment"}, 0),
        ({"aum_delta_minor": -7}, -7),
        ({"kind": "withdrawal", "reversed_minor": 50}, -51),
        ({"aum_delta_minor": -7, "reversed_minor": 50}, -3),  # floored by its absolute value: 7 * 51 // 101
        ({"aum_delta_minor": 0}, 0),
    ],
)
def test_assets_keep_their_sign_when_scaled(fields: dict[str, object], expected: int) -> None:
    assert aum_of(_transaction(101, **fields)) == expected


def test_a_zero_amount_with_a_reversal_earns_nothing() -> None:
    free = _transaction(0, revenue_minor=9)
    assert (free.has_effect, return_of(free, {})) == (True, 9)
    free.reversed_minor = 0
    assert (free.has_effect, return_of(free, {})) == (False, 0)
