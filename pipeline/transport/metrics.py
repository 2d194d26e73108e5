"""Counters of the transport, on a registry that the worker serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge

from schemas.topics import EVENT_TOPICS, INPUT_TOPICS

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class TransportMetrics:
    """What the consumer counts, labelled by topic."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.records = Counter("roi_consumed_records", "Records handed to the processor", ["topic"], registry=registry)
        self.retries = Counter(
            "roi_shard_retries", "Take-overs repeated after a failure or a hole", ["topic"], registry=registry
        )
        self.stale = Counter(
            "roi_stale_batches",
            "Batches dropped because their partition was taken over anew",
            ["topic"],
            registry=registry,
        )
        self.commit_failures = Counter(
            "roi_commit_failures", "Position commits for the lag display that failed", registry=registry
        )
        self.halted = Gauge(
            "roi_topic_halted", "1 while the topic is halted, read by no worker", ["topic"], registry=registry
        )
        # all series from the start: an alert on one that appears with the first fault would miss that fault
        for topic in EVENT_TOPICS:
            for family in (self.records, self.retries, self.stale):
                family.labels(topic)
        for topic in INPUT_TOPICS:
            self.halted.labels(topic)
