"""Views with one row per credit or per bad record."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.oracle.facts import Facts, Row


def credit_rows(facts: Facts) -> list[Row]:
    """One row per credit above 0; instants are epoch milliseconds."""
    rows = [
        {
            "transaction_event_id": credit.transaction.event_id,
            "touch_event_id": credit.touch.event_id,
            "campaign_id": credit.touch.campaign_id,
            "variant": credit.touch.variant,
            "customer_hash": facts.customer_hash(credit.touch.customer_id),
            "credit_millionths": credit.millionths,
            "return_minor": credit.return_minor,
            "aum_minor": credit.aum_minor,
            "touched_at": credit.touch.occurred_at,
            "converted_at": credit.transaction.occurred_at,
        }
        for credit in facts.credits
    ]
    return sorted(rows, key=lambda row: (row["transaction_event_id"], row["touch_event_id"]))


def dead_letters(facts: Facts) -> list[Row]:
    """One row per dead-lettered record."""
    return [
        {"topic": topic, "partition": partition, "offset": offset, "reason": verdict.reason}
        for (topic, partition, offset), verdict in sorted(facts.judged.verdicts.items())
        if verdict.outcome == "dead_letter"
    ]
