"""Any record on any topic, through a real broker: it is counted or a dead letter, and nothing else stands still."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from confluent_kafka import KafkaError, Producer

from pipeline.transport.partitioner import partition_of
from schemas import topics
from schemas.export import EXAMPLES
from tests.schemas.strategies import ODD_LITERALS
from tests.support.cluster import Cluster, running_cluster
from tests.support.depth import depth
from tests.support.kafka import running_kafka, running_tansu
from tests.support.odd_headers import write_odd_headers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

RECORDS = int(os.environ.get("ROI_FUZZ_RECORDS", depth(4_500)))
SEED = int(os.environ.get("ROI_FUZZ_SEED", "7"))
PARTITIONS = 3
# half of everything is bad here, on purpose; misplaced keys stay rare, so that no partitioner is suspected
ENVIRONMENT = {"ROI_TIME__FUTURE_MINUTES": "10", "ROI_WORKER__BAD_SHARE_LIMIT": "1"}
TIMES = (
    "0001-01-01T00:00:00Z", "1601-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1989-12-31T23:59:59.999Z",
    "1990-01-01T00:00:00Z", "2038-01-19T03:14:08Z", "2106-02-07T06:28:16Z", "2149-06-07T00:00:00Z",
    "2262-04-12T00:00:00Z", "2300-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59-23:59",
    "2026-02-29T00:00:00Z", "10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z", "", "0", "now",
)  # fmt: skip
DIRT = (b"", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"null", b"[]", b"{}", b'""', b"NaN", b"{" * 3_000, b"[" * 60_000)


class Sent(NamedTuple):
    topic: str
    key: bytes | None
    value: bytes | None
    partition: int
    timestamp: int


@pytest.fixture(params=["tansu", pytest.param("kafka", marks=[pytest.mark.kafka, pytest.mark.slow])])
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    broker = running_tansu if request.param == "tansu" else running_kafka
    incarnation = "only-life" if request.param == "tansu" else ""
    with broker() as bootstrap, running_cluster(bootstrap, tmp_path, incarnation, PARTITIONS, ENVIRONMENT) as running:
        yield running


def _examples(topic: str) -> list[dict[str, Any]]:
    return [json.loads(file.read_bytes()) for file in sorted((EXAMPLES / topic / "good").glob("*.json"))]


class Fuzzer:
    """Good examples of every topic, changed at random, sometimes beyond recognition."""

    def __init__(self, random: Random, now: datetime) -> None:
        self._random = random
        self._now = now
        self._examples = {topic: _examples(topic) for topic in topics.INPUT_TOPICS}

    def record(self, number: int) -> Sent:
        random = self._random
        topic = random.choice(topics.INPUT_TOPICS)
        body = random.choice(self._examples[topic]) | {"event_id": f"f{number}"}
        if "occurred_at" in body:
            body["occurred_at"] = self._now.isoformat() if random.random() < 0.5 else random.choice(TIMES)
        key_field = topics.KEY_FIELD[topic]
        body[key_field] = f"fuzz-{random.randrange(50)}"
        key: bytes | None = body[key_field].encode()
        value: bytes | None = self._value(body)
        if random.random() < 0.1:
            value = random.choice((None, None, *DIRT, b"x" * 65_537, b" " * 900_000))
        if random.random() < 0.1:
            key = random.choice((None, b"", b"\xff\xfe", b"\x00", b"fuzz-0", b"k" * 70_000, "é".encode() * 40))
        return Sent(topic, key, value, self._partition(key), random.choice((0, 1, 10**12, 4 * 10**12, 2**53)))

    def _value(self, body: dict[str, Any]) -> bytes:
        random = self._random
        pairs = [(json.dumps(name), json.dumps(each)) for name, each in body.items()]
        for _ in range(random.choice((0, 0, 1, 1, 2, 4))):
            at = random.randrange(len(pairs))
            change = random.random()
            if change < 0.6:
                pairs[at] = (pairs[at][0], random.choice(ODD_LITERALS))
            elif change < 0.8:
                pairs.insert(at, (pairs[at][0], random.choice(ODD_LITERALS)))
            elif len(pairs) > 1:
                del pairs[at]
        value = ("{" + ",".join(f"{name}:{text}" for name, text in pairs) + "}").encode()
        how = random.random()
        if how < 0.03:
            return value.decode().encode(random.choice(("utf-16", "utf-32", "utf-8-sig")))
        if how < 0.06:
            at = random.randrange(len(value))
            return value[:at] + bytes([random.randrange(256)]) + value[at + 1 :]
        return value

    def _partition(self, key: bytes | None) -> int:
        if key is None or self._random.random() < 0.02:
            return self._random.randrange(PARTITIONS)
        return partition_of(key, PARTITIONS)


def _good(number: int, now: datetime) -> list[Sent]:
    """One good event of each topic, whose numbers are known."""
    customer = f"good-{number % 40}"
    common = {"event_id": f"g{number}", "occurred_at": now.isoformat()}
    bodies: dict[str, dict[str, Any]] = {
        topics.LOGINS: {"customer_id": customer, "channel": "app"},
        topics.TOUCHES: {"customer_id": customer, "campaign_id": "sound", "channel": "sms", "kind": "send"},
        topics.TRANSACTIONS: {"customer_id": customer, "kind": "deposit", "amount_minor": 100, "channel": "app"},
        topics.COSTS: {"campaign_id": "sound", "category": "media", "amount_minor": 7},
    }
    found = []
    for topic, body in bodies.items():
        key = str(body[topics.KEY_FIELD[topic]]).encode()
        found.append(Sent(topic, key, json.dumps(common | body).encode(), partition_of(key, PARTITIONS), 0))
    return found


def _definition() -> Sent:
    body = {
        "campaign_id": "sound",
        "name": "Sound",
        "starts_at": "2020-01-01T00:00:00Z",
        "goal": {"kinds": ["deposit"]},
        "margins_bps": {"deposit": 10_000},
    }
    return Sent(topics.CAMPAIGNS, b"sound", json.dumps(body).encode(), partition_of(b"sound", PARTITIONS), 0)


def _produce(cluster: Cluster, records: list[Sent]) -> list[Sent]:
    """Send records and return those that the broker has taken.

    Kafka refuses records without a key on compacted topics, and timestamps far ahead: each alone, if it is alone.
    """
    alone = {} if cluster.settings.kafka_incarnation else {"batch.num.messages": 1}
    producer = Producer({"bootstrap.servers": cluster.settings.kafka_bootstrap_servers, "linger.ms": 5, **alone})
    refused: set[int] = set()

    def reported(error: KafkaError | None, number: int) -> None:
        if error is not None:
            assert error.code() in {KafkaError.INVALID_RECORD, KafkaError.INVALID_TIMESTAMP}, error
            refused.add(number)

    for number, record in enumerate(records):
        producer.produce(
            record.topic,
            key=record.key,
            value=record.value,
            partition=record.partition,
            timestamp=record.timestamp,
            headers=[("trace", None), ("note", b"\xff")] if number % 7 == 0 else None,
            on_delivery=lambda error, _, number=number: reported(error, number),
        )
        producer.poll(0)
    assert producer.flush(60) == 0
    return [record for number, record in enumerate(records) if number not in refused]


@pytest.mark.slow
async def test_any_record_is_counted_or_a_dead_letter_and_nothing_stands_still(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(SEED)
    now = datetime.now(UTC) - timedelta(minutes=1)
    fuzzer = Fuzzer(random, now)
    bad = [fuzzer.record(number) for number in range(RECORDS)]
    nothing = [Sent(topic, None, None, 0, 0) for topic in topics.INPUT_TOPICS]
    dimensions = [record for record in (*bad, *nothing) if record.topic in topics.DIMENSION_TOPICS]
    events = [record for record in (*bad, *nothing) if record.topic in topics.EVENT_TOPICS]
    rounds = RECORDS // 4
    good = [event for number in range(rounds) for event in _good(number, now)]
    mixed = events + good
    random.shuffle(mixed)
    _produce(cluster, [*dimensions, _definition()])
    worker = cluster.start_worker()
    taken = _produce(cluster, mixed[: len(mixed) // 2])
    # a name of a header that is not UTF-8: no client in Python can write it, others do
    odd = [(topic, 0, b"fuzz-0", b"{}") for topic in (topics.LOGINS, topics.CAMPAIGNS)]
    await write_odd_headers(cluster.settings.kafka_bootstrap_servers, odd, monkeypatch)
    taken += _produce(cluster, mixed[len(mixed) // 2 :])
    cluster.drain()

    assert worker.poll() is None, cluster.log_tails()
    reasons = dict(cluster.rows("SELECT reason, count() FROM roi.dead_letters WHERE run = 'live' GROUP BY reason"))
    assert "internal_error" not in reasons, cluster.log_tails()
    assert reasons.keys() >= {
        "missing_value", "not_json", "invalid_event", "implausible_time", "from_the_future", "too_late", "key_mismatch",
        "too_large", "misplaced_key",
    }, reasons  # fmt: skip
    sent = {topic: sum(record.topic == topic for record in taken) for topic in topics.EVENT_TOPICS}
    sent[topics.LOGINS] += 1
    judged = cluster.rows(
        "SELECT topic, sum(accepted + duplicates + dead_letters) FROM roi.positions WHERE run = 'live' GROUP BY topic"
    )
    assert {topic: count for topic, count in judged if topic in sent} == sent
    totals = cluster.rows(
        "SELECT touches, cost_minor, return_minor, conversions FROM roi.campaign_totals WHERE campaign_id = 'sound'"
    )
    assert totals == [(rounds, 7 * rounds, 100 * rounds, rounds)]
    _assert_letters_are_in_their_topics(cluster, reasons)


def _assert_letters_are_in_their_topics(cluster: Cluster, reasons: dict[str, int]) -> None:
    from pipeline.transport.reading import read_topic

    deadline = time.monotonic() + 20
    letters: set[tuple[str, str, str]] = set()
    while len(letters) < sum(reasons.values()) and time.monotonic() < deadline:
        letters = {
            tuple(record.headers[f"dlq.{name}"] for name in ("topic", "partition", "offset"))  # type: ignore[misc] # three
            for topic in topics.INPUT_TOPICS
            for record in read_topic(cluster.settings, topics.dead_letter_topic(topic))
        }
    assert len(letters) == sum(reasons.values())
