"""How many decimals a ratio takes beside its limit: one that is below never reads as if it were at it. Pure."""

from __future__ import annotations

from typing import Final

MOST_DECIMALS: Final = 8


def written_ratio(ratio: float, limit: float | None, least: int) -> str:
    """Return a ratio with as many decimals as `ratio_decimals` says."""
    return f"{ratio:.{ratio_decimals(ratio, limit, least)}f}"


def ratio_decimals(ratio: float, limit: float | None, least: int) -> int:
    """Return how many decimals leave a ratio on its side of its limit, and the limit itself as it was set.

    The board's page goes by the same rule (web/src/logic/format.ts).

    Args:
        ratio: what is written.
        limit: what it is held against; None = nothing.
        least: so many decimals it has in any case.
    """
    decimals = least
    while limit is not None and decimals < MOST_DECIMALS and not _is_told(round(ratio, decimals), ratio, limit):
        decimals += 1
    return decimals


def _is_told(rounded: float, ratio: float, limit: float) -> bool:
    if ratio == limit:
        return rounded == limit
    return rounded < limit if ratio < limit else rounded >= limit
