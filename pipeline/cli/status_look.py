"""What `roi status` shows, read once, and how it is written."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pipeline.cli.output import Column
    from pipeline.clickhouse.reader import Reader
    from pipeline.operations.health import Fault, Observations
    from pipeline.operations.lag import Standing
    from pipeline.settings import Settings

_COUNTERS: Final = ("accepted", "duplicates", "dead_letters")


@dataclass(frozen=True, slots=True)
class StatusLook:
    """How everything stands at one moment.

    Attributes:
        topics: one row a topic: partitions, lag, counters, watermark.
        refused: dead letters of dimension tables, by topic.
        workers: who own shards.
        age: of the newest block, in seconds; None = there is none.
        alerts: of campaigns that ask for somebody, the most money at risk first.
        seen: what was observed of the parts.
        faults: what is wrong.
        are_claims: the workers are those of the last claims: the broker does not tell who is there.
    """

    topics: Sequence[Mapping[str, Any]]
    refused: Mapping[str, int]
    workers: int
    age: float | None
    alerts: Sequence[Mapping[str, Any]]
    seen: Observations
    faults: Sequence[Fault]
    are_claims: bool = False

    @property
    def workers_text(self) -> str:
        """How many workers there are, and how far that is known."""
        return f"workers {self.workers}{' by their last claims' * self.are_claims}"

    @property
    def events(self) -> int:
        """Records that have become durable in any way."""
        return sum(topic[counter] for topic in self.topics for counter in _COUNTERS)

    def as_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "faults": [fault.as_dict() for fault in self.faults],
            "halted": [asdict(halt) for halt in self.seen.halts],
            "log_faults": [asdict(fault) for fault in self.seen.log_faults],
            "topics": self.topics,
            "definitions_refused": self.refused,
            "workers": self.workers,
            "last_block_age_seconds": self.age,
            "alerts": self.alerts,
        }


def look(settings: Settings, data: Path | None) -> StatusLook:
    """Ask Kafka, ClickHouse and the supervisor.

    Raises:
        UnreachableError: one of the two servers does not answer.
    """
    from pipeline.clickhouse.reader import Reader
    from pipeline.operations.health import faults
    from pipeline.operations.lag import looked_again, waiting
    from pipeline.operations.observing import QUESTION_SECONDS, observe
    from pipeline.operations.presence import workers_seen
    from pipeline.operations.refusals import definitions_by_topic, refusals

    reader = Reader(settings, timeout_seconds=QUESTION_SECONDS)
    found = waiting(settings, reader)
    topics = summarise(found.standings, found.rows)
    refused = definitions_by_topic(refusals(reader))
    workers = workers_seen(settings, reader)
    observed = observe(
        settings,
        data,
        asks_kafka=True,
        asks_parts=True,
        workers=workers,
        lag=found.lag,
        block_age_seconds=found.age_seconds,
    )
    seen = looked_again(observed, lambda: waiting(settings, reader))
    alerts, age = _alerts(reader, settings), seen.block_age_seconds
    return StatusLook(topics, refused, workers.number, age, alerts, seen, faults(seen), workers.are_claims)


def topic_columns() -> tuple[Column, ...]:
    """Return the columns of the topics' table."""
    from pipeline.cli.output import Column

    return (
        Column("topic", "Topic"),
        Column("partitions", "Partitions", "number", is_detail=True),
        Column("lag", "Lag", "number"),
        Column("accepted", "Accepted", "number"),
        Column("duplicates", "Duplicates", "number"),
        Column("dead_letters", "Dead letters", "number"),
        Column("watermark", "Watermark (newest event)", "word", is_detail=True),
    )


def summary_lines(found: StatusLook) -> list[str]:
    """Return what stands below the topics: refused definitions, workers, freshness, alerts."""
    lines = [f"{topic}: {letters:,} refused (roi dlq list --topic {topic})" for topic, letters in found.refused.items()]
    last = "no block written yet" if found.age is None else f"last block {found.age:.1f} s ago"
    lines.append(f"{found.workers_text} · {last}")
    states = Counter(alert["state"] for alert in found.alerts)
    if states:
        told = ", ".join(f"{number} {state}" for state, number in states.most_common())
        lines.append(f"alerts: {told} (roi alerts list)")
    return lines


def _alerts(reader: Reader, settings: Settings) -> list[dict[str, Any]]:
    from pipeline.clickhouse import sql

    return reader.rows(sql.query("status_alerts", settings.clickhouse_database))


def summarise(standing: Iterable[Standing], rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one row per topic: lag and counters are sums, the watermark is the newest of its partitions."""
    topics: dict[str, dict[str, Any]] = {}
    for partition in standing:
        topic = topics.setdefault(
            partition.topic,
            {"topic": partition.topic, "partitions": 0, "lag": 0, **dict.fromkeys(_COUNTERS, 0), "watermark": None},
        )
        topic["partitions"] += 1
        topic["lag"] += partition.lag
    watermarks: dict[str, int] = defaultdict(int)
    for row in rows:
        if row["topic"] in topics:
            for counter in _COUNTERS:
                topics[row["topic"]][counter] += row[counter]
            watermarks[row["topic"]] = max(watermarks[row["topic"]], row["watermark_ms"])
    for name, watermark_ms in watermarks.items():
        topics[name]["watermark"] = _instant(watermark_ms) if watermark_ms > 0 else None
    return list(topics.values())


def _instant(epoch_ms: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat(timespec="milliseconds")
