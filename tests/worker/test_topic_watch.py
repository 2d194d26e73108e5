"""What the watch carries to the transport: halts, resumptions and recreated topics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from pipeline.transport.handover import Handover
from pipeline.transport.metrics import TransportMetrics
from pipeline.transport.ports import TP
from pipeline.worker.topic_watch import TopicWatch
from schemas import topics
from tests.worker.running import EVERYTHING, Worker, campaign, touch

if TYPE_CHECKING:
    from tests.support.fakes import LedgerStore
    from tests.support.fakes_transport import FakeKafka


@pytest.fixture
def kafka(kafka: FakeKafka) -> FakeKafka:
    kafka.partitions = dict.fromkeys(topics.INPUT_TOPICS, 1)
    return kafka


async def watched(worker: Worker) -> tuple[TopicWatch, Handover]:
    await worker.partition_counts.restore()
    handover = Handover(worker.processor, TransportMetrics(CollectorRegistry()), lambda: 0.0)
    handover.flows.assign(EVERYTHING)
    await reopen(handover)
    watch = TopicWatch(
        halts=worker.halts,
        partition_counts=worker.partition_counts,
        inspector=worker.kafka,
        processor=worker.processor,
        handover=handover,
        source=worker.source,
    )
    return watch, handover


async def reopen(handover: Handover) -> None:
    due = handover.due()
    openings = handover.flows.openings(due)
    targets = await handover.acquire(due)
    handover.flows.opened({tp: offset or 0 for tp, offset in targets.items()}, openings)


async def test_halts_and_resumptions_by_others_reach_the_transport(kafka: FakeKafka, store: LedgerStore) -> None:
    worker = Worker(kafka, store)
    watch, handover = await watched(worker)
    halt = {"kind": "bad_share", "cause": "too many", "remedy": "correct it"}
    worker.ledger.execute("record_halt", topic=topics.TOUCHES, id="a", **halt)
    await watch.heed_halts()
    assert set(handover.halted) == {topics.TOUCHES}
    worker.ledger.execute("resume_topic", topic=topics.TOUCHES, skip_bad=False)
    await watch.heed_halts()
    assert (set(handover.halted), TP(topics.TOUCHES, 0) in handover.due()) == (set(), True)


async def test_added_partitions_are_seen_without_a_single_event(kafka: FakeKafka, store: LedgerStore) -> None:
    watch, handover = await watched(Worker(kafka, store))
    await watch.look_at_topics()
    assert set(handover.halted) == set()
    kafka.partitions[topics.TOUCHES] = 2
    await watch.look_at_topics()
    assert set(handover.halted) == {topics.TOUCHES}


async def test_a_recreated_topic_has_its_shards_taken_over_anew(kafka: FakeKafka, store: LedgerStore) -> None:
    worker = Worker(kafka, store)
    kafka.send(topics.TOUCHES, touch("t", "2026-03-01 09:00"))
    watch, handover = await watched(worker)
    await watch.look_at_topics()
    assert handover.due() == frozenset()
    kafka.identities[topics.TOUCHES] = "second"
    await watch.look_at_topics()
    assert handover.due() == EVERYTHING - {TP(topics.COSTS, 0)}
    await reopen(handover)
    await watch.look_at_topics()
    assert handover.due() == frozenset()


async def test_recreated_campaigns_are_read_from_their_beginning(kafka: FakeKafka, store: LedgerStore) -> None:
    worker = Worker(kafka, store)
    kafka.send(topics.CAMPAIGNS, campaign("old"), campaign("older"))
    watch, _ = await watched(worker)
    await watch.look_at_topics()
    await worker.processor.refresh()
    kafka.logs.pop(TP(topics.CAMPAIGNS, 0))
    kafka.identities[topics.CAMPAIGNS] = "second"
    kafka.send(topics.CAMPAIGNS, campaign("new"))
    await watch.look_at_topics()
    await worker.processor.refresh()
    await worker.commit()
    assert set(store.campaigns) == {"old", "older", "new"}
