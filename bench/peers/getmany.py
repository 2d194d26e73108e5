"""Bare aiokafka `getmany`, nothing decoded: the ceiling of the client that Faust stands on."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaConsumer

from bench.peers.report import Stopwatch, Task


async def read(task: Task) -> None:
    """Fetch until the task is done."""
    consumer = AIOKafkaConsumer(
        *task.topics, bootstrap_servers=task.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    try:
        watch = Stopwatch(task.events)
        # fetching has just begun, in the background: the first answer may hold most of what is there
        watch.start()
        while True:
            fetched = await consumer.getmany(timeout_ms=1000)
            if fetched and watch.saw(sum(map(len, fetched.values()))):
                return
    finally:
        await consumer.stop()


if __name__ == "__main__":
    asyncio.run(read(Task.from_arguments()))
