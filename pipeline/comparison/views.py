"""Which views are compared, and by which of their columns: all that have a run, but for what is named here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.clickhouse import sql
from pipeline.metrics.registry import defined_columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.clickhouse.reader import Reader

NOT_COMPARED: Final[Mapping[str, str]] = {
    "ab_history": "is what roi ab was asked to work out, run by run",
    "ab_results": "is what roi ab was asked to work out, run by run",
    "ab_tiers": "is what roi ab was asked to work out, run by run",
    "erasures": "tells of the work of erasing, which a replay of what is erased already does not have",
    "freshness": "is when the run's last block was written",
    "halted_topics": "is how live guards its topics; a replay halts none",
    "named_cells": "are sums as each worker's memory has begun them; the views of campaigns add them up",
    "named_days": "are sums as each worker's memory has begun them; active_users adds them up",
    "positions": "is how far a run has read its topics: what --verify looks at first",
    "run_states": "is the record of the run itself",
}
"""Views with a run that hold nothing which events decide, each with the reason."""

SNAPSHOTS: Final = "board_"
"""Views of this prefix show others as they were counted some minutes ago; those others are compared."""

PROCESSING: Final[Mapping[str, frozenset[str]]] = {
    "": frozenset({"run", "updated_at", "shard"}),
    "dead_letters": frozenset({"at"}),
}
"""Columns, by view ('' is any), that say when and where rows were processed, not what was counted."""


@dataclass(frozen=True, slots=True)
class ComparedView:
    """A view and how it is compared.

    Attributes:
        keys: columns that say what a row is about.
        values: the other columns that must be equal.
        inexact: floating-point columns: ratios, and sums that a database adds up in any order. They agree where they
            differ by less than 1e-12 of themselves, a ten-thousandth of what one millionth of a credit in 10,000
            conversions makes.
    """

    name: str
    keys: tuple[str, ...]
    values: tuple[str, ...]
    inexact: tuple[str, ...]

    def sql(self, query: str, database: str) -> str:
        """Return a query of sql/queries for this view's columns."""
        exact = ", ".join(map(quoted, (*self.keys, *self.values)))
        text = sql.query(query, database).replace("{view}", quoted(self.name))
        text = text.replace("{exact}", exact).replace("{inexact}", ", ".join(map(quoted, self.inexact)))
        return text.replace("{nothing}", self._nothing())

    def _nothing(self) -> str:
        """Return what is true of a row whose figures are all 0 or null."""
        zeros = (f"(isNull({name}) OR toFloat64OrNull(toString({name})) = 0)" for name in map(quoted, self.values))
        return " AND ".join(zeros) or str(bool(self.inexact)).lower()


def compared_views(reader: Reader, database: str) -> list[ComparedView]:
    """Return every view to compare; the list is the database's own, so that a new view is in it."""
    return [
        _compared(row["view"], dict(zip(row["names"], row["types"], strict=True)))
        for row in reader.rows(sql.query("comparable_views", database))
        if row["view"] not in NOT_COMPARED and not row["view"].startswith(SNAPSHOTS)
    ]


def quoted(name: str) -> str:
    """Return a name as SQL writes an identifier."""
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def _compared(view: str, columns: Mapping[str, str]) -> ComparedView:
    left_out = PROCESSING[""] | PROCESSING.get(view, frozenset())
    kept = {name: kind for name, kind in columns.items() if name not in left_out}
    inexact = [name for name, kind in kept.items() if "Float" in kind]
    figures = {name for name in kept if f"{view}.{name}" in defined_columns()}
    exact = [name for name in kept if name not in inexact]
    return ComparedView(
        view,
        tuple(name for name in exact if name not in figures),
        tuple(name for name in exact if name in figures),
        tuple(inexact),
    )
