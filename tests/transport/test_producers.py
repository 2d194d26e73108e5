from __future__ import annotations

import asyncio
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError
from confluent_kafka import Consumer, TopicPartition

from pipeline.cli.dlq import Choice, to_retry
from pipeline.errors import UserError
from pipeline.settings import Settings
from pipeline.transport.admin import DEAD_LETTER_BYTES, TopicAdmin
from pipeline.transport.dead_letters import CUT_BYTES, CUT_KEY_BYTES, DeadLetter, DeadLetterProducer
from pipeline.transport.partitioner import partition_of
from pipeline.transport.producer import EventProducer
from pipeline.transport.reading import Record
from schemas.topics import LOGINS, dead_letter_topic
from tests.support.kafka import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confluent_kafka import KafkaError


def read_from(settings: Settings, starts: dict[Any, int], count: int) -> Iterator[Any]:
    consumer = Consumer(
        {"bootstrap.servers": settings.kafka_bootstrap_servers, "group.id": uuid4().hex, "enable.auto.commit": False}
    )
    consumer.assign([TopicPartition(*tp, start) for tp, start in starts.items()])
    try:
        for _ in range(count):
            message = consumer.poll(20)
            assert message is not None
            assert message.error() is None
            yield message
    finally:
        consumer.close()


def test_keys_go_where_kafkas_own_clients_put_them(settings: Settings) -> None:
    with TopicAdmin(settings) as admin:
        starts = admin.end_offsets([LOGINS])
    producer = EventProducer(settings)
    for number in range(200):
        producer.send(LOGINS, b"c%d" % number, b"{}", headers=[("trace", b"1")], timestamp_ms=1_700_000_000_000)
    producer.flush()
    assert producer.delivered == 200
    for message in read_from(settings, starts, 200):
        assert message.partition() == partition_of(message.key(), 4)
        assert message.timestamp()[1] == 1_700_000_000_000
        assert message.headers() == [("trace", b"1")]


def test_missing_topic_is_the_users_to_mend(settings: Settings) -> None:
    producer = EventProducer(settings, delivery_seconds=5)
    producer.send("test.absent", b"key", b"value")
    with pytest.raises(UserError, match="roi migrate"):
        producer.flush(20)


def test_silent_broker_is_told_when_flushing() -> None:
    producer = EventProducer(Settings(kafka_bootstrap_servers=f"127.0.0.1:{free_port()}"), delivery_seconds=0.5)
    producer.send(LOGINS, b"key", b"value")
    with pytest.raises(UserError, match="took no messages"):
        producer.flush(5)


def test_an_interrupt_in_the_midst_of_a_delivery_report_is_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    reported = EventProducer._on_delivery

    def report(producer: EventProducer, error: KafkaError | None, message: object) -> None:
        signal.raise_signal(signal.SIGINT)
        reported(producer, error, message)

    monkeypatch.setattr(EventProducer, "_on_delivery", report)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever other tests have left there
    try:
        producer = EventProducer(Settings(kafka_bootstrap_servers=f"127.0.0.1:{free_port()}"), delivery_seconds=0.1)
        producer.send(LOGINS, b"key", b"value")
        with pytest.raises(KeyboardInterrupt):
            producer.flush()
    finally:
        signal.signal(signal.SIGINT, before)


def test_full_queue_of_a_silent_broker_stops_the_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.transport.producer.IN_FLIGHT_MESSAGES", 10)
    producer = EventProducer(Settings(kafka_bootstrap_servers=f"127.0.0.1:{free_port()}"), delivery_seconds=0.5)
    for _ in range(10):
        producer.send(LOGINS, b"key", b"value")
    with pytest.raises(UserError, match="took no messages"):
        producer.send(LOGINS, b"key", b"value")


def letter(offset: int, value: bytes | None) -> DeadLetter:
    return DeadLetter(LOGINS, 3, offset, b"\xffkey", value, "not_json", "value: not JSON")


async def written(settings: Settings, *letters: DeadLetter) -> list[Any]:
    topic = dead_letter_topic(LOGINS)
    with TopicAdmin(settings) as admin:
        starts = admin.end_offsets([topic])
    producer = DeadLetterProducer(settings)
    await producer.start()
    await producer.write(letters)
    await producer.stop()
    return list(read_from(settings, starts, len(letters)))


async def test_dead_letters_carry_original_bytes_and_their_story(settings: Settings) -> None:
    values = [b"\xff\x00broken", None, b"x" * (DEAD_LETTER_BYTES + 1)]
    first, second, third = await written(settings, *(letter(number, value) for number, value in enumerate(values)))
    assert (first.key(), first.value(), second.value() or b"") == (b"\xffkey", b"\xff\x00broken", b"")
    assert first.headers() == [
        ("dlq.topic", LOGINS.encode()),
        ("dlq.partition", b"3"),
        ("dlq.offset", b"0"),
        ("dlq.reason", b"not_json"),
        ("dlq.detail", b"value: not JSON"),
        ("dlq.app", b"roi"),
    ]
    assert third.value() == b"x" * CUT_BYTES
    assert dict(third.headers())["dlq.cut_from_bytes"] == str(DEAD_LETTER_BYTES + 1).encode()


@pytest.mark.parametrize(
    ("key", "value", "kept"),
    [
        (None, None, (None, b"")),
        (b"", None, (b"", b"")),
        (None, b"", (None, b"")),
        (b"", b"{}", (b"", b"{}")),
        (b"k" * DEAD_LETTER_BYTES, b"v", (b"k" * CUT_KEY_BYTES, b"v")),
        (b"k" * DEAD_LETTER_BYTES, None, (b"k" * CUT_KEY_BYTES, b"")),
    ],
    ids=["nothing", "empty key", "empty value", "empty key and a value", "huge key", "huge key alone"],
)
async def test_there_is_a_letter_for_any_record(
    settings: Settings, key: bytes | None, value: bytes | None, kept: tuple[bytes | None, bytes | None]
) -> None:
    [message] = await written(settings, DeadLetter(LOGINS, 0, 7, key, value, "missing_value", "value: required"))
    assert (message.key(), message.value() or b"") == kept
    assert dict(message.headers())["dlq.offset"] == b"7"
    assert ("dlq.key_cut_from_bytes" in dict(message.headers())) == (len(key or b"") > CUT_KEY_BYTES)


@pytest.mark.parametrize("value", [None, b""])
@pytest.mark.parametrize("key", [None, b"", b"k"])
async def test_a_retry_sends_the_record_as_it_came(settings: Settings, key: bytes | None, value: bytes | None) -> None:
    refused = DeadLetter(LOGINS, 0, 8, key, value, "internal_error", "")
    [message] = await written(settings, refused)
    headers = {name: text.decode() for name, text in message.headers()}
    letter = Record(0, message.offset(), message.key(), message.value(), headers)
    [chosen] = to_retry([letter], Choice(None, None, None))
    with TopicAdmin(settings) as admin:
        starts = admin.end_offsets([LOGINS])
    producer = EventProducer(settings)
    producer.send(LOGINS, chosen.key, chosen.value)
    producer.flush()
    with TopicAdmin(settings) as admin:
        ends = admin.end_offsets([LOGINS])
    [sent] = read_from(settings, {tp: start for tp, start in starts.items() if ends[tp] > start}, 1)
    assert (sent.key(), sent.value()) == (key, value)


def test_a_record_that_has_left_its_log_is_not_said_to_have_had_no_value() -> None:
    gone = DeadLetter(LOGINS, 0, 8, None, None, "orphan_reversal", "", "event")
    assert "dlq.null" not in dict(gone.headers())
    assert dict(replace(gone, event_id="").headers())["dlq.null"] == b"value"


async def test_a_letter_that_cannot_be_written_is_told_by_its_headers_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = AIOKafkaProducer.send

    async def picky(self: AIOKafkaProducer, topic: str, value: bytes, **options: Any) -> Any:
        if value:
            raise TypeError("not this one")
        return await send(self, topic, value, **options)

    monkeypatch.setattr(AIOKafkaProducer, "send", picky)
    [message] = await written(settings, letter(5, b"{"))
    assert not message.value()
    headers = dict(message.headers())
    assert (headers["dlq.offset"], headers["dlq.cut_from_bytes"]) == (b"5", b"1")


async def test_an_unreachable_broker_is_not_blamed_on_a_letter(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[bytes] = []

    async def away(_self: AIOKafkaProducer, _topic: str, value: bytes, **_options: Any) -> Any:
        attempts.append(value)
        await asyncio.sleep(0)
        raise KafkaConnectionError

    monkeypatch.setattr(AIOKafkaProducer, "send", away)
    with pytest.raises(KafkaConnectionError):
        await written(settings, letter(5, b"{"))
    assert attempts == [b"{"]
