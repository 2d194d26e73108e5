"""Money as columns: whole numbers as far as 64 bits hold them, floats beyond. Pure.

One cost is at most 10^15 minor units, but 9,300 of them in one hour are more than 64 bits hold: their sum would come
out below 0. Sums are asked for in 128 bits; what fits stays a whole number, and so exact in whatever order it is added
up, and what does not is right to the 16 digits of a double.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.alerts.statistics import Floats, Integers

    Amounts = Integers | Floats

WIDE: Final = [("cost_low", "<u8"), ("cost_high", "<i8")]
"""Fields of a dtype for an Int128 of RowBinary."""
_FITS: Final = 1 << 62


def amounts_of(rows: np.ndarray[Any, np.dtype[np.void]]) -> Amounts:
    """Return the sums that stand in the fields `WIDE`."""
    low, high = rows["cost_low"], rows["cost_high"]
    whole: Integers = low.astype(np.int64)
    fits = high == whole >> 63
    if fits.all():
        return whole
    return np.where(fits, whole.astype(np.float64), high.astype(np.float64) * 2.0**64 + low.astype(np.float64))


def amounts(numbers: Sequence[int | float]) -> Amounts:
    """Return numbers as a column."""
    if all(isinstance(number, int) and abs(number) < _FITS for number in numbers):
        return np.array(numbers, np.int64)
    return np.array([float(number) for number in numbers], np.float64)


def summed(places: Integers, parts: Amounts, size: int) -> Amounts:
    """Return the sums of what belongs to each of so many places."""
    sizes = np.bincount(places, np.abs(parts.astype(np.float64)), size)
    fits = _is_whole(parts) and sizes.max(initial=0) < _FITS
    sums: Amounts = np.zeros(size, np.int64) if fits else np.zeros(size, np.float64)
    np.add.at(sums, places, parts)
    return sums


def total(column: Amounts) -> int | float:
    """Return the sum of a column."""
    if _is_whole(column) and np.abs(column.astype(np.float64)).sum() < _FITS:
        return int(column.sum())
    numbers: list[int | float] = column.tolist()
    return sum(numbers)


def _is_whole(column: Amounts) -> bool:
    return column.dtype == np.int64
