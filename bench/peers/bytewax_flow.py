"""Bytewax: `flat_map_batch` to decode, `stateful_batch` by key, recovery partitions in SQLite, epochs of a second.

Chosen: the batch operators, which its authors recommend where items are small; a source batch of 10,000 (the default
1,000 is for small latency); one worker, as all peers have one process; snapshots each second, as rows are wanted each
second. Values stay Python objects between operators; state is the object itself, pickled only at a snapshot.
"""

from __future__ import annotations

import os
import tempfile
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bytewax import operators as op
from bytewax._bytewax import cli_main
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.recovery import RecoveryConfig, init_db_dir

from bench.peers.collecting import FLUSH_SECONDS, Collector
from bench.peers.job import Event, Fact, Kept, decode, decode_spend, key_of, lane_of, pack, take, unpack
from bench.peers.report import Task

if TYPE_CHECKING:
    from collections.abc import Iterable

BATCH: Final = 10_000


class Keeper(StatefulBatchLogic):  # type: ignore[misc] # untyped for who has not installed it
    """What is kept of one key."""

    def __init__(self, kept: Kept | None) -> None:
        self._kept = kept or Kept()

    def on_batch(self, values: list[tuple[str, Event]]) -> tuple[Iterable[Fact], bool]:
        """Take the key's events of a batch."""
        return [take(self._kept, lane, event) for lane, event in values], StatefulBatchLogic.RETAIN

    def snapshot(self) -> bytes:
        """Return what is to be stored: bytes, as the state goes on changing."""
        return pack(self._kept)


class CollectorSink(DynamicSink):  # type: ignore[misc] # as above
    """One partition that adds up all facts."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def build(self, step_id: str, worker_index: int, worker_count: int) -> Any:  # noqa: ARG002 - Bytewax names them
        """Return the only partition."""
        return CollectorPartition(self._collector)


class CollectorPartition(StatelessSinkPartition):  # type: ignore[misc] # as above
    """Takes keyed facts, or, in the trivial job, the number of events of a batch."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def write_batch(self, items: list[Any]) -> None:
        """Add them; the last ends the process."""
        if items and isinstance(items[0], int):
            events = sum(items)
        else:
            events = len(items)
            for _, fact in items:
                self._collector.add(fact)
        if self._collector.saw(events):
            os._exit(0)


def _keeper(packed: bytes | None) -> Keeper:
    return Keeper(unpack(packed) if packed else None)


def build(task: Task) -> Any:
    """Return the dataflow."""
    collector = Collector(task)
    collector.watch.open()
    flow = Dataflow("bench")
    records = op.input("read", flow, KafkaSource([task.bootstrap], task.topics, tail=True, batch_size=BATCH))
    if task.job == "full":
        keyed = op.flat_map_batch("decode", records, partial(_decode_batch, collector))
        found = op.stateful_batch("keep", keyed, _keeper)
    else:

        def add_up(batch: list[Any]) -> list[int]:
            collector.watch.begin()
            for record in batch:
                collector.add_spend(decode_spend(record.value))
            return [len(batch)]

        found = op.flat_map_batch("add_up", records, add_up)
    op.output("write", found, CollectorSink(collector))
    return flow


def _decode_batch(collector: Collector, batch: list[Any]) -> list[tuple[str, tuple[str, Event]]]:
    # results come out long after: the clock begins where the work does
    collector.watch.begin()
    named = []
    for record in batch:
        event = decode(record.value)
        named.append((key_of(event), (lane_of(record.topic), event)))
    return named


def run(task: Task) -> None:
    """Run the flow in this process."""
    options: dict[str, Any] = {"epoch_interval": timedelta(seconds=FLUSH_SECONDS)}
    if task.job == "full":
        folder = Path(tempfile.mkdtemp())
        init_db_dir(folder, 1)
        options["recovery_config"] = RecoveryConfig(str(folder), None)
    cli_main(build(task), workers_per_process=1, **options)


if __name__ == "__main__":
    run(Task.from_arguments())
