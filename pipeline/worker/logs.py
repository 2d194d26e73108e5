"""Looks into Kafka logs for the worker: extents, identities and single records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiokafka.errors import KafkaTimeoutError

from pipeline.errors import UserError
from pipeline.transport.admin import TopicAdmin
from pipeline.transport.bounds import log_bounds
from pipeline.transport.reading import answering
from pipeline.transport.single_records import records_at
from pipeline.worker.ports import LogExtent, TopicIdentity
from schemas.topics import INPUT_TOPICS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.settings import Settings
    from pipeline.transport.ports import TP


class KafkaLogs:
    """`pipeline.worker.ports.LogInspector` over a real broker."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def topics(self) -> Mapping[str, TopicIdentity]:
        """Return the input topics that exist. A memory-only broker's life counts as part of a topic's identity."""
        with answering(self._settings), TopicAdmin(self._settings) as admin:
            found = admin.topics()
        life = self._settings.kafka_incarnation
        return {
            topic: TopicIdentity(life or found[topic].topic_id, found[topic].partitions)
            for topic in INPUT_TOPICS
            if topic in found
        }

    def extents(self, partitions: frozenset[TP]) -> Mapping[TP, LogExtent]:
        """Return what the partitions' logs hold, without partitions that do not exist."""
        found = self.topics()
        existing = [tp for tp in partitions if tp.topic in found and tp.partition < found[tp.topic].partitions]
        return {
            tp: LogExtent(bounds.start, bounds.end, found[tp.topic].topic_id)
            for tp, bounds in (log_bounds(self._settings, existing) if existing else {}).items()
        }

    def recall(self, tp: TP, offset: int) -> tuple[bytes | None, bytes | None] | None:
        """Return key and value of one record, None if the log holds it no more.

        Raises:
            KafkaTimeoutError: whether it does is not known, or it did not come in time.
        """
        place = (*tp, offset)
        try:
            return dict(records_at(self._settings, [place])).get(place)
        except UserError as error:
            raise KafkaTimeoutError from error
