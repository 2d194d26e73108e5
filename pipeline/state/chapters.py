"""Cells that can be stored again and again without counting twice.

A cell holds what its shard added *since the cell came to memory*: its chapter. A stored chapter is only ever replaced
by a later value of the same chapter, and a view adds up all chapters (a counter with one slot per incarnation). So a
new owner of a shard starts every cell at zero under a new chapter and never has to read old ones, and a cell that
nobody touches can leave memory. A sum that nears 64 bits ends its chapter too, and goes on in the next.
"""

from __future__ import annotations

from typing import Generic, TypeVar

Key = TypeVar("Key")
Place = TypeVar("Place")


class ChapterCell(Generic[Place]):
    """Numbers, where they belong, and the block that stored them last."""

    __slots__ = ("before", "chapter", "dirty", "measures", "place", "used")

    def __init__(self, place: Place, chapter: int, width: int) -> None:
        self.place = place
        self.chapter = self.used = chapter
        self.dirty = False
        self.measures = [0] * width
        self.before: list[int] | None = None  # of a minute or hour, see `rollups`

    def end_chapter(self, next_chapter: int) -> None:
        """Go on at zero: what this chapter holds has been handed out and changes no more."""
        self.chapter = next_chapter
        self.measures = [0] * len(self.measures)


class ChapterCells(dict[Key, ChapterCell[Place]], Generic[Key, Place]):
    """Cells by key. A lookup is on the path of every event, so callers make it with the dictionary's own `get`."""

    __slots__ = ("_changed", "_chapter", "_width")

    def __init__(self, width: int, chapter: int = 0) -> None:
        super().__init__()
        self._width = width
        self._chapter = chapter
        self._changed: list[ChapterCell[Place]] = []

    def open_chapter(self, chapter: int) -> None:
        """Give cells that come to memory from now on this chapter; chapters of a shard only ever grow."""
        self._chapter = chapter

    def begin(self, key: Key, place: Place) -> ChapterCell[Place]:
        """Add a cell at zero; ``place`` says where its numbers belong."""
        cell = self[key] = ChapterCell(place, self._chapter, self._width)
        return cell

    def change(self, cell: ChapterCell[Place]) -> list[int]:
        """Return the measures of a cell that is not dirty yet, which the next block has to store."""
        cell.dirty = True
        self._changed.append(cell)
        return cell.measures

    def drain(self, version: int) -> list[ChapterCell[Place]]:
        """Return the cells changed since the last call and mark them stored by the block of this version."""
        changed, self._changed = self._changed, []
        for cell in changed:
            cell.dirty = False
            cell.used = version
        return changed

    def forget_idle(self, before_version: int) -> None:
        """Drop cells that no block since ``before_version`` has changed."""
        for key in [key for key, cell in self.items() if cell.used < before_version and not cell.dirty]:
            del self[key]
