"""Two runs compared row for row, on the server: exactly, in bounded memory, with the first differences."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pipeline.comparison.erased import MOST_LETTERS
from pipeline.comparison.views import compared_views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pipeline.clickhouse.reader import Reader
    from pipeline.comparison.erased import ErasedCustomers, Place
    from pipeline.comparison.views import ComparedView

SHOWN: Final = 5
_READ: Final = 4 * SHOWN  # a difference has a row of each run; rows of one run alone may come first
_LETTERS: Final = "dead_letters"
_LETTERS_READ: Final = 4 * MOST_LETTERS


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that two runs do not have alike.

    Attributes:
        key: what the row is about.
        left, right: the columns that differ, as each run has them; None where a run has no such row.
    """

    key: Mapping[str, Any]
    left: Mapping[str, Any] | None
    right: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class ViewComparison:
    """What became of one view.

    Attributes:
        left_rows, right_rows: rows of each run.
        differing: rows that one of them has and the other has not; a changed row counts for each run that has it.
        first: the first few differences.
        left_out: rows of the left run alone that are no difference, for they are what is left of erased customers:
            dead letters of their records, and rows in which nothing is left but 0.
    """

    view: str
    left_rows: int
    right_rows: int
    differing: int
    first: list[Difference] = field(default_factory=list)
    left_out: int = 0


def compare(  # noqa: PLR0913, PLR0917 - what is compared, what is known of it, and who is told
    reader: Reader,
    database: str,
    left: str,
    right: str,
    on_view: Callable[[int, int], None] = lambda _done, _all: None,
    erased: ErasedCustomers | None = None,
) -> list[ViewComparison]:
    """Compare every view that shows runs.

    Args:
        reader: of the database.
        database: its name.
        left: the one run.
        right: the other.
        on_view: told the number of views that are done, and of all.
        erased: the customers whom the left run has erased.
    """
    views = compared_views(reader, database)
    found = []
    for done, view in enumerate(views):
        on_view(done, len(views))
        found.append(compare_view(reader, database, view, left, right, erased))
    on_view(len(views), len(views))
    return found


def compare_view(  # noqa: PLR0913, PLR0917 - as above
    reader: Reader, database: str, view: ComparedView, left: str, right: str, erased: ErasedCustomers | None = None
) -> ViewComparison:
    """Compare one view; see `compare`."""
    is_erased = bool(erased)
    asked: dict[str, object] = {"left": left, "right": right, "erases": is_erased}
    (counts,) = reader.rows(view.sql("compare_rows", database), asked)
    differing, left_out = counts["differing"], counts["left_out"]
    rows: list[dict[str, Any]] = []
    if differing:
        limit = _LETTERS_READ if is_erased and view.name == _LETTERS else _READ
        rows = reader.rows(view.sql("differing_rows", database), asked | {"limit": limit})
        if erased and view.name == _LETTERS:
            theirs = erased.theirs([_place(row) for row in rows if not row["right_rows"]])
            rows = [row for row in rows if row["right_rows"] or _place(row) not in theirs]
            differing, left_out = differing - len(theirs), left_out + len(theirs)
    first = [difference for _, difference in zip(range(SHOWN), _paired(view, rows), strict=False)]
    return ViewComparison(view.name, counts["left_rows"], counts["right_rows"], differing, first, left_out)


def _place(row: Mapping[str, Any]) -> Place:
    return row["topic"], row["partition"], int(row["offset"])


def _paired(view: ComparedView, rows: list[dict[str, Any]]) -> Iterator[Difference]:
    """Yield differences out of rows that are ordered by key: what has one key in both runs is one changed row."""
    by_key: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_key.setdefault(repr([row[name] for name in view.keys]), []).append(row)
    for found in by_key.values():
        key = {name: found[0][name] for name in view.keys}
        lefts = [_values(view, row, "left") for row in found if row["left_rows"]]
        rights = [_values(view, row, "right") for row in found if row["right_rows"]]
        for place in range(max(len(lefts), len(rights))):
            left = lefts[place] if place < len(lefts) else None
            right = rights[place] if place < len(rights) else None
            if left is not None and right is not None:
                changed = [name for name in left if left[name] != right[name]]
                left, right = ({name: side[name] for name in changed} for side in (left, right))
            yield Difference(key, left, right)


def _values(view: ComparedView, row: Mapping[str, Any], side: str) -> dict[str, Any]:
    """Return a row's values as one run has them, and how many of such rows where one is not unique."""
    numbers = dict(zip(view.inexact, row[f"{side}_numbers"], strict=True))
    count = row[f"{side}_rows"]
    return {name: row[name] for name in view.values} | numbers | {"rows": count}
