"""Stock Faust with a Table: batches by `take_events`, one table for what each key needs, its changelog in Kafka.

Chosen: `take_events(5000, within=1)`, Faust's own batching, since an event at a time is slower still. In a batch, "the
current event" is the last one, so the table must ask the partitioner where a key's changes belong
(`use_partitioner`). Values are stored as bytes packed by msgspec, which is faster than Faust's own JSON or pickle. The
store is the one in memory: RocksDB is an extra of Faust that only takes time here.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from typing import Any, Final

import faust

from bench.peers.collecting import Collector
from bench.peers.job import Kept, decode, decode_spend, key_of, lane_of, pack, take, unpack
from bench.peers.report import Task

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
        topic_partitions=task.partitions,
        # its default buffer holds fewer than one batch
        stream_buffer_maxsize=4 * BATCH,
    )
    topic = app.topic(*task.topics, key_type=bytes, value_type=bytes)
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
            for each in batch:
                event = decode(each.value)
                key = key_of(event).encode()
                packed = table.get(key)
                kept = unpack(packed) if packed else Kept()
                fact = take(kept, lane_of(each.message.topic), event)
                table[key] = pack(kept)
                collector.add(fact)
            if collector.saw(len(batch)):
                os._exit(0)


if __name__ == "__main__":
    # its banner would stand before the result, and its log would take standard output over
    faust.Worker(
        build(Task.from_arguments()), loglevel="ERROR", quiet=True, redirect_stdouts=False
    ).execute_from_commandline()
