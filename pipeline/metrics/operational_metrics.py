"""Definitions of what tells how the pipeline itself does: positions, erasures and the Prometheus metrics."""

from __future__ import annotations

from typing import Final

from pipeline.metrics.definitions import COUNT, MetricDefinition

_WORKER: Final = "pipeline/worker/telemetry.py"
_TRANSPORT: Final = "pipeline/transport/metrics.py"
_POSITIONS: Final = "0003_operations_views.sql"


def _position(name: str, label: str, formula: str, unit: str = COUNT) -> MetricDefinition:
    return MetricDefinition(name, label, formula, unit, _POSITIONS, "operational", (f"positions.{name}",))


def _family(name: str, label: str, help_text: str, source: str, unit: str = COUNT) -> MetricDefinition:
    return MetricDefinition(name, label, help_text, unit, source, "operational")


POSITION_METRICS: Final = (
    _position("next_offset", "Next offset", "first offset of the topic partition that is not durable", "offset"),
    _position("watermark_ms", "Watermark", "largest occurred_at seen on the topic partition", "epoch milliseconds"),
    _position("accepted", "Accepted", "events of the topic partition that count"),
    _position("duplicates", "Duplicates", "re-sent events of the topic partition, dropped"),
    _position("dead_letters", "Dead letters", "refused records of the topic partition"),
)

ERASURE_METRICS: Final = tuple(
    MetricDefinition(
        f"erased_{name}",
        f"Erased {name}",
        f"{name} of the customer that were removed",
        COUNT,
        "0009_erasure.sql",
        "operational",
        (f"erasures.{name}",),
    )
    for name in ("touches", "transactions", "logins", "credits", "adjustments", "profiles")
)

PROMETHEUS_METRICS: Final = (
    _family("roi_events", "Events", "Events taken in, by topic and outcome", _WORKER),
    _family("roi_ledger_rows", "Ledger rows", "Ledger rows made durable", _WORKER),
    _family("roi_ledger_bytes", "Ledger bytes", "Bytes of the blocks made durable", _WORKER, "bytes"),
    _family("roi_ledger_blocks", "Blocks", "Blocks by outcome", _WORKER),
    _family(
        "roi_ledger_block_seconds", "Block time", "Time from sending a block to its acknowledgement", _WORKER, "seconds"
    ),
    _family("roi_shards_owned", "Shards owned", "Shards owned by this worker", _WORKER),
    _family("roi_customers_in_memory", "Customers in memory", "Customers with any state in memory", _WORKER),
    _family("roi_log_faults", "Log faults", "Logs found recreated or cut short", _WORKER),
    _family("roi_consumed_records", "Records consumed", "Records handed to the processor", _TRANSPORT),
    _family("roi_shard_retries", "Take-over retries", "Take-overs repeated after a failure or a hole", _TRANSPORT),
    _family(
        "roi_stale_batches", "Stale batches", "Batches dropped because their partition was taken over anew", _TRANSPORT
    ),
    _family("roi_commit_failures", "Commit failures", "Position commits for the lag display that failed", _TRANSPORT),
    _family("roi_topic_halted", "Topic halted", "1 while the topic is halted, read by no worker", _TRANSPORT, "0 or 1"),
)
