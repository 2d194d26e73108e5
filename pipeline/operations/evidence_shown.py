"""Evidence as commands and API give it: read with the reader's rights, instants as text, what belongs to a number."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from pipeline.clickhouse.sql import query
from pipeline.operations.evidence import explain
from schemas.instants import instant_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.clickhouse.reader import Reader
    from pipeline.operations.evidence import Cell, Explanation

LISTS: Final = ("credits", "transactions", "touches", "costs")
_OF_RETURN: Final = ("credits", "transactions")
_BEHIND: Final[Mapping[str, tuple[str, ...]]] = {
    "touches": ("touches",),
    "reached": ("touches",),
    "cost_minor": ("costs", "touches"),
    "conversions": ("credits", "transactions"),
    "converters": ("credits", "transactions"),
    "return_minor": _OF_RETURN,
    "aum_minor": _OF_RETURN,
    "conversion_rate": ("credits", "touches"),
    "cpa_minor": ("costs", "touches", "credits"),
}

WITH_LISTS: Final = tuple(_BEHIND)
"""The numbers of which it is known what they come from."""


def read_evidence(reader: Reader, database: str, cell: Cell, limit: int) -> Explanation | None:
    """Return the explanation of a cell with the newest ``limit`` of each list; None where it is not there.

    Raises:
        UserError: ClickHouse does not answer, or refuses.
    """
    return explain(lambda name, parameters: reader.rows(query(f"explain_{name}", database), parameters), cell, limit)


def title_of(reader: Reader, database: str, cell: Cell) -> str:
    """Return what people call a cell's campaign: the name in its definition, else its id.

    Raises:
        UserError: ClickHouse does not answer, or refuses.
    """
    named = reader.rows(query("campaign_name", database), {"run": cell.run, "campaign": cell.campaign_id})
    return str(named[0]["name"]) if named else cell.campaign_id


def plain(cell: Cell, found: Explanation) -> dict[str, Any]:
    """Return an explanation as JSON: the cell, the lists with instants in RFC 3339, sums, and whether they add up."""
    shown = asdict(found)
    for name in LISTS:
        shown[name] = [dated(row) for row in shown[name]]
    return asdict(cell) | shown | {"differences": found.differences, "adds_up": not found.differences}


def lists_behind(metric: str) -> tuple[str, ...]:
    """Return which of `LISTS` a number comes from, the nearest first; all of them where nothing is known of it."""
    return _BEHIND.get(metric, LISTS)


def dated(row: Mapping[str, Any]) -> dict[str, Any]:
    """Replace epoch milliseconds by instants, and the flag by a word."""
    plain_row = {
        name.removesuffix("_ms"): instant_text(value) if name.endswith("at_ms") else value
        for name, value in row.items()
    }
    return plain_row | ({"creditable": bool(plain_row["creditable"])} if "creditable" in plain_row else {})


def name_of(cell: Cell) -> str:
    """Return what a cell is called in messages."""
    part = "" if cell.variant is None else f", variant {cell.variant!r}"
    part += "" if cell.tier is None else f", tier {cell.tier!r}"
    return f"total of campaign {cell.campaign_id!r}{part} in run {cell.run!r}"
