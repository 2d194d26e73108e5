"""Cells that are summed up again in wider ones: minutes in hours, hours in business days.

A wider cell follows when a block is drained, by what each of its parts holds more (or less) than after the last block:
no event pays for it.
"""

from __future__ import annotations

from operator import sub
from typing import TYPE_CHECKING, Final

from pipeline.state.chapters import ChapterCell, ChapterCells, Key
from pipeline.state.rows import CELL_WIDTH

if TYPE_CHECKING:
    from collections.abc import Callable

Place = tuple[str, str, int, int]  # campaign, label, coordinate, lag
Cell = ChapterCell[Place]
Span = tuple[str, int]  # campaign, coordinate
_NOTHING: Final = [0] * CELL_WIDTH


class PartCells(ChapterCells[Key, Place]):
    """Cells whose changes are added to ``wholes``, which have to be drained after them."""

    __slots__ = ("_unit", "_whole_of", "_wholes")

    def __init__(self, wholes: ChapterCells[Span, Place], unit: int, whole_of: Callable[[int], int]) -> None:
        """``whole_of`` tells the wider coordinate of one's own; all within a multiple of ``unit`` have the same."""
        super().__init__(CELL_WIDTH)
        self._wholes = wholes
        self._unit = unit
        self._whole_of = whole_of

    def begin(self, key: Key, place: Place) -> Cell:
        """Add a cell at zero, which the coming block is going to store."""
        cell = self[key] = ChapterCell(place, self._chapter, CELL_WIDTH)
        cell.before = _NOTHING
        return cell

    def change(self, cell: Cell) -> list[int]:
        """Return the measures of a cell that is not dirty yet; what they are now stays behind."""
        if cell.before is None:
            cell.before = cell.measures.copy()
        cell.dirty = True
        self._changed.append(cell)
        return cell.measures

    def drain(self, version: int) -> list[Cell]:
        """Return the cells changed since the last call, and bring the wider ones up to date."""
        changed = super().drain(version)
        unit, wholes = self._unit, self._wholes
        coordinates: dict[int, int] = {}
        added: dict[Span, list[list[int]]] = {}
        taken: dict[Span, list[list[int]]] = {}
        for cell in changed:
            campaign_id, _, coordinate, _ = cell.place
            whole = coordinates.get(coordinate // unit)
            if whole is None:
                whole = coordinates[coordinate // unit] = self._whole_of(coordinate)
            span = (campaign_id, whole)
            parts = added.get(span)
            if parts is None:
                added[span] = [cell.measures]
            else:
                parts.append(cell.measures)
            if cell.before is not _NOTHING and cell.before is not None:
                taken.setdefault(span, []).append(cell.before)
            cell.before = None
        for span, parts in added.items():
            wider = wholes.get(span) or wholes.begin(span, (span[0], "", span[1], 0))
            if not wider.dirty:
                wholes.change(wider)
            sums = map(sum, zip(wider.measures, *parts, strict=True))
            past = taken.get(span)
            wider.measures = list(sums if past is None else map(sub, sums, map(sum, zip(*past, strict=True))))
        return changed
