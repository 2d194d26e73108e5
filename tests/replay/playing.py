"""A live run and its replay in memory: the clock, the arrival order and the crashes of both as a test wants them."""

from __future__ import annotations

import asyncio
import math
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from pipeline.replay.plan import FROM_TOPICS, LogPart, Plan
from pipeline.replay.runner import PartReplay
from pipeline.transport.dimensions import DimensionRecord, DimensionUpdates
from pipeline.transport.ports import TP, RecordBatch
from schemas import topics
from tests.support.fakes import FakeLedger
from tests.support.fakes_player import MemoryPlayer
from tests.support.fakes_views import views_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from pipeline.state.policy import Policy
    from tests.oracle.log import Log, Record
    from tests.support.fakes import LedgerStore

RUN = "again"


class LivePlayer(MemoryPlayer):
    """A live worker: its clock stands anywhere, and its topics fall silent at any moment."""

    def __init__(self, policy: Policy, log: Log, random: Random, clocks: list[int] | None) -> None:
        self._random = random
        self._clocks = clocks
        super().__init__(policy, log)

    def feed(self, records: list[Record], now_ms: int | None = None) -> None:
        """Apply records, after which their log seems to have ended, and maybe let silent topics follow the others."""
        first = records[0]
        batch = RecordBatch(
            first.topic,
            first.partition,
            [r.offset for r in records],
            [r.key for r in records],
            [r.value for r in records],
            records[-1].offset + 1,
            end_offset=records[-1].offset + 1,
        )
        lane = topics.LANE_OF_TOPIC[first.topic]
        shard = next(one for one in self.shards.values() if one.lane is lane and one.partition == first.partition)
        shard.apply(batch, self._random.choice(self._clocks) if self._clocks else now_ms, now=0.0)
        if self._random.random() < 0.15:
            shard.follow(now=1.0, idle_seconds=0.5)


class BrokenOffError(Exception):
    """A fault of the source that no reader can go on from."""


class MemorySource:
    """A `ReplaySource` over a log; batches of any size, and a fault where the test wants one."""

    def __init__(self, log: Log, random: Random, breaks_after: float = math.inf) -> None:
        self._log = log
        self._random = random
        self._left = breaks_after
        self._positions: dict[TP, int] = {}
        self.dimensions = MemoryTables(log)

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def seek(self, positions: Mapping[TP, int]) -> None:
        self._positions |= positions

    async def next_batch(self, tp: TP) -> RecordBatch | None:
        await asyncio.sleep(0)
        self._left -= 1
        if self._left < 0:
            raise BrokenOffError
        start = self._positions[tp]
        records = self._log.get(tp, [])[start : start + self._random.randint(1, 30)]
        if not records:
            return None
        self._positions[tp] = end = start + len(records)
        keys, values = [record.key for record in records], [record.value for record in records]
        return RecordBatch(*tp, list(range(start, end)), keys, values, end, fetched_at=-math.inf)


class MemoryTables:
    """The dimension tables of a log."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._owned: dict[int, int | None] = {}
        self._has_campaigns = False

    async def own(self, partitions: Mapping[int, int | None]) -> None:
        self._owned = dict(partitions)

    async def restart_campaigns(self) -> None:
        raise AssertionError("a replay's tables are fixed")

    async def catch_up(self) -> DimensionUpdates:
        updates = DimensionUpdates()
        if not self._has_campaigns:
            self._has_campaigns = True
            updates.campaigns = [
                DimensionRecord(record.key, record.value, record.partition, record.offset)
                for place in sorted(self._log)
                if place[0] == topics.CAMPAIGNS
                for record in self._log[place]
            ]
        for partition, start in self._owned.items():
            records = self._log.get((topics.CUSTOMERS, partition), ())
            updates.customers[partition] = [
                DimensionRecord(record.key, record.value, partition, record.offset)
                for record in records
                if record.offset >= (start or 0)
            ]
            updates.next_offsets[TP(topics.CUSTOMERS, partition)] = len(records)
        self._owned = {}
        return updates


def replayed(
    store: LedgerStore,
    log: Log,
    policy: Policy,
    random: Random,
    breaks: int = 0,
    *,
    is_own: Callable[[], bool] = lambda: True,
) -> dict[str, list[dict[str, Any]]]:
    """Replay a log into a run beside live, broken off and resumed so many times; return its views."""
    plan = Plan(
        RUN,
        FROM_TOPICS,
        tuple(
            LogPart(topic, partition, 0, len(log.get((topic, partition), ()))) for topic, partition in _event_logs(log)
        ),
        (),
        {},
        begin_ms=None if policy.span is None else policy.span.begin,
        end_ms=None if policy.span is None else policy.span.end,
    )
    store.replays.add(RUN)
    FakeLedger(store, RUN, "").begin(policy, "test")
    while True:
        source = MemorySource(log, random, random.randint(0, 20) if breaks else math.inf)
        part = PartReplay(
            plan=plan,
            part=frozenset(one.tp for one in plan.logs),
            policy=policy,
            open_ledger=lambda owner: FakeLedger(store, RUN, owner),
            source=source,
            is_own=is_own,
            report=lambda _done: None,
        )
        try:
            with _hurried():
                asyncio.run(part.run())
        except BrokenOffError:
            breaks -= 1
        else:
            return views_of(store.tables(RUN))


def _event_logs(log: Log) -> list[tuple[str, int]]:
    """Return every event topic's partitions, empty ones too: who owns them reads the tables."""
    partitions = {partition for _, partition in log} | {0}
    return sorted((topic, partition) for topic in topics.LANE_OF_TOPIC for partition in partitions)


def _hurried() -> ExitStack:
    """Have blocks, tidying and loads come at every opportunity, for the time of the context."""
    stack = ExitStack()
    for name in ("BLOCK_SECONDS", "_TIDY_SECONDS", "_REPORT_SECONDS"):
        stack.enter_context(patch(f"pipeline.replay.runner.{name}", 0.001))
    stack.enter_context(patch("pipeline.replay.reading._FRUITLESS_LOADS", 1))
    return stack
