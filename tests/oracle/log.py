"""What the oracle reads: the records of every topic partition, in offset order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class Record(NamedTuple):
    """One Kafka record."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


Log = Mapping[tuple[str, int], Sequence[Record]]


def log_of(records: Iterable[Record]) -> dict[tuple[str, int], list[Record]]:
    """Return records, given in any interleaving of the partitions, as a log in offset order."""
    log: dict[tuple[str, int], list[Record]] = defaultdict(list)
    for record in records:
        log[record.topic, record.partition].append(record)
    return {place: sorted(log[place], key=lambda record: record.offset) for place in sorted(log)}
