"""The steady source: every event once, where Kafka's own clients put it, in batches that a broker takes."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from aiokafka.record.memory_records import MemoryRecords
from confluent_kafka import Consumer, TopicPartition
from hypothesis import given, settings, strategies

from bench import steady
from bench.steady import Acknowledgements, Batch, Tick, prepared, produce, record_batch, ticks, timed_every
from pipeline.errors import UserError
from pipeline.settings import Settings
from pipeline.simulation.mixes import MixOptions, mix_events
from pipeline.transport.admin import TopicAdmin
from pipeline.transport.partitioner import partition_of
from schemas.topics import EVENT_TOPICS, LOGINS
from tests.support.depth import depth
from tests.support.kafka import running_tansu

if TYPE_CHECKING:
    from collections.abc import Iterator

    Event = tuple[str, bytes, bytes]

COUNTS = {topic: 2 + place for place, topic in enumerate(sorted(EVENT_TOPICS))}


def events_of(batch: Batch) -> list[Event]:
    records = MemoryRecords(batch.content)
    found = []
    while (part := records.next_batch()) is not None:
        assert part.validate_crc()
        found += [(batch.topic, record.key, record.value) for record in part]
    return found


@settings(max_examples=depth(30), deadline=None)
@given(strategies.integers(0, 400), strategies.sampled_from([1, 30, 1_000, 7_777]), strategies.integers(0, 5))
def test_every_event_is_sent_once_in_its_order_when_it_is_due(count: int, rate: int, seed: int) -> None:
    events = list(mix_events(MixOptions("A", count, customers=50, seed=seed)))
    sendings = list(ticks(iter(events), rate, COUNTS))
    sent = defaultdict[tuple[str, int], list["Event"]](list)
    begin = 0
    for tick in sendings:
        assert tick.at >= 0.0
        own = [(batch, events_of(batch)) for batch in tick.batches]
        for batch, found in own:
            assert batch.events == len(found)
            sent[batch.topic, batch.partition] += found
        end = begin + sum(len(found) for _, found in own)
        # the last one is sent when it is due, and the first one has waited no longer than batches are gathered
        assert tick.at == pytest.approx(end / rate)
        assert end - begin <= max(1, round(rate / 20))
        begin = end
    wanted = defaultdict[tuple[str, int], list["Event"]](list)
    for event in events:
        wanted[event[0], partition_of(event[1], COUNTS[event[0]])].append(event)
    assert sent == wanted


def test_more_than_a_record_batch_holds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steady, "_LARGEST_BATCH", 300)
    with pytest.raises(UserError, match="more than a record batch holds"):
        record_batch(LOGINS, 0, [(LOGINS, b"key", b"v" * 200)] * 2)


@pytest.mark.parametrize(("rate", "every"), [(100, 1), (20_000, 4), (180_000, 36)])
def test_timed_events_are_spread_over_all_batches(rate: int, every: int) -> None:
    assert timed_every(rate) == every
    acknowledgements = Acknowledgements(rate)
    for offset, count in [(0, 50), (50, 1), (51, 149)]:
        acknowledgements.note(Batch(LOGINS, 1, count, b""), offset, float(offset))
    timed = acknowledgements.accepted[LOGINS, 1]
    assert [offset for offset, _ in timed] == list(range(0, 200, every))
    assert all(at == (0 if offset < 50 else 50 if offset == 50 else 51) for offset, at in timed)


@pytest.fixture(scope="module")
def broker() -> Iterator[Settings]:
    with running_tansu() as bootstrap:
        given = Settings(kafka_bootstrap_servers=bootstrap, kafka_partitions=3, kafka_incarnation="test")
        with TopicAdmin(given) as admin:
            admin.create_missing()
        yield given


@pytest.mark.process
def test_a_broker_takes_them_at_the_rate(broker: Settings) -> None:
    events = list(mix_events(MixOptions("B", 600, customers=50)))
    began = time.monotonic()
    sent = produce(broker, prepared(broker, events, 1_000), 1_000)
    assert time.monotonic() - began >= 0.6
    with TopicAdmin(broker) as admin:
        bounds = admin.log_bounds(EVENT_TOPICS)
    counts = {(each.topic, each.partition): found.end for each, found in bounds.items() if found.end}
    assert sum(counts.values()) == 600
    # each of them is timed at this rate, from the first offset to the last
    assert {key: [offset for offset, _ in timed] for key, timed in sent.accepted.items()} == {
        key: list(range(end)) for key, end in counts.items()
    }
    assert sorted(read(broker, counts)) == sorted((topic, key, value) for topic, key, value in events)


def read(given: Settings, counts: dict[tuple[str, int], int]) -> list[Event]:
    consumer = Consumer({"bootstrap.servers": given.kafka_bootstrap_servers, "group.id": "test"})
    consumer.assign([TopicPartition(topic, partition, 0) for topic, partition in counts])
    found: list[Event] = []
    while len(found) < sum(counts.values()):
        message = consumer.poll(30)
        assert message is not None
        assert not message.error()
        found.append((message.topic(), message.key(), message.value()))
    consumer.close()
    return found


@pytest.mark.process
def test_a_batch_that_the_broker_does_not_take_is_an_error(broker: Settings) -> None:
    good = record_batch(LOGINS, 0, [(LOGINS, b"key", b"value")])
    with pytest.raises(UserError, match="the broker did not take an event"):
        produce(broker, [Tick(0.0, [good._replace(partition=99)])], 1_000)
