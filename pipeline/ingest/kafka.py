"""What ingestion and simulation ask of Kafka and the ledger."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pipeline.clickhouse.reader import Reader
from pipeline.errors import UserError
from pipeline.ingest.expecting import Foreteller, Watermarks
from pipeline.operations.lag import positions
from pipeline.state.calendar import MINUTE_MS, whole_milliseconds
from pipeline.transport.admin import TopicAdmin
from pipeline.transport.producer import EventProducer
from pipeline.transport.reading import MISSING_REMEDY, partition_counts
from schemas.instants import to_epoch_milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.settings import Settings

_ANSWER_SECONDS: Final = 3.0


def open_producer(settings: Settings, topics: Iterable[str]) -> EventProducer:
    """Return a producer for topics that are there: a mistake shows before the first record, and not in the midst.

    Raises:
        UserError: no broker answers, or a topic is missing.
    """
    with TopicAdmin(settings) as admin:
        missing = sorted(set(topics) - set(admin.topics()))
    if missing:
        raise UserError(f"topics missing at {settings.kafka_bootstrap_servers}: {', '.join(missing)}", MISSING_REMEDY)
    return EventProducer(settings)


def foreteller(settings: Settings, *, is_sorted: bool) -> Foreteller:
    """Return what says of records whether the workers will refuse them.

    A ledger or a broker that does not answer leaves the watermarks unknown: then only what is late within the
    input itself is foretold.
    """
    counts: dict[str, int] = {}
    known: dict[tuple[str, int], int] = {}
    with suppress(UserError):
        counts = partition_counts(settings, _ANSWER_SECONDS)
    with suppress(UserError):
        rows = positions(Reader(settings, timeout_seconds=_ANSWER_SECONDS))
        known = {(row["topic"], row["partition"]): row["watermark_ms"] for row in rows}
    watermarks = Watermarks(
        lateness_ms=whole_milliseconds(settings.time.lateness_days),
        future_ms=round(settings.time.future_minutes * MINUTE_MS),
        partition_counts=counts,
        known=known,
        follows=not is_sorted,
    )
    return Foreteller(settings.reporting_currency, to_epoch_milliseconds(settings.time.earliest), watermarks)
