"""Replaying some of a plan's partitions in this process: the parts of a worker, over a source that ends."""

from __future__ import annotations

import asyncio
import logging
import math
import time
import uuid
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from pipeline.errors import FencedError
from pipeline.ledger.rows import LIVE
from pipeline.replay.positions import PlannedPositions
from pipeline.replay.quiet import NoHalts, NoMessages, PlannedPartitions
from pipeline.replay.reading import ShardReader, take_over
from pipeline.replay.record import OvertakenError
from pipeline.replay.verdicts import load_verdicts
from pipeline.settings import WorkerSettings
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.state.rows import Stage
from pipeline.worker.committer import Committer
from pipeline.worker.dimensions import WRITE_REPLAY, DimensionTables
from pipeline.worker.erasure import Eraser, erase_for_ever
from pipeline.worker.processor import ShardProcessor
from pipeline.worker.shard import shard_number
from pipeline.worker.telemetry import Telemetry
from schemas.topics import LANE_OF_TOPIC

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from pipeline.ledger.ledger import LedgerPort
    from pipeline.replay.plan import LogPart, Plan
    from pipeline.replay.ports import ReplaySource
    from pipeline.state.policy import Policy
    from pipeline.transport.ports import TP

_log = logging.getLogger(__name__)
BLOCK_SECONDS: Final = 1.0
_IDLE_BLOCKS: Final = 10  # event time runs: a cell that blocks have left alone for ten seconds is mostly of the past
_ERASE_SECONDS: Final = 0.05
_TIDY_SECONDS: Final = 2.0
_REPORT_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Done:
    """How far some partitions have been replayed: records read, and those of them that are durable."""

    read: int = 0
    durable: int = 0

    def __add__(self, other: Done) -> Done:
        return Done(self.read + other.read, self.durable + other.durable)


class PartReplay:
    """Some partitions of a plan, replayed by this process alone.

    Args:
        plan: of the run.
        part: the partitions.
        policy: how the run counts.
        open_ledger: makes a connection to the run's ledger under an owner's name.
        source: their records.
        is_own: asks the ledger whether the run is still the one that was begun: somebody who slept may wake to another
            one of its name.
        report: told now and then how far it has come.
    """

    def __init__(  # noqa: PLR0913 - what a part is made of
        self,
        *,
        plan: Plan,
        part: frozenset[TP],
        policy: Policy,
        open_ledger: Callable[[str], LedgerPort],
        source: ReplaySource,
        is_own: Callable[[], bool],
        report: Callable[[Done], None],
    ) -> None:
        self._logs = [log for log in plan.logs if log.tp in part]
        self._plan = plan
        self._policy = policy
        self._open_ledger = open_ledger
        self._source = source
        self._is_own = is_own
        self._report = report

    async def run(self) -> None:
        """Read everything, and return once it is durable.

        Raises:
            UserError: records cannot be had, or somebody else replays this run.
        """
        owner = uuid.uuid4().hex
        ledger = self._open_ledger(owner)
        verdicts = await asyncio.to_thread(load_verdicts, ledger, self._plan, LIVE)
        telemetry = Telemetry()
        campaigns = CampaignRegistry(self._policy)
        counts = PlannedPartitions(self._plan.partition_counts)
        messages = NoMessages()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._source.stop)
            await self._source.start()
            dimensions = DimensionTables(self._source.dimensions, ledger, campaigns, telemetry, counts, WRITE_REPLAY)
            await dimensions.restore()
            committer = Committer(
                ledger=ledger,
                dead_letters=messages,
                recall=messages,
                dimensions=dimensions,
                labels=self._policy.labels,
                telemetry=telemetry,
                now_ms=_now_ms,
            )
            processor = ShardProcessor(
                policy=self._policy,
                settings=WorkerSettings(commit_interval_seconds=BLOCK_SECONDS),
                idle_seconds=math.inf,  # what fell silent is known from live's record, not from this clock
                campaigns=campaigns,
                ledger=ledger,
                committer=committer,
                dimensions=dimensions,
                source=self._source.dimensions,
                starting_points=PlannedPositions(self._plan, verdicts),
                halts=NoHalts(),
                telemetry=telemetry,
                now_ms=_no_clock,
                idle_blocks=_IDLE_BLOCKS,
            )
            fenced: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            readers = [
                ShardReader(logs, self._source, processor, verdicts, fenced.done) for logs in by_shard(self._logs)
            ]
            eraser = Eraser(self._open_ledger(owner), committer.paused, self._policy.labels)
            await self._take_over(processor)
            await self._work(processor, readers, eraser, fenced)

    async def _take_over(self, processor: ShardProcessor) -> None:
        """Claim the shards of the run that was begun and of no other; asked before for its owner's sake, and after."""
        await self._expect_own()
        await take_over(processor, self._source, frozenset(log.tp for log in self._logs))
        await self._expect_own()

    async def _expect_own(self) -> None:
        if not await asyncio.to_thread(self._is_own):
            raise OvertakenError(self._plan.run)

    async def _work(
        self, processor: ShardProcessor, readers: list[ShardReader], eraser: Eraser, fenced: asyncio.Future[None]
    ) -> None:
        def on_dropped(_partitions: frozenset[TP], error: Exception) -> None:
            # a shard whose changes could not be encoded, or whose erasure broke off, is loaded again by its reader
            if isinstance(error, FencedError) and not fenced.done():
                fenced.set_exception(error)

        beside = [
            asyncio.ensure_future(work)
            for work in (
                processor.run_commits(on_dropped),
                _again_and_again(_TIDY_SECONDS, processor.tidy),
                erase_for_ever(partial(processor.erase, eraser, on_dropped), _ERASE_SECONDS),
                _again_and_again(_REPORT_SECONDS, partial(self._tell, processor)),
                fenced,
            )
        ]
        reading = [asyncio.create_task(reader.run()) for reader in readers]
        try:
            await _all_or_first_failure(reading, beside)
            await _finish_erasures(processor, partial(processor.erase, eraser, on_dropped))
            self._tell(processor)
        except FencedError as error:
            raise OvertakenError(self._plan.run) from error
        finally:
            for task in (*reading, *beside):
                task.cancel()
            await asyncio.gather(*reading, *beside, return_exceptions=True)

    def _tell(self, processor: ShardProcessor) -> None:
        shards = {shard.number: shard for shard in processor.shards}
        done = Done()
        for log in self._logs:
            shard = shards.get(shard_number(LANE_OF_TOPIC[log.topic], log.partition))
            if shard is not None:  # it is being loaded again otherwise
                done += Done(
                    *(places.get(log.topic, log.start) - log.start for places in (shard.next_offset, shard.durable))
                )
        self._report(done)


def by_shard(logs: Iterable[LogPart]) -> list[dict[str, LogPart]]:
    """Return logs by topic, shard by shard."""
    found: dict[int, dict[str, LogPart]] = {}
    for log in logs:
        found.setdefault(shard_number(LANE_OF_TOPIC[log.topic], log.partition), {})[log.topic] = log
    return list(found.values())


async def _all_or_first_failure(
    reading: Sequence[asyncio.Future[None]], beside: Sequence[asyncio.Future[None]]
) -> None:
    """Return when all of the first are done; what goes on beside them only ends by failing."""
    unfinished: set[asyncio.Future[None]] = set(reading)
    while unfinished:
        done, _ = await asyncio.wait({*unfinished, *beside}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        unfinished -= done


async def _again_and_again(seconds: float, step: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(seconds)
        step()


async def _finish_erasures(processor: ShardProcessor, erase: Callable[[], Awaitable[None]]) -> None:
    """Carry what the customers topic asks to be erased to its end."""
    while any(shard.core.erasures_at(stage) for shard in processor.shards for stage in (Stage.BEGUN, Stage.SUBTRACTED)):
        await erase()
        for shard in list(processor.shards):
            await processor.settle(shard)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _no_clock() -> None:
    """Return no time: nothing is from the future for a replay."""
