r"""Return and AUM of a transaction and how they are split over its credits (contract section 4), in exact integers.

With x the transaction, e its effective amount, a its amount, m a campaign's margin for x's kind, w_i the credit
millionths of the i-th credited touch and c(i) its campaign:

    base(c)  = revenue_minor of x if given, else floor(a * m(c) / 10,000)
    R(c)     = base(c)                     if e == a
             = floor(base(c) * e / a)      otherwise
    (1) all R(c(i)) of touches with w_i > 0 are one R (always so with revenue_minor):
        parts_i = floor(R * w_i / 1,000,000); the R - sum(parts) left over go one by one to the largest fractions of
        R * w_i / 1,000,000, ties to the later touch. sum(parts) = R.
    (2) otherwise:
        parts_i = floor(R(c(i)) * w_i / 1,000,000), nothing handed out afterwards.
    AUM: D = aum_delta_minor if given, else +a (deposit), -a (withdrawal), 0; |D| is scaled like base(c) and split as
        in (1); every part then takes the sign of D.

Floors go towards minus infinity, which matters for a negative margin only.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from tests.oracle.attribution import WHOLE, largest_remainder
from tests.oracle.reversals import scaled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.oracle.events import Campaign, Transaction

BPS: Final = 10_000


def campaign_return(
    transaction: Transaction, effective: int, campaign: Campaign, default_margins_bps: Mapping[str, int]
) -> int:
    """Return R(c): what the whole transaction yields by a campaign's margins."""
    base = transaction.revenue_minor
    if base is None:
        margin = campaign.margins_bps.get(transaction.kind, default_margins_bps.get(transaction.kind, 0))
        base = transaction.amount_minor * margin // BPS
    return scaled(base, transaction, effective)


def split_return(returns: Sequence[int], millionths: Sequence[int]) -> list[int]:
    """Return each touch's money, given R of its campaign and its credit, all in touch order."""
    credited = {amount for amount, credit in zip(returns, millionths, strict=True) if credit > 0}
    if len(credited) == 1:
        return _split(credited.pop(), millionths)
    return [amount * credit // WHOLE for amount, credit in zip(returns, millionths, strict=True)]


def aum_delta(transaction: Transaction, effective: int) -> int:
    """Return the effective change of assets under management; scaling floors the absolute value."""
    delta = transaction.aum_delta_minor
    if delta is None:
        sign = {"deposit": 1, "withdrawal": -1}.get(transaction.kind, 0)
        delta = sign * transaction.amount_minor
    size = scaled(abs(delta), transaction, effective)
    return -size if delta < 0 else size


def split_aum(delta: int, millionths: Sequence[int]) -> list[int]:
    """Return each touch's part of an AUM change."""
    sign = -1 if delta < 0 else 1
    return [sign * part for part in _split(abs(delta), millionths)]


def _split(amount: int, millionths: Sequence[int]) -> list[int]:
    return largest_remainder(amount, [Fraction(amount * credit, WHOLE) for credit in millionths])
