"""Stock Faust with an agent that does nothing: raw bytes, taken 5,000 at a time, not even decoded."""

from __future__ import annotations

import os
from typing import Any

from bench.peers.faust_app import BATCH, application, run
from bench.peers.report import Stopwatch, Task


def build(task: Task) -> Any:
    """Return the Faust application."""
    app, topic = application(task)
    watch = Stopwatch(task.events)

    @app.agent(topic)  # type: ignore[untyped-decorator] # Faust is untyped here
    async def count(stream: Any) -> None:
        async for batch in stream.take(BATCH, within=1.0):
            if watch.saw(len(batch)):
                os._exit(0)  # what Faust does to leave its group is not what is measured

    return app


if __name__ == "__main__":
    run(build(Task.from_arguments()))
