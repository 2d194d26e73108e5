"""Reversals: which of them count, and what they leave of a transaction (contract section 4)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.oracle.events import Transaction


def match_reversals(
    accepted: Sequence[Transaction], longest_ms: int
) -> tuple[dict[tuple[str, str, int], list[Transaction]], list[Transaction]]:
    """Return the reversals that count, by their original's `name_of`, and those that do not.

    A reversal counts if an accepted transaction of the same customer, itself no reversal, carries the event_id it
    names and lies 0 to ``longest_ms`` before it.
    """
    originals: dict[tuple[str, str], list[Transaction]] = defaultdict(list)
    for event in accepted:
        if event.reverses is None:
            originals[event.customer_id, event.event_id].append(event)
    counting: dict[tuple[str, str, int], list[Transaction]] = defaultdict(list)
    orphans = []
    for reversal in accepted:
        if reversal.reverses is None:
            continue
        named = [
            original
            for original in originals.get((reversal.customer_id, reversal.reverses), ())
            if 0 <= reversal.occurred_at - original.occurred_at <= longest_ms
        ]
        if named:
            (original,) = named  # of one id there is none other as near: its id would not have been free yet
            counting[name_of(original)].append(reversal)
        else:
            orphans.append(reversal)
    return dict(counting), orphans


def name_of(event: Transaction) -> tuple[str, str, int]:
    """Return what tells a transaction from all others: an id may come again, once it is forgotten."""
    return event.customer_id, event.event_id, event.occurred_at


def effective_minor(original: Transaction, reversals: Sequence[Transaction]) -> int:
    """Return the amount that the reversals that count leave of a transaction."""
    return max(0, original.amount_minor - sum(reversal.amount_minor for reversal in reversals))


def scaled(base: int, original: Transaction, effective: int) -> int:
    """Return the floor of ``base`` * effective / original; a transaction that nothing was taken from keeps its base."""
    if effective == original.amount_minor:
        return base
    return base * effective // original.amount_minor
