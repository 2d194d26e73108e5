"""Stock Faust with an agent that does nothing: raw bytes, taken 5,000 at a time, not even decoded."""

from __future__ import annotations

import os
import tempfile
import uuid
from typing import Any, Final

import faust

from bench.peers.report import Stopwatch, Task

BATCH: Final = 5000


def build(task: Task) -> Any:
    """Return the Faust application."""
    app = faust.App(
        f"bench-{uuid.uuid4().hex[:8]}",
        broker=f"kafka://{task.bootstrap}",
        datadir=tempfile.mkdtemp(),
        store="memory://",
        web_enabled=False,
        value_serializer="raw",
        key_serializer="raw",
        consumer_auto_offset_reset="earliest",
        # Faust joins a group of Tansu only after half of this time
        broker_session_timeout=6.0,
        broker_heartbeat_interval=2.0,
        broker_rebalance_timeout=6.0,
        topic_disable_leader=True,
    )
    topic = app.topic(*task.topics, key_type=bytes, value_type=bytes)
    watch = Stopwatch(task.events)

    @app.agent(topic)  # type: ignore[untyped-decorator] # Faust is untyped here
    async def count(stream: Any) -> None:
        async for batch in stream.take(BATCH, within=1.0):
            if watch.saw(len(batch)):
                os._exit(0)  # what Faust does to leave its group is not what is measured

    return app


if __name__ == "__main__":
    # its banner would stand before the result, and its log would take standard output over
    faust.Worker(
        build(Task.from_arguments()), loglevel="ERROR", quiet=True, redirect_stdouts=False
    ).execute_from_commandline()
