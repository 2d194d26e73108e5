"""How one transaction's credit falls on its touches, in millionths (contract section 4)."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.oracle.config import Model

WHOLE: Final = 1_000_000


def largest_remainder(whole: int, quotas: Sequence[Fraction | float]) -> list[int]:
    """Return integers near ``quotas`` that sum to ``whole``.

    Floors first; what is left goes one by one to the largest fractions, and of equal fractions to the later one.
    """
    parts = [math.floor(quota) for quota in quotas]
    later_first = sorted(range(len(quotas)), key=lambda place: (quotas[place] - parts[place], place), reverse=True)
    for place in later_first[: whole - sum(parts)]:
        parts[place] += 1
    return parts


def credit_millionths(model: Model, ages_ms: Sequence[int], half_life_ms: float) -> list[int]:
    """Return each touch's credit.

    Args:
        model: the attribution model.
        ages_ms: time from each touch to the transaction, in touch order (occurred_at, event_id); at least one.
        half_life_ms: used by ``time_decay`` only.
    """
    last = len(ages_ms) - 1
    if model == "last_touch":
        return [0] * last + [WHOLE]
    if model == "first_touch":
        return [WHOLE] + [0] * last
    if model == "time_decay":
        return largest_remainder(WHOLE, _decayed(ages_ms, half_life_ms))
    shares = _equal(last + 1) if model == "linear" else _by_position(last + 1)
    return largest_remainder(WHOLE, [WHOLE * share for share in shares])


def _equal(count: int) -> list[Fraction]:
    return [Fraction(1, count)] * count


def _by_position(count: int) -> list[Fraction]:
    if count <= 2:
        return _equal(count)
    middle = Fraction(20, 100) / (count - 2)
    return [Fraction(40, 100), *[middle] * (count - 2), Fraction(40, 100)]


def _decayed(ages_ms: Sequence[int], half_life_ms: float) -> list[float]:
    weights = [2.0 ** (-age / half_life_ms) for age in ages_ms]
    total = 0.0
    for weight in weights:  # not sum(): newer Pythons compensate its rounding, the contract asks for plain additions
        total += weight
    if total == 0.0:  # every weight is below the smallest double; the limit of the formula is the youngest touch
        return [0.0] * (len(weights) - 1) + [float(WHOLE)]
    return [WHOLE * weight / total for weight in weights]
