"""Samples of customers for tests, and their sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hypothesis import settings

from pipeline.experiments.moments import Moments
from tests.support.depth import depth

if TYPE_CHECKING:
    from collections.abc import Sequence

RANDOMLY: Final = settings(max_examples=depth(90), deadline=None)


def moments_of(outcomes: Sequence[int], before: Sequence[int] | None = None) -> Moments:
    """Return the sums of outcomes and of the same behaviour before."""
    earlier = [0] * len(outcomes) if before is None else list(before)
    return Moments(
        len(outcomes),
        sum(y != 0 for y in outcomes),
        sum(outcomes),
        sum(y * y for y in outcomes),
        sum(earlier),
        sum(x * x for x in earlier),
        sum(x * y for x, y in zip(earlier, outcomes, strict=True)),
    )


def conversions(customers: int, converted: int) -> Moments:
    """Return an arm in which so many converted."""
    return Moments(customers, converted, converted, converted)
