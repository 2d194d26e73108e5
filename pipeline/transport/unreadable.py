"""Partitions that cannot be read on, of a record batch that nobody can read above all."""
# ruff: noqa: SLF001 - aiokafka tells nobody which partition's records have failed

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import CorruptRecordException, KafkaError

from pipeline.error_words import Telling
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.transport.ports import TP

_log = logging.getLogger(__name__)
_NAMED: Final = 3
_telling: Final = Telling()


class UnreadableError(KafkaError, PipelineError):  # type: ignore[misc] # aiokafka is untyped here
    """A partition cannot be read on: it waits, the others go on, and log and health say so. It is tried again.

    The text names partitions and the kind of the error, and quotes no record. ``partitions`` are those that failed; of
    several it is one, and none where nobody knows.
    """

    def __init__(self, partitions: Iterable[TP], what: str) -> None:
        self.partitions = frozenset(partitions)
        names = [f"{topic} partition {number}" for topic, number in sorted(self.partitions)] or ["a partition"]
        which = names[0] if len(names) == 1 else f"one of {', '.join(names[:_NAMED])}{', …' * (len(names) > _NAMED)}"
        super().__init__(f"{which} {what}")

    def __str__(self) -> str:
        return str(self.args[0])


def unreadable(partitions: Iterable[TP], error: Exception) -> UnreadableError:
    """Return the error for what the broker, a codec or aiokafka's own reading of the partitions has raised.

    A broker that checks batches takes none whose sum is right and whose content is not what its codec wrote. One that
    does not hands them out for ever. What is no error of Kafka's may as well be a fault of this program: the log has
    its traceback, once.
    """
    if not isinstance(error, KafkaError):
        _log.error("reading a record batch failed: %s", _telling.words(error))
    elif not isinstance(error, CorruptRecordException):
        return UnreadableError(partitions, f"cannot be fetched ({type(error).__name__})")
    # aiokafka's words for a broken batch name the partition and no record
    words = f": {error.args[0]}" if isinstance(error, KafkaError) and error.args else ""
    return UnreadableError(partitions, f"holds a record batch that cannot be read ({type(error).__name__}{words})")


def broken_among(fetcher: Any, partitions: Iterable[TP]) -> list[TP]:
    """Return those whose records have raised an error on being read by aiokafka, which has moved on over others'.

    Args:
        fetcher: aiokafka's; nothing was sought in it since.
        partitions: which ones were asked for.
    """
    return [tp for tp in partitions if _is_torn(fetcher._records.get(tp))]


def _is_torn(result: Any) -> bool:
    """Tell whether the iterator over what was fetched has ended by an error: one that has ended well is taken away."""
    records = result._partition_records if isinstance(result, FetchResult) else None
    reading = None if records is None else records._records_iterator
    return reading is not None and reading.gi_frame is None
