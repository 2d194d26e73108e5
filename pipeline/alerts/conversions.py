"""Credited transactions and their reversals as changes in time, so that any instant can be looked at. Pure.

A `CHANGES` array has a row for every credited transaction (``arrived`` 1) and one for every reversal that changed what
it returns (``arrived`` 0): what had occurred by an instant is the rows with ``at`` up to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args

import numpy as np

from schemas import TransactionKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.alerts.statistics import Floats, Integers

KINDS: Final[tuple[str, ...]] = tuple(sorted(get_args(TransactionKind)))
NEVER: Final = (1 << 63) - 1
CHANGES: Final = np.dtype(
    [
        ("row", "<u4"),  # whose: a place in the list that was asked for
        ("customer", "<u8"),  # first half of the pseudonym
        ("customer2", "<u8"),
        ("at", "<i8"),  # when it took effect
        ("converted_at", "<i8"),
        ("touched_at", "<i8"),  # the first touch of the campaign that was credited
        ("returned", "<i8"),  # change of the return, minor units
        ("kind", "u1"),  # of transaction: 1 + place in `KINDS`; 0 is not known
        ("arrived", "u1"),
        ("eaten_at", "<i8"),  # of an arrival: when reversals had left nothing of it; `NEVER`
    ]
)
Changes = np.ndarray[Any, np.dtype[np.void]]


class Customers(NamedTuple):
    """Customers with credit, by campaign: sorted by row, product, total and hour, the order of every sum."""

    row: Integers
    product: Integers
    total: Floats
    touched_at: Integers


def no_changes() -> Changes:
    """Return an empty array."""
    return np.empty(0, CHANGES)


def as_of(changes: Changes, instant_ms: int | NDArray[np.int64]) -> Changes:
    """Return what had occurred by an instant (one, or one for each row of the list)."""
    bound = instant_ms if isinstance(instant_ms, int) else instant_ms[changes["row"]]
    return changes[changes["at"] <= bound]


def customers(changes: Changes, product_of_kind: Integers) -> Customers:
    """Return the customers of changes that have all occurred.

    A customer's hour is that of the first touch that was credited, the product that of the first credited transaction;
    of several in the same millisecond the kind that is first in the alphabet.

    Args:
        changes: what has occurred.
        product_of_kind: (rows, kinds + 1) the place of each kind of transaction among the products of a campaign.
    """
    if not len(changes):
        none = np.empty(0, np.int64)
        return Customers(none, none, np.empty(0), none)
    keys = (changes["kind"], changes["converted_at"], changes["customer2"], changes["customer"], changes["row"])
    ordered = changes[np.lexsort(keys)]
    is_first = np.ones(len(ordered), bool)
    is_first[1:] = (
        (ordered["row"][1:] != ordered["row"][:-1])
        | (ordered["customer"][1:] != ordered["customer"][:-1])
        | (ordered["customer2"][1:] != ordered["customer2"][:-1])
    )
    starts = np.flatnonzero(is_first)
    row = ordered["row"][starts].astype(np.int64)
    product = product_of_kind[row, ordered["kind"][starts]]
    total = wide_sums(ordered["returned"], starts)
    touched_at = np.minimum.reduceat(ordered["touched_at"], starts)
    order = np.lexsort((touched_at, total, product, row))
    return Customers(row[order], product[order], total[order], touched_at[order])


def wide_sums(numbers: Integers, starts: Integers) -> Floats:
    """Return sums of stretches of integers, exact beyond 64 bits until the one rounding at the end."""
    high = np.add.reduceat(numbers >> 32, starts)
    low = np.add.reduceat(numbers & 0xFFFFFFFF, starts)
    high, low = high + (low >> 32), low & 0xFFFFFFFF
    wide: Floats = high.astype(np.float64) * 4294967296.0 + low.astype(np.float64)
    return wide
