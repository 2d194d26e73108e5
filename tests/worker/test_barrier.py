from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from aiokafka.errors import KafkaConnectionError

from pipeline.transport.ports import TP
from schemas import topics
from tests.worker.running import EVERYTHING, Worker, bad, campaign, pay, profile, some_events, touch

if TYPE_CHECKING:
    from tests.support.fakes_transport import FakeKafka


async def test_a_definition_produced_before_the_fetch_applies_to_the_batch(worker: Worker, kafka: FakeKafka) -> None:
    await worker.take()
    some_events(kafka)
    batch = kafka.batch(topics.TRANSACTIONS, 0)
    kafka.send(topics.CAMPAIGNS, campaign(goal={"kinds": ["payment"]}))
    await worker.read(topics.TOUCHES)
    await worker.processor.process(batch)
    await worker.commit()
    assert worker.views()["credits"] == []


async def test_a_profile_produced_before_the_fetch_applies_to_the_batch(worker: Worker, kafka: FakeKafka) -> None:
    await worker.take()
    kafka.send(topics.CUSTOMERS, profile("ann", "growth"))
    kafka.send(topics.TOUCHES, touch("t", "2026-03-01 09:00"))
    await worker.read()
    await worker.commit()
    assert {row["tier"]: row["touches"] for row in worker.views()["campaign_tier_totals"]} == {"growth": 1}


async def test_batches_that_wait_share_one_round(worker: Worker, kafka: FakeKafka) -> None:
    await worker.take()
    some_events(kafka)
    worker.source.gate.clear()
    first = asyncio.create_task(worker.processor.process(kafka.batch(topics.TOUCHES, 0)))
    await asyncio.wait_for(worker.source.looked.wait(), 10)
    others = [
        asyncio.create_task(worker.processor.process(kafka.batch(topic, 0)))
        for topic in (topics.TRANSACTIONS, topics.LOGINS, topics.COSTS)
    ]
    await asyncio.sleep(0)
    worker.source.gate.set()
    await asyncio.gather(first, *others)
    assert worker.source.rounds == 2


async def test_a_round_under_way_does_not_serve_a_batch_fetched_later(worker: Worker, kafka: FakeKafka) -> None:
    # round 1 looks at the ends │ definition, then event are produced │ the event must wait for round 2
    await worker.take()
    some_events(kafka)
    await worker.read(topics.TOUCHES)
    worker.source.gate.clear()
    worker.source.looked.clear()
    early = asyncio.create_task(worker.processor.process(kafka.batch(topics.LOGINS, 0)))
    await asyncio.wait_for(worker.source.looked.wait(), 10)
    kafka.send(topics.CAMPAIGNS, campaign(goal={"kinds": ["payment"]}))
    late = asyncio.create_task(worker.processor.process(kafka.batch(topics.TRANSACTIONS, 0)))
    await asyncio.sleep(0)
    worker.source.gate.set()
    await asyncio.gather(early, late)
    await worker.commit()
    assert worker.views()["credits"] == []


async def test_a_cancelled_batch_does_not_tear_the_round_of_the_others(worker: Worker, kafka: FakeKafka) -> None:
    await worker.take()
    some_events(kafka)
    kafka.send(topics.CUSTOMERS, profile("ann", "growth"))
    worker.source.gate.clear()
    first = asyncio.create_task(worker.processor.process(kafka.batch(topics.COSTS, 0)))
    await asyncio.wait_for(worker.source.looked.wait(), 10)
    doomed = asyncio.create_task(worker.processor.process(kafka.batch(topics.LOGINS, 0)))
    waiting = asyncio.create_task(worker.processor.process(kafka.batch(topics.TOUCHES, 0)))
    await asyncio.sleep(0)
    for batch in (first, doomed):  # one of the round under way, one of the round it shares with `waiting`
        batch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await batch
    worker.source.gate.set()
    await waiting
    await worker.commit()
    assert {row["tier"]: row["touches"] for row in worker.views()["campaign_tier_totals"]} == {"growth": 1}
    assert not worker.is_any_broken


async def test_a_round_that_fails_fails_its_batches_and_the_next_begins_anew(worker: Worker, kafka: FakeKafka) -> None:
    await worker.take()
    some_events(kafka)
    worker.source.failures.append(KafkaConnectionError())
    with pytest.raises(KafkaConnectionError):
        await worker.processor.process(kafka.batch(topics.TOUCHES, 0))
    assert not worker.is_any_broken  # nothing of the batch had been applied
    await worker.read()
    await worker.commit()
    assert worker.views()["campaign_totals"][0]["touches"] == 1


async def test_a_batch_of_before_a_round_that_failed_has_another_one_made(worker: Worker, kafka: FakeKafka) -> None:
    await worker.take()
    some_events(kafka)
    batch = replace(kafka.batch(topics.TOUCHES, 0), fetched_at=time.monotonic())  # before the round that fails
    worker.source.failures.append(KafkaConnectionError())
    with pytest.raises(KafkaConnectionError):
        await worker.processor.refresh()
    await worker.processor.process(batch)
    await worker.commit()
    assert worker.views()["campaign_totals"][0]["touches"] == 1


async def test_no_profile_is_read_while_shards_change_hands(worker: Worker, kafka: FakeKafka) -> None:
    await worker.take()
    kafka.send(topics.CUSTOMERS, profile("ann", "growth"))
    worker.source.gate.clear()
    refreshing = asyncio.create_task(worker.processor.refresh())
    await asyncio.wait_for(worker.source.looked.wait(), 10)
    taking = asyncio.create_task(worker.processor.assigned(EVERYTHING))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not taking.done()
    worker.source.gate.set()
    await refreshing
    await taking
    assert worker.source.owned[-1] == {0: 1}


async def test_profiles_of_a_revoked_shard_are_read_again_when_it_comes_back(worker: Worker, kafka: FakeKafka) -> None:
    await worker.take()
    await worker.processor.revoked(EVERYTHING)
    kafka.send(topics.CUSTOMERS, profile("ann", "growth"))
    await worker.processor.refresh()  # nobody to give the profile to
    await worker.take()
    kafka.send(topics.TOUCHES, touch("t", "2026-03-01 09:00"))
    await worker.read()
    await worker.commit()
    assert {row["tier"]: row["touches"] for row in worker.views()["campaign_tier_totals"]} == {"growth": 1}


async def test_bad_definitions_and_profiles_become_dead_letters(worker: Worker, kafka: FakeKafka) -> None:
    kafka.send(topics.CAMPAIGNS, (b"spring", b"{"))
    kafka.send(topics.CUSTOMERS, bad("bob"), (b"ann", b"[]"))
    await worker.take(EVERYTHING - {TP(topics.COSTS, 0)})
    await worker.processor.refresh()
    await worker.commit()
    found = {(row["topic"], row["offset"]): row["reason"] for row in worker.views()["dead_letters"]}
    assert found == {(topics.CAMPAIGNS, 0): "not_json", (topics.CUSTOMERS, 1): "invalid_event"}
    assert [letter.value for letter in kafka.dead_letters] == [b"{", b"[]"]


async def test_a_refused_definition_waits_for_the_shard_that_reports_it(worker: Worker, kafka: FakeKafka) -> None:
    kafka.send(topics.CAMPAIGNS, (b"spring", b"{"))
    await worker.take(frozenset({TP(topics.COSTS, 0)}))
    await worker.processor.refresh()
    await worker.commit()
    assert worker.views()["dead_letters"] == []
    await worker.take(EVERYTHING)
    await worker.processor.refresh()
    await worker.commit()
    assert len(worker.views()["dead_letters"]) == 1


async def test_an_erased_profile_leaves_the_tier_unknown(worker: Worker, kafka: FakeKafka) -> None:
    kafka.send(topics.CUSTOMERS, profile("ann", "growth"), (b"ann", None))
    await worker.take()
    kafka.send(topics.TRANSACTIONS, pay("x", "2026-03-01 10:00"))
    kafka.send(topics.TOUCHES, touch("t", "2026-03-01 09:00"))
    await worker.read()
    await worker.commit()
    assert [row["tier"] for row in worker.views()["campaign_tier_totals"]] == ["unknown"]
