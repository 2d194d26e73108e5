"""A plain aiokafka loop: what one writes on a Friday afternoon, and the fastest of its kind.

State is a dict in memory and nothing is kept: after a restart it begins again at the earliest offset with empty
tables, and rows that were written stay. `getmany` gives whole fetches, and msgspec decodes.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer

from bench.peers.collecting import Collector
from bench.peers.job import Kept, decode, decode_spend, key_of, lane_of, take
from bench.peers.report import Task

if TYPE_CHECKING:
    from collections.abc import Iterable


class Loop:
    """The work on one fetch."""

    def __init__(self, task: Task) -> None:
        self.collector = Collector(task)
        self._kept: defaultdict[str, Kept] = defaultdict(Kept)

    def trivial(self, values: Iterable[bytes]) -> None:
        """Add up the cost of these events."""
        for value in values:
            self.collector.add_spend(decode_spend(value))

    def full(self, lane: str, values: Iterable[bytes]) -> None:
        """Do the full job for these events of one topic."""
        for value in values:
            event = decode(value)
            self.collector.add(take(self._kept[key_of(event)], lane, event))


async def read(task: Task) -> None:
    """Fetch until the task is done."""
    loop = Loop(task)
    consumer = AIOKafkaConsumer(
        *task.topics, bootstrap_servers=task.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    try:
        loop.collector.watch.start()
        while True:
            for partition, records in (await consumer.getmany(timeout_ms=1000)).items():
                values = [record.value for record in records]
                if task.job == "full":
                    loop.full(lane_of(partition.topic), values)
                else:
                    loop.trivial(values)
                if loop.collector.saw(len(values)):
                    return
    finally:
        await consumer.stop()


if __name__ == "__main__":
    asyncio.run(read(Task.from_arguments()))
