"""The topics of the public contract (section 1) and the lanes they are processed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

LOGINS: Final = "bank.logins.v1"
TRANSACTIONS: Final = "bank.transactions.v1"
TOUCHES: Final = "bank.touches.v1"
COSTS: Final = "bank.costs.v1"
CAMPAIGNS: Final = "bank.campaigns.v1"
CUSTOMERS: Final = "bank.customers.v1"
ALERTS: Final = "roi.alerts.v1"
STOPS: Final = "roi.stops.v1"

EVENT_TOPICS: Final = (LOGINS, TRANSACTIONS, TOUCHES, COSTS)
DIMENSION_TOPICS: Final = (CAMPAIGNS, CUSTOMERS)
INPUT_TOPICS: Final = EVENT_TOPICS + DIMENSION_TOPICS
CUSTOMER_KEYED_TOPICS: Final = (LOGINS, TRANSACTIONS, TOUCHES, CUSTOMERS)
ALL_TOPICS: Final = (*INPUT_TOPICS, ALERTS, STOPS)

Cleanup = Literal["delete", "compact"]


@dataclass(frozen=True, slots=True)
class Lane:
    """Topics whose equal partition numbers are processed together, as one shard (Kafka Streams: a sub-topology).

    Attributes:
        events: topics whose records are assigned to workers, handed over and counted.
        dimensions: tables partitioned like them, read by the worker that owns the shard. The campaigns are none: every
            worker reads that table whole.
    """

    name: str
    events: tuple[str, ...]
    dimensions: tuple[str, ...] = ()

    @property
    def topics(self) -> tuple[str, ...]:
        """Every topic of which a shard has a position."""
        return self.events + self.dimensions


CUSTOMER_LANE: Final = Lane("customer", (LOGINS, TRANSACTIONS, TOUCHES), (CUSTOMERS,))
CAMPAIGN_LANE: Final = Lane("campaign", (COSTS,))
LANES: Final = (CUSTOMER_LANE, CAMPAIGN_LANE)
LANE_OF_TOPIC: Final = {topic: lane for lane in LANES for topic in lane.events}


def cleanup_policy(topic: str) -> Cleanup:
    """Return how Kafka tidies a topic: dimension tables are compacted, everything else expires."""
    return "compact" if topic in DIMENSION_TOPICS else "delete"


def dead_letter_topic(topic: str) -> str:
    """Return the topic that takes an input topic's bad records."""
    return f"{topic}.dlq"


KEY_FIELD: Final = {topic: "customer_id" if topic in CUSTOMER_KEYED_TOPICS else "campaign_id" for topic in INPUT_TOPICS}
