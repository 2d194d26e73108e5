"""Prometheus metrics of a worker. Labels are topics and outcomes only: no campaign, no customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.worker.shard import OwnedShard

_BLOCK_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Telemetry:
    """Counts what a worker does, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._events = Counter(
            "roi_events", "Events taken in, by topic and outcome", ("topic", "outcome"), registry=self.registry
        )
        self._rows = Counter("roi_ledger_rows", "Ledger rows made durable", registry=self.registry)
        self._bytes = Counter("roi_ledger_bytes", "Bytes of the blocks made durable", registry=self.registry)
        self._blocks = Counter("roi_ledger_blocks", "Blocks by outcome", ("outcome",), registry=self.registry)
        self._seconds = Histogram(
            "roi_ledger_block_seconds",
            "Time from sending a block to its acknowledgement",
            buckets=_BLOCK_SECONDS,
            registry=self.registry,
        )
        self._shards = Gauge("roi_shards_owned", "Shards owned by this worker", registry=self.registry)
        self._customers = Gauge("roi_customers_in_memory", "Customers with any state in memory", registry=self.registry)
        self._log_faults = Counter(
            "roi_log_faults", "Logs found recreated or cut short", ("topic", "fault"), registry=self.registry
        )

    def events(self, topic: str, good: int, bad: int) -> None:
        """Count a batch."""
        self._events.labels(topic, "good").inc(good)
        if bad:
            self._events.labels(topic, "bad").inc(bad)

    def erased(self, topic: str, events: int) -> None:
        """Count events of erased customers, which count nowhere else."""
        self._events.labels(topic, "erased").inc(events)

    def block_written(self, rows: int, size: int, seconds: float) -> None:
        """Count an acknowledged block."""
        self._blocks.labels("written").inc()
        self._rows.inc(rows)
        self._bytes.inc(size)
        self._seconds.observe(seconds)

    def block_retried(self) -> None:
        """Count an attempt of unknown outcome."""
        self._blocks.labels("retried").inc()

    def block_fenced(self) -> None:
        """Count a block refused because its shard has a new owner."""
        self._blocks.labels("fenced").inc()

    def shards(self, shards: Iterable[OwnedShard]) -> None:
        """Note what is owned."""
        owned = list(shards)
        self._shards.set(len(owned))
        self._customers.set(sum(shard.core.customer_count for shard in owned))

    def log_fault(self, topic: str, fault: str) -> None:
        """Count a log that is not the one the ledger knows."""
        self._log_faults.labels(topic, fault).inc()
