"""Short ways to write a log by hand, for worked examples."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from schemas import topics
from tests.oracle.corruptions import encoded
from tests.oracle.log import Record, log_of
from tests.oracle.story import EPOCH


def moment(text: str) -> int:
    """Return epoch milliseconds of ``2026-03-05 12:00`` (seconds and milliseconds optional) in Shanghai."""
    instant = datetime.fromisoformat(f"{text}+08:00")
    return round((instant - EPOCH).total_seconds() * 1000)


@dataclass(slots=True)
class Ledger:
    """A log being written, one partition per topic; every method appends one record and returns its offset."""

    records: list[Record] = field(default_factory=list)

    @property
    def log(self) -> dict[tuple[str, int], list[Record]]:
        """What was written."""
        return log_of(self.records)

    def send(self, topic: str, key: str, body: dict[str, Any] | None) -> int:
        """Append any body under a key."""
        offset = sum(record.topic == topic for record in self.records)
        self.records.append(Record(topic, 0, offset, key.encode(), None if body is None else encoded(body)))
        return offset

    def _event(self, topic: str, key_field: str, event_id: str, at: str, **fields: Any) -> int:
        clock = at if at.count(":") == 2 else f"{at}:00"
        body = {"event_id": event_id, "occurred_at": f"{clock.replace(' ', 'T')}+08:00"} | fields
        return self.send(topic, body[key_field], body)

    def touch(self, event_id: str, at: str, *, campaign: str = "spring", **fields: Any) -> int:
        """Append a touch of customer ``ann``, a free send unless said otherwise; ``at`` is Shanghai time."""
        common = {"customer_id": "ann", "campaign_id": campaign, "channel": "app", "kind": "send"}
        return self._event(topics.TOUCHES, "customer_id", event_id, at, **common | fields)

    def pay(self, event_id: str, at: str, amount: int = 100, **fields: Any) -> int:
        """Append a deposit of customer ``ann`` unless said otherwise."""
        common = {"customer_id": "ann", "kind": "deposit", "amount_minor": amount, "channel": "app"}
        return self._event(topics.TRANSACTIONS, "customer_id", event_id, at, **common | fields)

    def cost(self, event_id: str, at: str, amount: int, *, campaign: str = "spring", **fields: Any) -> int:
        """Append a media cost."""
        common = {"campaign_id": campaign, "category": "media", "amount_minor": amount}
        return self._event(topics.COSTS, "campaign_id", event_id, at, **common | fields)

    def login(self, at: str, **fields: Any) -> int:
        """Append a login of customer ``ann``, named after its instant."""
        return self._event(topics.LOGINS, "customer_id", at, at, **{"customer_id": "ann", "channel": "app"} | fields)

    def campaign(self, campaign_id: str = "spring", **fields: Any) -> int:
        """Append a definition that wants deposits."""
        common = {
            "campaign_id": campaign_id,
            "name": campaign_id,
            "starts_at": "2026-03-01T00:00:00Z",
            "goal": {"kinds": ["deposit"]},
        }
        return self.send(topics.CAMPAIGNS, campaign_id, common | fields)

    def customer(self, customer_id: str, tier: str | None) -> int:
        """Append a profile."""
        return self.send(topics.CUSTOMERS, customer_id, {"customer_id": customer_id, "tier": tier})
