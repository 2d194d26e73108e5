from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, get_args

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from pipeline.build import UNKNOWN, build_info
from pipeline.ledger.rows import DeadLetterRow, Position, ShardBlock
from pipeline.metrics.operational_metrics import PROMETHEUS_METRICS
from pipeline.transport.metrics import TransportMetrics
from pipeline.transport.ports import TP, RecordBatch
from pipeline.worker.freshness import Freshness
from pipeline.worker.lag import LagMeter
from pipeline.worker.telemetry import REASONS, Telemetry
from schemas.judge import Reason
from schemas.topics import COSTS, CUSTOMERS, EVENT_TOPICS, INPUT_TOPICS, LOGINS, TOUCHES, TRANSACTIONS
from tests.worker.running import EVERYTHING, Worker, bad, profile, some_events

if TYPE_CHECKING:
    from tests.support.fakes_transport import FakeKafka


def batch(next_offset: int, *timestamps: int, topic: str = LOGINS) -> RecordBatch:
    offsets = list(range(next_offset - len(timestamps), next_offset))
    nothing = [None] * len(offsets)
    return RecordBatch(topic, 0, offsets, list(nothing), list(nothing), next_offset, list(timestamps))


def block(topic: str, next_offset: int, *letters: DeadLetterRow) -> ShardBlock:
    changes: object = None
    return ShardBlock(0, 1, changes, [Position(topic, next_offset, 0, 0, 0, 0, "")], list(letters))  # type: ignore[arg-type] # not looked at


def sample(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    return telemetry.registry.get_sample_value(name, labels)


def test_every_series_is_there_before_the_first_event() -> None:
    telemetry, transport = Telemetry(), CollectorRegistry()
    TransportMetrics(transport)
    shown = generate_latest(telemetry.registry).decode() + generate_latest(transport).decode()
    families = set(re.findall(r"^# TYPE (\w+) ", shown, re.MULTILINE))
    series = re.findall(r"^(\w+)(?:\{.*\})? ", shown, re.MULTILINE)
    assert {family for family in families if not any(name.startswith(family) for name in series)} == set()
    for topic in INPUT_TOPICS:
        for reason in REASONS:
            assert sample(telemetry, "roi_dead_letters_total", topic=topic, reason=reason) == 0
        assert transport.get_sample_value("roi_topic_halted", {"topic": topic}) == 0
    for topic in EVENT_TOPICS:
        assert sample(telemetry, "roi_lag_records", topic=topic) == 0
        assert sample(telemetry, "roi_freshness_seconds_count", topic=topic) == 0
        assert sample(telemetry, "roi_last_event_timestamp_seconds", topic=topic) == 0
    assert len(PROMETHEUS_METRICS) == len(families) - len([name for name in families if name.endswith("_created")])


def test_the_reasons_are_those_of_the_contract() -> None:
    assert set(REASONS) >= {*get_args(Reason), "too_late", "from_the_future", "orphan_reversal", "internal_error"}


def test_the_build_is_told_from_the_image_or_the_checkout() -> None:
    assert build_info("abc")["commit"] == "abc"
    assert build_info()["commit"] == UNKNOWN or re.fullmatch(r"[0-9a-f]{12}", build_info()["commit"])
    info = {**build_info("abc")}
    assert sample(Telemetry("abc"), "roi_build_info", **info) == 1


def test_freshness_is_the_age_of_the_oldest_record_when_its_block_is_acknowledged() -> None:
    telemetry, now_ms = Telemetry(), time.time_ns() // 1_000_000
    telemetry.batch(batch(2, now_ms - 40_000, now_ms - 20_000))
    telemetry.batch(batch(4, now_ms - 10_000, now_ms - 5_000))
    telemetry.made_durable(0, block(LOGINS, 2))
    assert sample(telemetry, "roi_freshness_seconds_count", topic=LOGINS) == 1
    assert sample(telemetry, "roi_freshness_seconds_sum", topic=LOGINS) == pytest.approx(40, abs=5)
    telemetry.made_durable(0, block(LOGINS, 4))
    assert sample(telemetry, "roi_freshness_seconds_count", topic=LOGINS) == 2
    assert sample(telemetry, "roi_last_event_timestamp_seconds", topic=LOGINS) == (now_ms - 5_000) / 1000


def test_a_batch_is_counted_once_however_often_its_partition_is_taken_over() -> None:
    freshness, tp = Freshness(), TP(LOGINS, 0)
    freshness.taken_in(batch(2, 10, 20))
    freshness.taken_in(batch(2, 10, 20))
    freshness.taken_in(batch(3, -1))
    assert list(freshness.made_durable(tp, 2)) == [10]
    freshness.taken_in(batch(4, 30))
    freshness.keep([TP(TOUCHES, 0)])
    assert list(freshness.made_durable(tp, 9)) == []


def test_dead_letters_count_by_reason_once_they_are_durable() -> None:
    telemetry = Telemetry()
    telemetry.made_durable(0, block(COSTS, 2, DeadLetterRow(COSTS, 0, 1, "not_json", "")))
    assert sample(telemetry, "roi_dead_letters_total", topic=COSTS, reason="not_json") == 1


async def test_a_worker_tells_what_it_refused_and_how_far_it_is_behind(worker: Worker, kafka: FakeKafka) -> None:
    some_events(kafka)
    kafka.send(TOUCHES, bad())
    kafka.send(CUSTOMERS, profile("ann", "A"))
    meter = LagMeter(kafka, worker.processor, worker.telemetry)
    await worker.take()
    await meter.measure()
    assert worker.metric("roi_lag_records", topic=TOUCHES) == 2
    await worker.read()
    await meter.measure()
    assert worker.metric("roi_lag_records", topic=TRANSACTIONS) in {0, 1}, "taken in, or not yet durable"
    await worker.commit()
    await meter.measure()
    assert {topic: worker.metric("roi_lag_records", topic=topic) for topic in EVENT_TOPICS} == dict.fromkeys(
        EVENT_TOPICS, 0
    )
    assert worker.metric("roi_dead_letters_total", topic=TOUCHES, reason="invalid_event") == 1
    await worker.processor.revoked(EVERYTHING)
    kafka.send(TOUCHES, bad())
    await meter.measure()
    assert worker.metric("roi_lag_records", topic=TOUCHES) == 0, "it is another worker's now"
