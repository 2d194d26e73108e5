"""A warehouse's export of what a log led to."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.oracle.config import OracleConfig
from tests.oracle.credits import Catalogue, all_credits
from tests.oracle.reversals import name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.oracle.verdicts import Judged

Rows = list[dict[str, Any]]
CONFIG = OracleConfig()


def export_of(judged: Judged, products: Mapping[str, str]) -> tuple[Rows, Rows]:
    """Return the lines of an export, costs and credits: what a warehouse knows of the same credits.

    Args:
        judged: what counts.
        products: by campaign; the others are called deposit.
    """
    catalogue = Catalogue(judged.campaigns, CONFIG)
    costs = [(each.campaign_id, each.occurred_at, each.cost_minor) for each in judged.touches]
    costs += [(each.campaign_id, each.occurred_at, each.amount_minor) for each in judged.costs]
    reversals, judged.reversals = judged.reversals, {}
    lines: list[tuple[str, str, int, int, int]] = []
    for credit in all_credits(judged, catalogue, CONFIG):
        place = credit.touch.campaign_id, credit.transaction.customer_id, credit.touch.occurred_at
        lines.append((*place, credit.transaction.occurred_at, credit.return_minor))
        amount, before = credit.transaction.amount_minor, credit.return_minor
        for reversal in reversals.get(name_of(credit.transaction), ()):
            amount -= reversal.amount_minor
            left = credit.return_minor * max(0, amount) // credit.transaction.amount_minor
            lines.append((*place, reversal.occurred_at, left - before))
            before = left
    judged.reversals = reversals
    return (
        [
            {"campaign_id": c, "product": products.get(c, "deposit"), "at": _text(at), "cost_minor": m}
            for c, at, m in costs
        ],
        [
            {"campaign_id": c, "customer": who, "touched_at": _text(a), "converted_at": _text(b), "return_minor": m}
            for c, who, a, b, m in lines
        ],
    )


def _text(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1000, UTC).isoformat(timespec="milliseconds")


def ndjson(rows: Rows) -> bytes:
    """Return rows as a file has them."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)
