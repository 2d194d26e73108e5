from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import pytest
from aiokafka.errors import KafkaTimeoutError
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer

from pipeline.comparison.erased import ErasedCustomers
from pipeline.errors import UserError
from pipeline.settings import Settings
from pipeline.transport import single_records
from pipeline.transport.bounds import LogBounds
from pipeline.transport.ports import TP
from pipeline.transport.single_records import keys_at, record_at, records_at
from pipeline.worker.logs import KafkaLogs
from schemas.topics import COSTS, TOUCHES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeline.clickhouse.reader import Reader

PLACE: Final = (TOUCHES, 0, 3)
TOUCH: Final = TP(TOUCHES, 0)
# of which no one says that a record is there or not
FAILURES: Final = (
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._BAD_MSG,
    KafkaError._TRANSPORT,
)


def message(offset: int, code: int | None = None) -> Message:
    error = None if code is None else KafkaError(code)
    return Message(topic=TOUCHES, partition=0, offset=offset, key=b"key", value=b"value", error=error)


class Answering:
    """A client whose next answer is known: what brokers say when they fail cannot be had of one that does not."""

    def __init__(self, answer: Message | None) -> None:
        self._answer = answer

    def assign(self, partitions: Iterable[Any]) -> None:
        """Take what is to be read."""

    def poll(self, _seconds: float) -> Message | None:
        return self._answer

    def close(self) -> None:
        """Nothing is open."""


def looked_up(answer: Message | None) -> tuple[bytes | None, bytes | None] | None:
    return record_at(cast("Consumer", Answering(answer)), TOUCH, 3)


@pytest.fixture
def log_of_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_records, "log_bounds", lambda _settings, tps: dict.fromkeys(tps, LogBounds(0, 10)))


@pytest.fixture(params=FAILURES)
def failing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, log_of_ten: None) -> str:
    """The name of what every look into a log fails with."""
    assert log_of_ten is None
    monkeypatch.setattr(single_records, "Consumer", lambda _options: Answering(message(3, request.param)))
    name: str = KafkaError(request.param).name()
    return name


class ErasedRows:
    """A reader whose run has erased one customer, after all that the logs hold."""

    def rows(self, query: str, _parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [] if "recreated" in query else [{"customer": "0" * 32, "topic": "", "partition": 0, "before": 100}]


def test_a_record_is_told_by_its_offset() -> None:
    assert looked_up(message(3)) == (b"key", b"value")


@pytest.mark.parametrize(
    "answer",
    [message(4), message(7), message(3, KafkaError._PARTITION_EOF), message(3, KafkaError.OFFSET_OUT_OF_RANGE)],
    ids=["another record", "the oldest record", "the end", "out of range"],
)
def test_a_record_that_has_left_the_log_is_none(answer: Message) -> None:
    assert looked_up(answer) is None


@pytest.mark.parametrize("code", FAILURES)
def test_a_broker_that_fails_has_not_said_that_the_record_is_gone(code: int) -> None:
    with pytest.raises(KafkaException) as raised:
        looked_up(message(3, code))
    assert raised.value.args[0].code() == code


def test_nor_has_one_that_is_silent() -> None:
    with pytest.raises(KafkaException, match="_TIMED_OUT"):
        looked_up(None)


def test_a_failed_look_up_of_keys_names_the_record_and_the_cause(failing: str) -> None:
    with pytest.raises(UserError, match=f"{TOUCHES} partition 0 gives no record at offset 3: {failing}"):
        keys_at(Settings(), [PLACE])


def test_a_failed_recall_is_tried_again_by_whoever_asked(failing: str) -> None:
    with pytest.raises(KafkaTimeoutError) as raised:
        KafkaLogs(Settings()).recall(TOUCH, 3)
    assert failing in str(raised.value.__cause__)


def test_a_comparison_says_that_it_could_not_tell_whose_a_letter_was(failing: str) -> None:
    erased = ErasedCustomers(cast("Reader", ErasedRows()), Settings(), "live")
    assert erased.theirs([PLACE]) == set()
    assert failing in erased.unread


def test_records_are_found_in_a_log_without_those_beyond_it(settings: Settings) -> None:
    sent: dict[tuple[str, int, int], tuple[bytes, bytes]] = {}

    def delivered(_error: KafkaError | None, told: Message) -> None:
        place = (str(told.topic()), int(told.partition() or 0), int(told.offset() or 0))
        sent[place] = (cast("bytes", told.key()), cast("bytes", told.value()))

    producer = Producer({"bootstrap.servers": settings.kafka_bootstrap_servers})
    for number in range(20):
        producer.produce(COSTS, f"value {number}", f"key {number}", on_delivery=delivered)
    assert producer.flush(10) == 0
    beyond = [(COSTS, partition, 1_000_000) for partition in range(4)]
    assert len(sent) == 20
    assert dict(records_at(settings, [*sent, *beyond])) == sent
    assert keys_at(settings, [*sent, *beyond]) == {place: key for place, (key, _) in sent.items()}
    (topic, partition, offset), record = next(iter(sent.items()))
    logs = KafkaLogs(settings)
    assert logs.recall(TP(topic, partition), offset) == record
    assert logs.recall(TP(topic, partition), 1_000_000) is None
