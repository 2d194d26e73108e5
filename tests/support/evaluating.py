"""Runs the real evaluator service on a real ClickHouse for a test; what it finds of campaigns is the test's."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from pipeline.alerts.delivery.senders import open_senders
from pipeline.alerts.service import Parts, serve
from pipeline.alerts.store import ClickHouseAlertStore
from pipeline.alerts.telemetry import AlertTelemetry
from pipeline.clickhouse.connection import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from pipeline.alerts.log import Message
    from pipeline.alerts.record import AlertRecord, Look
    from pipeline.settings import Settings


class ScriptedLooks:
    """Finds what it was told."""

    def __init__(self, looks: Sequence[Look]) -> None:
        self.looks = looks
        self.noted: dict[str, Any] = {}

    def go_on_from(self, noted: Mapping[str, Any]) -> None:
        self.noted = dict(noted)

    def look(self, records: Mapping[str, AlertRecord]) -> Sequence[Look]:
        del records
        return self.looks


class Kept:
    """Takes messages as a broker does."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def publish(self, messages: Sequence[Message]) -> tuple[list[Message], str]:
        self.messages += messages
        return list(messages), ""


@asynccontextmanager
async def evaluating(settings: Settings, looks: Sequence[Look], *, delivers: bool = False) -> AsyncIterator[Kept]:
    """Yield the messages that the evaluator publishes while it runs in this event loop; receivers are told if asked."""
    clients: list[Any] = []

    async def open_store(owner: str) -> ClickHouseAlertStore:
        client = await asyncio.to_thread(connect, settings, "writer")
        clients.append(client)
        return ClickHouseAlertStore(client, settings.clickhouse_database, owner)

    kept, stop = Kept(), asyncio.Event()
    telemetry = AlertTelemetry()
    senders = open_senders(settings, telemetry) if delivers else ()
    parts = Parts(open_store, ScriptedLooks(looks), kept, senders, telemetry)
    running = asyncio.create_task(serve(settings, parts, stop))
    try:
        yield kept
    finally:
        stop.set()
        await running
        for client in clients:
            client.close()
