"""Processor time an event of three ways to fetch: `python -m bench.fetching` (a broker, and a child for every way)."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaConsumer

from bench.children import measured
from bench.servers import running_broker, running_instance
from bench.workload import fill
from pipeline.settings import load_settings
from pipeline.simulation.mixes import MixOptions, mix_events
from pipeline.transport.batches import run_batch
from pipeline.transport.draining import fetched_runs
from pipeline.transport.ports import TP
from schemas.topics import EVENT_TOPICS

if TYPE_CHECKING:
    from collections.abc import Sequence

WAYS: Final = ("records", "lists", "packed")  # as aiokafka does, packed and made lists of, packed
_MOST: Final = 20_000


def main() -> None:
    """Measure every way, or one in this process; print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--bootstrap")
    arguments = parser.parse_args()
    if arguments.way:
        found = asyncio.run(_read(arguments.way, arguments.bootstrap, arguments.events))
        print(json.dumps({"microseconds": found}))  # noqa: T201 - the answer of a command
        return
    with running_broker("tansu") as bootstrap, running_instance(bootstrap) as data:
        count = fill(load_settings(data), mix_events(MixOptions("A", arguments.events, arguments.events // 10)))
        for way in WAYS * arguments.rounds:
            given = ("--way", way, "--bootstrap", bootstrap, "--events", count)
            print(json.dumps({way: measured("bench.fetching", *given)}), flush=True)  # noqa: T201 - as above


async def _read(way: str, bootstrap: str, events: int) -> float:
    consumer = AIOKafkaConsumer(
        *EVENT_TOPICS, bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    began, seen = time.process_time(), 0
    while seen < events:
        for tp, runs in (await _fetch(way, consumer)).items():
            batch = run_batch(TP(*tp), runs, 0, 0, 1)
            if way == "lists":
                _ = batch.offsets, batch.keys, batch.values, batch.timestamps
            seen += len(batch)
    used = time.process_time() - began
    await consumer.stop()
    return used / seen * 1e6


async def _fetch(way: str, consumer: AIOKafkaConsumer) -> dict[Any, Sequence[Any]]:
    partitions = frozenset(TP(*tp) for tp in consumer.assignment())
    if way == "records":
        fetched = await consumer.getmany(timeout_ms=250, max_records=_MOST)
        return {tp: [records] for tp, records in fetched.items()}
    return dict(await fetched_runs(consumer._fetcher, partitions, 0.25, _MOST))  # noqa: SLF001 - as the worker's consumer


if __name__ == "__main__":
    main()
