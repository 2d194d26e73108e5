"""What a stored credit stands at, model by model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.state.rows import CREDIT_WIDTH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.state.rows import CreditColumns

Standing = tuple[int, ...]
"""The numbers of `CreditMeasure`, in their order."""


def standings(measures: Sequence[int]) -> list[Standing]:
    """Return what one row of the ledger says of each model, in the models' order."""
    return [tuple(measures[begin : begin + CREDIT_WIDTH]) for begin in range(0, len(measures), CREDIT_WIDTH)]


def standings_of_rows(found: CreditColumns) -> list[list[Standing]]:
    """Return what each row of a block says of each model."""
    width = len(found.standings) // max(1, len(found))
    return [standings(found.standings[row * width : (row + 1) * width]) for row in range(len(found))]
