"""Prometheus metrics of a worker. Labels are topics and outcomes only: no campaign, no customer."""

from __future__ import annotations

import time
from collections import Counter as Tally
from typing import TYPE_CHECKING, Final, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, Histogram, Info, ProcessCollector

from pipeline.build import build_info
from pipeline.state.intake import FROM_THE_FUTURE, ORPHAN_REVERSAL, TOO_LATE
from pipeline.transport.ports import TP
from pipeline.worker.freshness import Freshness
from pipeline.worker.health import Health
from schemas.judge import Reason
from schemas.topics import EVENT_TOPICS, INPUT_TOPICS, LANES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeline.ledger.rows import ShardBlock
    from pipeline.transport.ports import RecordBatch
    from pipeline.worker.shard import OwnedShard

_BLOCK_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_AGE_SECONDS = (0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)
# every reason of a dead letter (contract section 2)
REASONS: Final = tuple(dict.fromkeys((*get_args(Reason), "internal_error", TOO_LATE, FROM_THE_FUTURE, ORPHAN_REVERSAL)))
# of the campaigns every worker reads the whole table
LAG_TOPICS: Final = tuple(topic for lane in LANES for topic in lane.topics)
_REASON_LENGTH: Final = 300
LOG_FAULTS: Final = ("recreated", "cut_short", "records_lost")


class Telemetry:
    """Counts what a worker does, in a registry of its own; nothing here is called for every event.

    Every label that can occur is there from the start: an alert on a series that appears with the first fault would
    miss that fault.

    Args:
        commit: the commit that the image was built from, '' where a checkout tells it.
    """

    def __init__(self, commit: str = "") -> None:
        self.registry = CollectorRegistry()
        self.health = Health()
        self._freshness = Freshness()
        self._newest_ms: dict[str, int] = {}
        Info("roi_build", "Version, commit and interpreter of this worker", registry=self.registry).info(
            build_info(commit)
        )
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._define_records()
        self._define_blocks()
        self._show_all_series()

    def _define_records(self) -> None:
        self._events = Counter(
            "roi_events", "Events taken in, by topic and outcome", ("topic", "outcome"), registry=self.registry
        )
        self._log_faults = Counter(
            "roi_log_faults", "Logs found recreated or cut short", ("topic", "fault"), registry=self.registry
        )
        self._dead_letters = Counter(
            "roi_dead_letters", "Refused records, by topic and reason", ("topic", "reason"), registry=self.registry
        )
        self._lag = Gauge(
            "roi_lag_records",
            "Records of the owned partitions that are not visible yet, looked up every 10 s",
            ("topic",),
            registry=self.registry,
        )
        self._last_event = Gauge(
            "roi_last_event_timestamp_seconds",
            "Kafka timestamp of the newest record taken in since the start, 0 = none",
            ("topic",),
            registry=self.registry,
        )
        self._age = Histogram(
            "roi_freshness_seconds",
            "Age of the oldest record of a batch, by its Kafka timestamp, when its block was acknowledged",
            ("topic",),
            buckets=_AGE_SECONDS,
            registry=self.registry,
        )

    def _define_blocks(self) -> None:
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
        cycle = Gauge(
            "roi_cycle_age_seconds", "Seconds since the last turn of the commit cycle", registry=self.registry
        )
        cycle.set_function(lambda: self.health.cycle_age)

    def _show_all_series(self) -> None:
        for topic in INPUT_TOPICS:
            self._events.labels(topic, "bad")
            for reason in REASONS:
                self._dead_letters.labels(topic, reason)
            for fault in LOG_FAULTS:
                self._log_faults.labels(topic, fault)
        for topic in EVENT_TOPICS:
            self._events.labels(topic, "good")
            self._events.labels(topic, "erased")
            self._last_event.labels(topic)
            self._age.labels(topic)
        for topic in LAG_TOPICS:
            self._lag.labels(topic)
        for outcome in ("written", "retried", "fenced"):
            self._blocks.labels(outcome)

    def events(self, topic: str, good: int, bad: int) -> None:
        """Count a batch."""
        self._events.labels(topic, "good").inc(good)
        if bad:
            self._events.labels(topic, "bad").inc(bad)

    def batch(self, batch: RecordBatch) -> None:
        """Note a batch that was taken in, so that it is known how old its events are when they become visible."""
        if batch.stamped is not None:
            newest = self._newest_ms[batch.topic] = max(self._newest_ms.get(batch.topic, 0), batch.stamped[1])
            self._last_event.labels(batch.topic).set(newest / 1000)
            self._freshness.taken_in(batch)

    def made_durable(self, partition: int, block: ShardBlock) -> None:
        """Note one shard's part of an acknowledged block."""
        now = time.time()
        for position in block.positions:
            for oldest_ms in self._freshness.made_durable(TP(position.topic, partition), position.next_offset):
                self._age.labels(position.topic).observe(max(0.0, now - oldest_ms / 1000))
        refused = Tally((letter.topic, letter.reason) for letter in block.dead_letters)
        for (topic, reason), letters in refused.items():
            self._dead_letters.labels(topic, reason).inc(letters)

    def lag(self, records: Mapping[str, int]) -> None:
        """Note the lag by topic; topics that are not named have none."""
        for topic in LAG_TOPICS:
            self._lag.labels(topic).set(records.get(topic, 0))

    def erased(self, topic: str, events: int) -> None:
        """Count events of erased customers, which count nowhere else."""
        self._events.labels(topic, "erased").inc(events)

    def block_written(self, rows: int, size: int, seconds: float) -> None:
        """Count an acknowledged block."""
        self._blocks.labels("written").inc()
        self._rows.inc(rows)
        self._bytes.inc(size)
        self._seconds.observe(seconds)
        self.health.block_written()
        self.health.working("blocks")

    def block_retried(self, reason: str = "not acknowledged") -> None:
        """Count an attempt of unknown outcome."""
        self._blocks.labels("retried").inc()
        self.health.failing("blocks", reason[:_REASON_LENGTH])

    def block_fenced(self) -> None:
        """Count a block refused because its shard has a new owner."""
        self._blocks.labels("fenced").inc()

    def shards(self, shards: Iterable[OwnedShard]) -> None:
        """Note what is owned."""
        owned = list(shards)
        self._shards.set(len(owned))
        self._customers.set(sum(shard.core.customer_count for shard in owned))
        self.health.owns(owned)
        self._freshness.keep(TP(topic, shard.partition) for shard in owned for topic in shard.lane.events)

    def log_fault(self, topic: str, fault: str) -> None:
        """Count a log that is not the one the ledger knows."""
        self._log_faults.labels(topic, fault).inc()
