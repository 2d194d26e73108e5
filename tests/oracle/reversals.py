"""Reversals: which of them count, and what they leave of a transaction (contract section 4)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.oracle.events import Transaction


def match_reversals(
    accepted: Sequence[Transaction], longest_ms: int
) -> tuple[dict[str, list[Transaction]], list[Transaction]]:
    """Return the reversals that count, by their original's event_id, and those that do not.

    A reversal counts if an accepted transaction of the same customer, itself no reversal, carries the event_id it
    names and lies 0 to ``longest_ms`` before it.
    """
    originals = {event.event_id: event for event in accepted if event.reverses is None}
    counting: dict[str, list[Transaction]] = defaultdict(list)
    orphans = []
    for reversal in accepted:
        if reversal.reverses is None:
            continue
        original = originals.get(reversal.reverses)
        if (
            original is not None
            and original.customer_id == reversal.customer_id
            and 0 <= reversal.occurred_at - original.occurred_at <= longest_ms
        ):
            counting[original.event_id].append(reversal)
        else:
            orphans.append(reversal)
    return dict(counting), orphans


def effective_minor(original: Transaction, reversals: Sequence[Transaction]) -> int:
    """Return the amount that the reversals that count leave of a transaction."""
    return max(0, original.amount_minor - sum(reversal.amount_minor for reversal in reversals))


def scaled(base: int, original: Transaction, effective: int) -> int:
    """Return the floor of ``base`` * effective / original; a transaction that nothing was taken from keeps its base."""
    if effective == original.amount_minor:
        return base
    return base * effective // original.amount_minor
