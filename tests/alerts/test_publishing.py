from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from pipeline.alerts.desk import Desk
from pipeline.alerts.log import Message
from pipeline.alerts.publishing import KafkaPublisher, _in_order, publish_for_ever
from pipeline.errors import FencedError
from pipeline.settings import Settings
from schemas.topics import ALERTS
from tests.alerts.building import T0
from tests.support.fakes_alerts import AlertTables, FakeAlertStore
from tests.support.kafka import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def message(number: int, campaign: str = "spring") -> Message:
    return Message(f"msg_{campaign}_{number}", "alr_1", campaign, T0 + number, ALERTS, "{}", number)


class FakePublisher:
    """Stores what a rule lets through, and remembers all that it was given."""

    def __init__(self, lets_through: Callable[[Message], bool] = lambda _: True) -> None:
        self.lets_through = lets_through
        self.given: list[str] = []
        self.faults: list[str] = []

    def publish(self, messages: Sequence[Message]) -> tuple[list[Message], str]:
        self.given += [one.message_id for one in messages]
        stored = [one for one in messages if self.lets_through(one)]
        return stored, "" if len(stored) == len(messages) else "TimedOut"

    def published(self, messages: Sequence[Message], fault: str) -> None:
        del messages
        self.faults.append(fault)


async def published(desk: Desk, publisher: FakePublisher) -> None:
    """Publish until nothing waits."""
    task = asyncio.create_task(publish_for_ever(desk, publisher, publisher))
    news = desk.listener()
    while desk.messages and not task.done():
        news.clear()
        waiting = asyncio.create_task(news.wait())
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def opened(*messages: Message) -> tuple[Desk, AlertTables]:
    tables = AlertTables()
    store = FakeAlertStore(tables, "first")
    return Desk(store, store.claim(), [one.row("waiting") for one in messages]), tables


def test_what_waits_is_published_oldest_first_and_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.alerts.publishing.PIECE", 2)
    desk, tables = opened(message(3), message(1), message(2))
    publisher = FakePublisher()
    asyncio.run(published(desk, publisher))
    assert publisher.given == ["msg_spring_1", "msg_spring_2", "msg_spring_3"]
    assert {row.state for _, row in tables.log.values()} == {"sent"}


def test_what_the_broker_has_not_stored_is_published_again_under_the_same_id() -> None:
    desk, _ = opened(message(1), message(2))
    publisher = FakePublisher(lambda one: one.number == 1 or len(publisher.given) > 2)
    asyncio.run(published(desk, publisher))
    assert publisher.given == ["msg_spring_1", "msg_spring_2", "msg_spring_2"]
    assert publisher.faults == ["TimedOut", ""]


def test_messages_of_a_campaign_behind_one_that_failed_are_sent_again_behind_it() -> None:
    messages = [message(1), message(2), message(1, "winter"), message(3)]
    stored = {"msg_spring_1", "msg_spring_3", "msg_winter_1"}
    assert [one.message_id for one in _in_order(messages, stored)] == ["msg_spring_1", "msg_winter_1"]


def test_an_instance_that_was_followed_publishes_nothing() -> None:
    desk, tables = opened(message(1))
    FakeAlertStore(tables, "second").claim()
    desk._confirmed -= 60  # it slept
    publisher = FakePublisher()
    with pytest.raises(FencedError):
        asyncio.run(publish_for_ever(desk, publisher, publisher))
    assert publisher.given == []


def test_a_broker_that_is_away_is_an_answer_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.alerts.publishing._TIMEOUT_SECONDS", 0.3)
    away = KafkaPublisher(Settings(kafka_bootstrap_servers=f"127.0.0.1:{free_port()}"))
    sent, fault = away.publish([message(1)])
    assert sent == []
    assert fault
