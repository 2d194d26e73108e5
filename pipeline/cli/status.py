"""`roi status`: how far each topic is, who works, how fresh the numbers are."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final, NoReturn

import typer

from pipeline.cli import options
from pipeline.cli.faults import print_faults
from pipeline.errors import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pipeline.clickhouse.reader import Reader
    from pipeline.operations.lag import Standing
    from pipeline.settings import Settings

_OWNERS: Final = """
    SELECT uniqExact(owner) AS owners
    FROM (SELECT argMax(owner, epoch) AS owner FROM claims WHERE run = 'live' GROUP BY shard)
"""
_COUNTERS: Final = ("accepted", "duplicates", "dead_letters")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="status", epilog=options.example("roi status --data data"))(_status)


def _status(as_json: options.Json = False, data: options.Data = None) -> None:
    """Show per topic how far behind it is and what became of its events."""
    from pipeline.cli.output import Column, print_rows
    from pipeline.clickhouse.reader import Reader
    from pipeline.operations.health import faults
    from pipeline.operations.lag import log_ends, positions
    from pipeline.operations.observing import QUESTION_SECONDS, observe
    from pipeline.operations.refusals import definitions_by_topic, refusals
    from pipeline.transport.reading import worker_count

    settings = options.settings_for(data)
    reader = Reader(settings, timeout_seconds=QUESTION_SECONDS)
    try:
        rows = positions(reader)
        topics = summarise(log_ends(settings).standings(rows), rows)
        # the embedded broker does not tell a group's members: there, who owns the shards stands in for them
        refused = definitions_by_topic(refusals(reader))
        workers = shard_owners(reader) if settings.kafka_incarnation else worker_count(settings)
    except UnreachableError as error:
        _tell_unreachable(error, settings, data, as_json=as_json)
    age = block_age_seconds(rows, time.time())
    lag = sum(topic["lag"] for topic in topics)
    seen = observe(settings, data, asks_kafka=True, lag=lag, block_age_seconds=age)
    wrong = faults(seen)
    if as_json:
        found = {
            "faults": [fault.as_dict() for fault in wrong],
            "halted": [asdict(halt) for halt in seen.halts],
            "log_faults": [asdict(fault) for fault in seen.log_faults],
            "topics": topics,
            "definitions_refused": refused,
            "workers": workers,
            "last_block_age_seconds": age,
        }
        typer.echo(json.dumps(found, indent=2))
        return
    columns = (
        Column("topic", "Topic"),
        Column("partitions", "Partitions", "number"),
        Column("lag", "Lag", "number"),
        Column("accepted", "Accepted", "number"),
        Column("duplicates", "Duplicates", "number"),
        Column("dead_letters", "Dead letters", "number"),
        Column("watermark", "Watermark (newest event)"),
    )
    print_rows(topics, columns, as_json=False, empty="no topic")
    for topic, letters in refused.items():
        typer.echo(f"{topic}: {letters:,} refused (roi dlq list --topic {topic})")
    last = "no block written yet" if age is None else f"last block {age:.1f} s ago"
    typer.echo(f"workers {workers} · {last}")
    print_faults(wrong)


def _tell_unreachable(error: UnreachableError, settings: Settings, data: Path | None, *, as_json: bool) -> NoReturn:
    """Say what else is at fault where a server does not answer: mostly it is the same thing."""
    from pipeline.operations.health import faults
    from pipeline.operations.observing import observe

    seen = observe(settings, data)
    wrong = faults(seen if seen.unreachable else replace(seen, unreachable=(("Kafka", error.cause, error.remedy),)))
    if as_json:
        typer.echo(json.dumps({"faults": [fault.as_dict() for fault in wrong]}, indent=2))
    print_faults(wrong, err=True)
    raise typer.Exit(1)


def shard_owners(reader: Reader) -> int:
    """Return how many workers own shards by the latest claims; one that has ended counts until another claims."""
    return int(reader.rows(_OWNERS)[0]["owners"])


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


def block_age_seconds(rows: Iterable[Mapping[str, Any]], now: float) -> float | None:
    """Return the age of the newest block, given the wall clock in epoch seconds; None when there is no block."""
    newest = max((row["written_ms"] for row in rows), default=None)
    return None if newest is None else round(max(0.0, now - newest / 1000), 3)


def _instant(epoch_ms: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(epoch_ms / 1000, UTC).isoformat(timespec="milliseconds")
