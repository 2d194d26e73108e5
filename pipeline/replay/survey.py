"""What the topics hold when a replay begins, and whether that is enough for what was asked."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Final, NamedTuple

from confluent_kafka import Consumer, TopicPartition

from pipeline.errors import UserError
from pipeline.replay.plan import LogPart
from pipeline.transport.ports import TP
from pipeline.transport.reading import answering, check_readable
from pipeline.transport.security import reading_options
from pipeline.worker.logs import KafkaLogs
from schemas.dating import occurred_at_of
from schemas.instants import instant_text
from schemas.topics import DIMENSION_TOPICS, EVENT_TOPICS, INPUT_TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeline.ledger.ledger import LedgerPort
    from pipeline.replay.plan import Plan
    from pipeline.settings import Settings

_FIRST_SECONDS: Final = 10.0
_FIRST_RECORDS: Final = 1000  # of a log, of which one must say when it occurred


class Survey(NamedTuple):
    """The logs to replay, the dimension tables beside them, and the topics' numbers of partitions."""

    logs: tuple[LogPart, ...]
    tables: tuple[LogPart, ...]
    partition_counts: dict[str, int]


def survey_topics(settings: Settings, live: LedgerPort) -> Survey:
    """Return what the topics hold now.

    Raises:
        UserError: topics are missing or empty, or have another number of partitions than live counts with.
    """
    inspector = KafkaLogs(settings)
    found = inspector.topics()
    if missing := [topic for topic in INPUT_TOPICS if topic not in found]:
        raise UserError(
            f"{settings.kafka_bootstrap_servers} has no topic {', '.join(missing)}",
            "name the broker that has them (ROI_KAFKA_BOOTSTRAP_SERVERS), or replay files: --input",
        )
    for topic, known in live.fetch("load_partition_counts"):
        if topic in found and found[topic].partitions != known:
            raise UserError(
                f"{topic} has {found[topic].partitions} partitions, and live counts with {known}",
                "docs/growing.md tells how to count on with another number; what was archived can be replayed: --input",
            )
    wanted = [TP(topic, partition) for topic in INPUT_TOPICS for partition in range(found[topic].partitions)]
    parts = {
        tp: LogPart(tp.topic, tp.partition, extent.start, extent.end, extent.topic_id)
        for tp, extent in inspector.extents(frozenset(wanted)).items()
    }
    logs = tuple(parts[tp] for tp in wanted if tp.topic in EVENT_TOPICS)
    if all(log.start >= log.end for log in logs):
        raise UserError("the topics hold no event", "send some (roi ingest, roi simulate), or replay files: --input")
    tables = tuple(parts[tp] for tp in wanted if tp.topic in DIMENSION_TOPICS)
    return Survey(logs, tables, {topic: found[topic].partitions for topic in INPUT_TOPICS})


def check_lives(settings: Settings, plan: Plan) -> None:
    """Return if the topics of a run that goes on are those that it began with.

    Raises:
        UserError: one was made anew, or is gone: its offsets mean other records now.
    """
    found = KafkaLogs(settings).topics()
    for log in (*plan.logs, *plan.tables):
        topic = found.get(log.topic)
        if topic is None or topic.topic_id != log.topic_id:
            raise UserError(
                f"{log.topic} was {'deleted' if topic is None else 'recreated'} since run {plan.run} began",
                f"roi runs drop {plan.run}, then replay what there is now, or what was archived (--input)",
            )


def check_range(settings: Settings, survey: Survey, begin_ms: int | None, live: LedgerPort) -> None:
    """Return if the logs hold every event from an instant on.

    What a log has lost came before the first record that is left, r: so it was not younger than r's watermark, which is
    at most the allowed lateness above r, or r would have come too late itself.

    Raises:
        UserError: they may not; the message says from when on they do.
    """
    recreated = {(topic, partition) for topic, partition in live.fetch("recreated_logs")}
    cut = [log for log in survey.logs if log.start > 0 or (log.topic, log.partition) in recreated]
    if not cut:
        return
    lateness_ms = round(settings.time.lateness_days * 86_400_000)
    firsts = first_times(settings, [log for log in cut if log.start < log.end])
    whole_from = max(firsts.values(), default=0) + lateness_ms + 1
    if begin_ms is not None and begin_ms >= whole_from:
        return
    worst = max(cut, key=lambda log: firsts.get(log.tp, 0))
    why = f"begins at offset {worst.start}" if worst.start else "was recreated, and live has counted its former life"
    raise UserError(
        f"the topics no longer hold everything: {worst.topic} partition {worst.partition} {why}; what is there is "
        f"whole from {instant_text(whole_from)} on",
        f"replay from there (--from {instant_text(whole_from)}), or replay what was archived (--input FILE…)",
    )


def first_times(settings: Settings, logs: Iterable[LogPart]) -> dict[TP, int]:
    """Return when the first event of each log occurred, of those whose first records say so."""
    starts = {log.tp: log.start for log in logs}
    found: dict[TP, int] = {}
    looked: dict[TP, int] = dict.fromkeys(starts, 0)
    deadline = time.monotonic() + _FIRST_SECONDS
    with answering(settings), closing(Consumer(reading_options(settings))) as consumer:
        consumer.assign([TopicPartition(*tp, start) for tp, start in starts.items()])
        while unknown := [tp for tp in starts if tp not in found and looked[tp] < _FIRST_RECORDS]:
            if time.monotonic() > deadline:
                raise UserError(f"{unknown[0].topic} did not show its first records", "check the broker's health")
            for message in consumer.consume(_FIRST_RECORDS, timeout=0.1):
                check_readable(message, settings)
                if message.error() is not None:
                    continue  # the client tries again, and the deadline stays
                tp = TP(str(message.topic()), int(message.partition() or 0))
                looked[tp] += 1
                at = occurred_at_of(message.value())
                if at is not None:
                    found.setdefault(tp, at)
    return found


def live_positions(live: LedgerPort, run: str) -> Mapping[TP, tuple[int, str]]:
    """Return how far a run has durably read each partition, and of which life of the topic."""
    return {
        TP(topic, partition): (next_offset, topic_id)
        for topic, partition, next_offset, topic_id in live.fetch("live_positions", source=run)
    }
