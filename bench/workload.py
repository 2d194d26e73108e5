"""Filling the topics, and asking how far the ledger has come."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from pipeline.clickhouse.reader import Reader
from pipeline.transport.admin import TopicAdmin
from pipeline.transport.producer import EventProducer
from schemas.topics import EVENT_TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.figures import Partition
    from pipeline.settings import Settings

_FLUSH_SECONDS: Final = 300.0
_POSITIONS: Final = "SELECT topic, partition, next_offset, dead_letters FROM {database}.positions WHERE run = 'live'"


def fill(settings: Settings, events: Iterable[tuple[str, bytes, bytes]]) -> int:
    """Write the events to their topics and return how many records these hold."""
    producer = EventProducer(settings, delivery_seconds=_FLUSH_SECONDS)
    for topic, key, value in events:
        producer.send(topic, key, value)
    producer.flush(_FLUSH_SECONDS)
    with TopicAdmin(settings) as admin:
        return sum(bounds.end - bounds.start for bounds in admin.log_bounds(EVENT_TOPICS).values())


class LedgerProgress:
    """How far an instance's ledger has come: asks ClickHouse for the durable positions."""

    def __init__(self, settings: Settings) -> None:
        self._reader = Reader(settings)
        self._query = _POSITIONS.format(database=settings.clickhouse_database)

    def positions(self) -> tuple[float, dict[Partition, int]]:
        """Return the next offset of every event partition, and the monotonic time at which the answer was there."""
        found = {(row["topic"], row["partition"]): row["next_offset"] for row in self._rows()}
        return time.monotonic(), found

    def refused(self) -> int:
        """Return how many records of event topics are dead letters."""
        return sum(row["dead_letters"] for row in self._rows())

    def _rows(self) -> list[dict[str, Any]]:
        return [row for row in self._reader.rows(self._query) if row["topic"] in EVENT_TOPICS]
