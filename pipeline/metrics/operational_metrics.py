"""Definitions of what tells how the pipeline itself does: positions, erasures and the Prometheus metrics."""

from __future__ import annotations

from typing import Final

from pipeline.metrics.definitions import COUNT, MetricDefinition

_WORKER: Final = "pipeline/worker/telemetry.py"
_TRANSPORT: Final = "pipeline/transport/metrics.py"
_ALERTS: Final = "pipeline/alerts/telemetry.py"
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

# of the Prometheus client itself; its words
_PROCESS_METRICS: Final = (
    _family("process_virtual_memory_bytes", "Virtual memory", "Virtual memory size in bytes.", _WORKER, "bytes"),
    _family("process_resident_memory_bytes", "Memory", "Resident memory size in bytes.", _WORKER, "bytes"),
    _family(
        "process_start_time_seconds",
        "Process start",
        "Start time of the process since unix epoch in seconds.",
        _WORKER,
        "epoch seconds",
    ),
    _family(
        "process_cpu_seconds", "Processor time", "Total user and system CPU time spent in seconds.", _WORKER, "seconds"
    ),
    _family("process_open_fds", "Open files", "Number of open file descriptors.", _WORKER),
    _family("process_max_fds", "Open files, most", "Maximum number of open file descriptors.", _WORKER),
    _family("python_gc_objects_collected", "Garbage collected", "Objects collected during gc", _WORKER),
    _family("python_gc_objects_uncollectable", "Garbage kept", "Uncollectable objects found during GC", _WORKER),
    _family("python_gc_collections", "Garbage collections", "Number of times this generation was collected", _WORKER),
)

ALERT_PROMETHEUS_METRICS: Final = (
    _family("roi_alerts_deciding", "Deciding", "1 while this instance decides", _ALERTS),
    _family("roi_alerts", "Alerts", "Current alerts by state", _ALERTS),
    _family("roi_alert_changes", "Changes of alerts", "Changes of alerts by the state after them", _ALERTS),
    _family("roi_alert_actions", "Actions on alerts", "Actions by outcome", _ALERTS),
    _family(
        "roi_alert_turn_seconds",
        "Time of a look",
        "Time of one look at all campaigns, its changes made durable",
        _ALERTS,
        "seconds",
    ),
    _family(
        "roi_alerts_as_of_timestamp_seconds",
        "As of",
        "Event time that the newest look went up to, 0 = none",
        _ALERTS,
        "epoch seconds",
    ),
    _family(
        "roi_alerts_turn_age_seconds",
        "Age of the last look",
        "Seconds since the last turn or start",
        _ALERTS,
        "seconds",
    ),
    _family("roi_alert_messages", "Messages", "Messages stored in Kafka", _ALERTS),
    _family(
        "roi_alert_message_failures", "Failed publishing", "Attempts to publish after which messages waited on", _ALERTS
    ),
    _family("roi_alert_notifications", "Notifications", "Attempts to tell a receiver by outcome", _ALERTS),
    _family("roi_alerts_waiting", "Waiting", "Messages and notifications that wait to be sent", _ALERTS),
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
    _family("roi_dead_letters", "Dead letters", "Refused records, by topic and reason", _WORKER),
    _family(
        "roi_lag_records",
        "Lag",
        "Records of the owned partitions that are not visible yet, looked up every 10 s",
        _WORKER,
        "records",
    ),
    _family(
        "roi_last_event_timestamp_seconds",
        "Last event",
        "Kafka timestamp of the newest record taken in since the start, 0 = none",
        _WORKER,
        "epoch seconds",
    ),
    _family(
        "roi_freshness_seconds",
        "Freshness",
        "Age of the oldest record of a batch, by its Kafka timestamp, when its block was acknowledged",
        _WORKER,
        "seconds",
    ),
    _family(
        "roi_cycle_age_seconds", "Cycle age", "Seconds since the last turn of the commit cycle", _WORKER, "seconds"
    ),
    _family("roi_build", "Build", "Version, commit and interpreter of this worker", _WORKER),
    *_PROCESS_METRICS,
    _family("roi_log_faults", "Log faults", "Logs found recreated or cut short", _WORKER),
    _family("roi_consumed_records", "Records consumed", "Records handed to the processor", _TRANSPORT),
    _family("roi_shard_retries", "Take-over retries", "Take-overs repeated after a failure or a hole", _TRANSPORT),
    _family(
        "roi_stale_batches", "Stale batches", "Batches dropped because their partition was taken over anew", _TRANSPORT
    ),
    _family("roi_commit_failures", "Commit failures", "Position commits for the lag display that failed", _TRANSPORT),
    _family("roi_topic_halted", "Topic halted", "1 while the topic is halted, read by no worker", _TRANSPORT, "0 or 1"),
)
