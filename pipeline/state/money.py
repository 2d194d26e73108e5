"""Return, AUM and the exact sharing of integers (contract section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.state.records import Transaction

WHOLE: Final = 1_000_000
_BASIS: Final = 10_000


def scaled(transaction: Transaction, minor: int) -> int:
    """Return minor * effective / original amount, floored; of assets it is the size that is scaled."""
    if transaction.reversed_minor is None:
        return minor
    amount = transaction.amount_minor
    return 0 if amount == 0 else minor * transaction.effective_minor // amount


def return_of(transaction: Transaction, margins_bps: Mapping[str, int]) -> int:
    """Return what a transaction earns: its revenue if given, else the margin of its kind on the amount."""
    base = transaction.revenue_minor
    if base is None:
        base = transaction.amount_minor * margins_bps.get(transaction.kind, 0) // _BASIS
    return scaled(transaction, base)


def aum_of(transaction: Transaction) -> int:
    """Return the change of assets under management; scaling floors the absolute value and keeps the sign."""
    delta = transaction.aum_delta_minor
    if delta is None:
        if transaction.kind == "deposit":
            delta = transaction.amount_minor
        elif transaction.kind == "withdrawal":
            delta = -transaction.amount_minor
        else:
            return 0
    return scaled(transaction, delta) if delta >= 0 else -scaled(transaction, -delta)


def share_out(whole: int, weights: Sequence[int], total: int) -> list[int]:
    """Split an integer by weights that sum to ``total``: largest remainder, ties to the later position.

    Floors first, then the rest one by one to the largest fractions (Hamilton's method). The parts add up to
    ``whole`` exactly. Floors of a negative whole are below it, as those of a negative return are everywhere.
    """
    if len(weights) == 1:
        return [whole]
    parts = [whole * weight // total for weight in weights]
    rest = whole - sum(parts)
    if rest:
        by_fraction = sorted(range(len(weights)), key=lambda i: (whole * weights[i] % total, i), reverse=True)
        for position in by_fraction[:rest]:
            parts[position] += 1
    return parts


def share_out_assets(delta: int, weights: Sequence[int]) -> list[int]:
    """Split a change of assets by millionths: its absolute value is split, and the sign kept."""
    sizes = share_out(abs(delta), weights, WHOLE)
    return sizes if delta >= 0 else [-size for size in sizes]
