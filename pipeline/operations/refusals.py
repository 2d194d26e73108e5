"""What workers have refused: events, and definitions of campaigns and customers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from schemas.topics import DIMENSION_TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeline.clickhouse.reader import Reader

_REFUSED: Final = """
    SELECT topic, reason, count() AS letters FROM dead_letters WHERE run = 'live'
    GROUP BY topic, reason ORDER BY topic, reason
"""


def refusals(reader: Reader) -> list[dict[str, Any]]:
    """Return the dead letters of all lives of the topics: how many by topic and reason."""
    return reader.rows(_REFUSED)


def events_by_reason(found: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many events were refused by reason, the most frequent one first."""
    letters: Counter[str] = Counter()
    for row in found:
        if row["topic"] not in DIMENSION_TOPICS:
            letters[row["reason"]] += row["letters"]
    return dict(sorted(letters.items(), key=lambda item: (-item[1], item[0])))


def definitions_by_topic(found: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many definitions were refused by their topic."""
    letters: Counter[str] = Counter()
    for row in found:
        if row["topic"] in DIMENSION_TOPICS:
            letters[row["topic"]] += row["letters"]
    return dict(letters)
