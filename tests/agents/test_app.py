from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from faust.types import ConsumerMessage

from agents.app import BatchApp, build_app
from pipeline.settings import Settings
from pipeline.transport.consumer import BatchConsumer, BatchTransport
from pipeline.transport.ports import Delivery, RecordBatch
from schemas.topics import EVENT_TOPICS, LOGINS
from tests.transport.recording import Recorder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
async def app() -> BatchApp:
    return build_app(
        Settings(kafka_group="test", kafka_incarnation="memory"), Recorder(), reads_packed=False, installation="1"
    )


def entries(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_each_event_topic_has_one_agent(app: BatchApp) -> None:
    assert sorted(topic for agent in app.agents.values() for topic in agent.channel.topics) == sorted(EVENT_TOPICS)
    assert {agent.concurrency for agent in app.agents.values()} == {1}


async def test_faust_neither_declares_elects_serves_nor_acknowledges(app: BatchApp) -> None:
    conf = app.conf
    assert (conf.topic_allow_declare, conf.topic_disable_leader, conf.web_enabled) == (False, True, False)
    assert not app.tables
    assert not any(agent.channel.acks for agent in app.agents.values())


async def test_app_leaves_no_files_behind(app: BatchApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    await app.on_first_start()
    assert entries(tmp_path) == []


async def test_embedded_broker_is_joined_quickly_and_others_get_time(app: BatchApp) -> None:
    assert app.conf.broker_rebalance_timeout == 6.0
    elsewhere = build_app(Settings(kafka_incarnation=""), Recorder(), reads_packed=False, installation="1")
    assert elsewhere.conf.broker_rebalance_timeout == 30.0


async def test_transport_is_the_batch_transport(app: BatchApp) -> None:
    assert isinstance(app.transport, BatchTransport)
    assert isinstance(app.consumer, BatchConsumer)


async def test_deliveries_pass_through_undecoded(app: BatchApp) -> None:
    delivery = Delivery(RecordBatch(LOGINS, 0, [7], [b"\xff"], [b"\xfe"], 8), 1, 7)
    message = ConsumerMessage(LOGINS, 0, 7, 0.0, 0, None, None, delivery, None)
    event = await app.batch_topic(LOGINS).decode(message)
    assert event.value is delivery
