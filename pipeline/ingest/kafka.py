"""The producer that ingestion and simulation write with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import UserError
from pipeline.transport.admin import TopicAdmin
from pipeline.transport.producer import EventProducer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.settings import Settings


def open_producer(settings: Settings, topics: Iterable[str]) -> EventProducer:
    """Return a producer for topics that are there: a mistake shows before the first record, and not in the midst.

    Raises:
        UserError: no broker answers, or a topic is missing.
    """
    with TopicAdmin(settings) as admin:
        missing = sorted(set(topics) - set(admin.topics()))
    if missing:
        raise UserError(
            f"topics missing at {settings.kafka_bootstrap_servers}: {', '.join(missing)}", "create them: roi migrate"
        )
    return EventProducer(settings)
