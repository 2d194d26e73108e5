"""Workers, producers and shards for tests against brokers."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from agents.app import build_app, run_app
from pipeline.transport.admin import TopicAdmin
from pipeline.transport.producer import EventProducer
from pipeline.worker.cores import chosen_core
from tests.transport.recording import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from prometheus_client import CollectorRegistry

    from agents.app import BatchApp
    from pipeline.settings import Settings
    from tests.transport.recording import Recorder

PATIENCE_SECONDS = 60.0


def produce(settings: Settings, topic: str, values: Iterable[bytes], keys: int = 50) -> None:
    """Write values under keys that repeat, as the command line does."""
    producer = EventProducer(settings)
    for number, value in enumerate(values):
        producer.send(topic, b"c%d" % (number % keys), value)
    producer.flush()


def store_at_end(settings: Settings, topics: Iterable[str]) -> Store:
    """Return a store whose positions skip what other tests left in the topics."""
    with TopicAdmin(settings) as admin:
        return Store(dict(admin.end_offsets(topics)))


@asynccontextmanager
async def running_worker(
    settings: Settings, recorder: Recorder, registry: CollectorRegistry | None = None
) -> AsyncIterator[BatchApp]:
    reads_packed = chosen_core(settings.worker.core) == "native"
    app = build_app(settings, recorder, reads_packed=reads_packed, registry=registry)
    stop = asyncio.Event()
    running = asyncio.create_task(run_app(app, stop))
    try:
        yield app
    finally:
        stop.set()
        await running
    assert recorder.breaches == []


async def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {PATIENCE_SECONDS:.0f} s: {what}")
        await asyncio.sleep(0.02)
