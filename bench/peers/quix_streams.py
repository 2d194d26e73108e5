"""Quix Streams: a streaming data frame over the topics, state in RocksDB with changelog topics, a sink at checkpoints.

Chosen: `concat`, its documented way to feed several topics to one state, which aligns their partitions by record time;
bytes in (its own JSON deserialiser is slower than msgspec) and bytes in the state (`get_bytes`, likewise); a commit
every second, because the sink writes at commits and rows are wanted every second. All else is its default.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from functools import partial
from typing import Any

from quixstreams import Application
from quixstreams.sinks.base import BaseSink

from bench.peers.collecting import FLUSH_SECONDS, Collector
from bench.peers.job import Event, Fact, Kept, decode, decode_spend, lane_of, pack, take, unpack
from bench.peers.report import Task


class CollectorSink(BaseSink):  # type: ignore[misc] # untyped for who has not installed it
    """Adds facts up and writes them at each checkpoint."""

    def __init__(self, collector: Collector) -> None:
        super().__init__()
        self._collector = collector

    def add(self, value: Any, **_: Any) -> None:
        """Take one fact; the last ends the process."""
        self._collector.watch.begin()
        self._collector.add(value)
        if self._collector.watch.counted(1):
            self._collector.finish()
            os._exit(0)  # what it does to leave its group is not what is measured

    def flush(self) -> None:
        """Write, as the checkpoint commits."""
        self._collector.flush()


def build(task: Task) -> Any:
    """Return the Quix application; its frames are known to it."""
    app = Application(
        broker_address=task.bootstrap,
        consumer_group=f"bench-{uuid.uuid4().hex[:8]}",
        auto_offset_reset="earliest",
        commit_interval=FLUSH_SECONDS,
        state_dir=tempfile.mkdtemp(),
        loglevel="ERROR",
        auto_create_topics=True,
    )
    collector = Collector(task)
    collector.watch.open()
    if task.job == "full":
        _full(app, task, collector)
    else:
        for name in task.topics:
            _frame(app, name).apply(partial(_add_spend, collector))
    return app


def _frame(app: Any, name: str) -> Any:
    return app.dataframe(app.topic(name, key_deserializer="str", value_deserializer="bytes"))


def _add_spend(collector: Collector, value: bytes) -> None:
    collector.watch.begin()
    collector.add_spend(decode_spend(value))
    if collector.saw(1):
        os._exit(0)


def _full(app: Any, task: Task, collector: Collector) -> None:
    frames = {lane_of(name): _frame(app, name) for name in task.topics}
    named = {lane: frame.apply(partial(_named, lane)) for lane, frame in frames.items()}
    costs = named.pop("costs")
    first, *others = named.values()
    for other in others:
        first = first.concat(other)
    sink = CollectorSink(collector)
    for frame in (first, costs):
        frame.apply(with_state, stateful=True).sink(sink)


def _named(lane: str, value: bytes) -> tuple[str, Event]:
    return lane, decode(value)


def with_state(named: tuple[str, Event], state: Any) -> Fact:
    """Take an event with what the engine keeps for its key."""
    packed = state.get_bytes("kept")
    kept = unpack(packed) if packed else Kept()
    fact = take(kept, *named)
    state.set_bytes("kept", pack(kept))
    return fact


if __name__ == "__main__":
    build(Task.from_arguments()).run()
