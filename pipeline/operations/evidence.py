"""The evidence behind a cell of the campaign totals: which cell, its parts, and whether they add up to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from schemas.topics import COSTS, TOUCHES, TRANSACTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

MEASURES: Final = (
    "touches",
    "reached",
    "conversion_millionths",
    "converters",
    "cost_minor",
    "return_minor",
    "aum_minor",
)
_TOPIC_OF: Final = {"touches": TOUCHES, "transactions": TRANSACTIONS, "costs": COSTS}
_ATTEMPTS: Final = 5

Row = dict[str, Any]


class Queries(Protocol):
    """Runs sql/queries/explain_NAME.sql."""

    def __call__(self, name: str, parameters: Mapping[str, object]) -> list[Row]:
        """Return the rows."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A campaign's total in a run, or its row for one variant or one tier.

    Attributes:
        variant: None = all; '' is the touches without one.
        tier: None = all; '' holds the cost events.
        customer_hash: None = all; otherwise the lists show this customer's evidence only.
    """

    run: str
    campaign_id: str
    variant: str | None = None
    tier: str | None = None
    customer_hash: str | None = None

    def parameters(self, limit: int, *, everyone: bool = False) -> dict[str, object]:
        """Return what the explain queries are bound with; ``everyone`` leaves the customer out."""
        return {
            "run": self.run,
            "campaign": self.campaign_id,
            "limit": limit,
            "by_variant": int(self.variant is not None),
            "variant": self.variant or "",
            "by_tier": int(self.tier is not None),
            "tier": self.tier or "",
            "customer": "" if everyone or self.customer_hash is None else self.customer_hash,
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """A cell, what stands behind it, and the sums.

    Attributes:
        touches, credits, transactions, costs: the newest of each; sources name topic, partition and offset.
        counts: how many touches, credits and cost events there are in all.
        evidence: the cell's measures anew from everybody's evidence, all of it; also the number of its rows.
        customer: the same from the chosen customer's evidence; None where none is chosen.
        cell: the measures as the view has them.
    """

    touches: list[Row]
    credits: list[Row]
    transactions: list[Row]
    costs: list[Row]
    counts: dict[str, int]
    evidence: dict[str, int]
    customer: dict[str, int] | None
    cell: dict[str, int]

    @property
    def differences(self) -> dict[str, int]:
        """Evidence minus cell, for each measure where they are not the same."""
        return {
            name: self.evidence[name] - self.cell[name] for name in MEASURES if self.evidence[name] != self.cell[name]
        }


def explain(queries: Queries, cell: Cell, limit: int) -> Explanation | None:
    """Return the explanation of a cell, None where it is not there.

    A run that is being written changes between two queries: what differs is read again while blocks come in between.
    """
    found, before = _read(queries, cell, limit), None
    for _ in range(_ATTEMPTS):
        if found is None or not found.differences:
            break
        now = queries("stamp", {"run": cell.run})
        if now == before:
            break
        before, found = now, _read(queries, cell, limit)
    return found


def _read(queries: Queries, cell: Cell, limit: int) -> Explanation | None:
    chosen, everyone = cell.parameters(limit), cell.parameters(limit, everyone=True)
    cells = queries("cell", everyone)
    if not cells:
        return None
    evidence = queries("sums", everyone)[0]
    customer = queries("sums", chosen)[0] if cell.customer_hash is not None else None
    of_lists = customer or evidence
    lists = {
        name: [_with_source(name, row) for row in queries(name, chosen)]
        for name in ("touches", "credits", "transactions", "costs")
    }
    return Explanation(
        **lists,
        cell=cells[0],
        evidence={name: evidence[name] for name in MEASURES},
        customer=customer and {name: customer[name] for name in MEASURES},
        counts={
            name: of_lists[f"{kind}_rows"]
            for name, kind in (("touches", "touch"), ("credits", "credit"), ("costs", "cost"))
        },
    )


def _with_source(name: str, row: Row) -> Row:
    topic = _TOPIC_OF.get(name)
    return row if topic is None else row | {"topic": topic}
