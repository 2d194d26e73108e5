"""Stock Faust with a Table: batches by `take_events`, one table for what each key needs, its changelog in Kafka.

Chosen: `take_events(5000, within=1)`, Faust's own batching, since an event at a time is slower still. In a batch, "the
current event" is the last one, so the table must ask the partitioner where a key's changes belong
(`use_partitioner`), and a key with several events in a batch is read and written once. Values are stored as bytes
packed by msgspec, which is faster than Faust's own JSON or pickle. The event loop is uvloop, Faust's own
extra for speed. The store is the one in memory: RocksDB is an extra of Faust that only takes time here.
"""

from __future__ import annotations

import os
from typing import Any

from bench.peers.collecting import Collector
from bench.peers.faust_app import BATCH, application, run
from bench.peers.job import Kept, decode, decode_spend, key_of, lane_of, pack, take, unpack
from bench.peers.report import Task


def build(task: Task) -> Any:
    """Return the Faust application."""
    app, topic = application(task)
    collector = Collector(task)
    if task.job == "full":
        _full(app, topic, collector, task.partitions)
    else:
        _trivial(app, topic, collector)
    return app


def _trivial(app: Any, topic: Any, collector: Collector) -> None:
    @app.agent(topic)  # type: ignore[untyped-decorator] # Faust is untyped here
    async def add_up(stream: Any) -> None:
        async for batch in stream.take(BATCH, within=1.0):
            for value in batch:
                collector.add_spend(decode_spend(value))
            if collector.saw(len(batch)):
                os._exit(0)  # what Faust does to leave its group is not what is measured


def _full(app: Any, topic: Any, collector: Collector, partitions: int) -> None:
    table = app.Table("kept", partitions=partitions, use_partitioner=True, key_type=bytes, value_type=bytes)

    @app.agent(topic)  # type: ignore[untyped-decorator] # Faust is untyped here
    async def do_the_job(stream: Any) -> None:
        async for batch in stream.take_events(BATCH, within=1.0):
            changed: dict[bytes, Kept] = {}
            for each in batch:
                event = decode(each.value)
                key = key_of(event).encode()
                kept = changed.get(key)
                if kept is None:
                    packed = table.get(key)
                    kept = changed[key] = unpack(packed) if packed else Kept()
                collector.add(take(kept, lane_of(each.message.topic), event))
            for key, kept in changed.items():
                table[key] = pack(kept)
            if collector.saw(len(batch)):
                os._exit(0)


if __name__ == "__main__":
    import uvloop

    uvloop.install()
    run(build(Task.from_arguments()))
