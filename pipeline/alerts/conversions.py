"""Credited transactions and their reversals as changes in time, so that any instant can be looked at. Pure.

A `CHANGES` array has a row for every credited transaction (``arrived`` 1) and one for every reversal that changed what
it returns (``arrived`` 0): what had occurred by an instant is the rows with ``at`` up to it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args

import numpy as np

from schemas import TransactionKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pipeline.alerts.statistics import Floats, Integers

KINDS: Final[tuple[str, ...]] = tuple(sorted(get_args(TransactionKind)))
NEVER: Final = (1 << 63) - 1
_AFTER_EVERY_KIND: Final = 255
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
    """Customers with credit, by campaign: sorted by row, product and total, the order of every sum."""

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
    occurred = changes["at"] <= bound
    return changes if occurred.all() else changes[occurred]


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
    by_customer = slice(None) if _is_by_customer(changes) else _by_customer(changes)
    # column by column: numpy orders whole rows of so many bytes, and reads columns out of them, at half the speed
    rows, start, end = (changes[name][by_customer] for name in ("row", "customer", "customer2"))
    is_first = np.ones(len(changes), bool)
    is_first[1:] = (rows[1:] != rows[:-1]) | (start[1:] != start[:-1]) | (end[1:] != end[:-1])
    starts = np.flatnonzero(is_first)
    row = rows[starts].astype(np.int64)
    converted_at = changes["converted_at"][by_customer]
    first_at = np.minimum.reduceat(converted_at, starts)
    is_earliest = converted_at == np.repeat(first_at, np.diff(starts, append=len(changes)))
    kind = np.minimum.reduceat(np.where(is_earliest, changes["kind"][by_customer], _AFTER_EVERY_KIND), starts)
    product = product_of_kind[row, kind]
    total = wide_sums(changes["returned"][by_customer], starts)
    touched_at = np.minimum.reduceat(changes["touched_at"][by_customer], starts)
    order = _in_parts(row, lambda part: _by_total(product[part], total[part]))
    return Customers(row[order], product[order], total[order], touched_at[order])


def _is_by_customer(changes: Changes) -> bool:
    """Tell whether changes stand by row and customer already; who has few of them need not ask."""
    rows, start, end = changes["row"], changes["customer"], changes["customer2"]
    later = start[1:] > start[:-1]
    same = (start[1:] == start[:-1]) & (end[1:] == end[:-1])
    return bool(((rows[1:] > rows[:-1]) | ((rows[1:] == rows[:-1]) & (later | same))).all())


def _by_customer(changes: Changes) -> Integers:
    """Return the order by row and customer; what one customer's rows come to does not depend on theirs."""
    rows = changes["row"]
    by_row = np.arange(len(rows)) if (rows[1:] >= rows[:-1]).all() else np.argsort(rows, kind="stable")
    customer = changes["customer"][by_row]
    order: Integers = by_row[_in_parts(rows[by_row], lambda part: np.argsort(customer[part]))]
    start, end = changes["customer"][order], changes["customer2"][order]
    if ((start[1:] == start[:-1]) & (end[1:] != end[:-1])).any():  # 64 bits of a hash in common: not in our lifetime
        order = np.lexsort((changes["customer2"], changes["customer"], rows))
    return order


def _by_total(product: Integers, total: Floats) -> Integers:
    order = np.argsort(total)
    return order[np.argsort(product[order], kind="stable")] if product.any() else order


def _in_parts(rows: Integers, order_of: Callable[[slice], Integers]) -> Integers:
    """Return the order of ascending rows that sorts each row's entries by themselves."""
    bounds = [0, *(np.flatnonzero(rows[1:] != rows[:-1]) + 1).tolist(), len(rows)]
    parts = [order_of(slice(start, end)) + start for start, end in pairwise(bounds)]
    return np.concatenate(parts)


def wide_sums(numbers: Integers, starts: Integers) -> Floats:
    """Return sums of stretches of integers, exact beyond 64 bits until the one rounding at the end."""
    high = np.add.reduceat(numbers >> 32, starts)
    low = np.add.reduceat(numbers & 0xFFFFFFFF, starts)
    high, low = high + (low >> 32), low & 0xFFFFFFFF
    wide: Floats = high.astype(np.float64) * 4294967296.0 + low.astype(np.float64)
    return wide
