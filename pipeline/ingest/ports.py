"""What ingestion and simulation need of a Kafka producer."""

from __future__ import annotations

from typing import Protocol, TypeAlias

Record: TypeAlias = tuple[str, bytes, bytes | None]
"""Topic, key, value; no value is a tombstone."""


class RecordProducer(Protocol):
    """Hands records to a broker, keeping the order of those with one key."""

    def send(self, topic: str, key: bytes, value: bytes | None) -> None:
        """Queue one record; waits while too many are not yet acknowledged."""

    def flush(self) -> None:
        """Return once the broker has acknowledged every record queued before; raise if one of them failed."""
