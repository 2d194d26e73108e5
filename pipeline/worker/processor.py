"""The transport's processor: owns shards, takes them over and lets them go, and keeps the commit cycle turning."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pipeline.errors import FencedError, PipelineError
from pipeline.ledger.loader import Loader
from pipeline.transport.ports import TP
from pipeline.worker.garbage import collect_and_freeze
from pipeline.worker.isolation import Isolation
from pipeline.worker.shard import IDLE_BLOCKS, OwnedShard, shard_number
from schemas.topics import CUSTOMER_LANE, CUSTOMERS, LANE_OF_TOPIC

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pipeline.ledger.ledger import LedgerPort
    from pipeline.settings import WorkerSettings
    from pipeline.state.campaign_registry import CampaignRegistry
    from pipeline.state.policy import Policy
    from pipeline.transport.ports import RecordBatch
    from pipeline.worker.committer import Committer
    from pipeline.worker.dimensions import DimensionTables
    from pipeline.worker.erasure import Eraser
    from pipeline.worker.ports import DimensionSource, HaltGate, Positions
    from pipeline.worker.telemetry import Telemetry
    from schemas.topics import Lane

    OnDropped = Callable[[frozenset[TP], Exception], None]

_log = logging.getLogger(__name__)
_COLLECT_SECONDS: Final = 2.0
_IDLE_SECONDS: Final = 2.0
_BACKLOG_SECONDS: Final = 1.0
PENDING_LIMIT: Final = 200_000  # events taken in that no block holds yet, beyond which a worker stops reading


class StateDroppedError(PipelineError):
    """The shard's state may no longer be used; its partitions have to be taken over again."""


class ShardProcessor:
    """Implements `pipeline.transport.ports.BatchProcessor` over the state core and the ledger."""

    def __init__(  # noqa: PLR0913 - the parts of a worker, joined here and nowhere else
        self,
        *,
        policy: Policy,
        settings: WorkerSettings,
        idle_seconds: float,
        campaigns: CampaignRegistry,
        ledger: LedgerPort,
        committer: Committer,
        dimensions: DimensionTables,
        source: DimensionSource,
        starting_points: Positions,
        halts: HaltGate,
        telemetry: Telemetry,
        now_ms: Callable[[], int | None],
        idle_blocks: int = IDLE_BLOCKS,
    ) -> None:
        self._policy = policy
        self._settings = settings
        self._idle_seconds = idle_seconds
        self._campaigns = campaigns
        self._ledger = ledger
        self._committer = committer
        self._dimensions = dimensions
        self._source = source
        self._starting_points = starting_points
        self._telemetry = telemetry
        self._now_ms = now_ms
        self._idle_blocks = idle_blocks
        self._shards: dict[int, OwnedShard] = {}
        self._parked: dict[int, OwnedShard] = {}
        self._halts = halts
        self._isolation = Isolation()
        self._committed = asyncio.Event()
        self._dirty = asyncio.Event()
        self._full = asyncio.Event()  # readers wait for a block: the next one comes at once
        self._settling: set[int] = set()  # shards whose readers wait for what they have given to be durable
        self._turn = asyncio.Lock()

    # -- the transport's calls -------------------------------------------------------------------------------------

    async def assigned(self, partitions: frozenset[TP]) -> Mapping[TP, int | None]:
        """Take the partitions' shards over; see the port."""
        # no block may be under way, and no profile be read, while shards change hands
        async with self._turn, self._committer.paused(), self._dimensions.paused():
            # partitions that the ledger does not count with have no shard: their topic is halted with the first batch
            counted = {tp for tp in partitions if self._halts.is_counted(tp)}
            wanted = {(LANE_OF_TOPIC[tp.topic], tp.partition) for tp in counted}
            for lane, partition in wanted:
                number = shard_number(lane, partition)
                held = self._shards.pop(number, None)
                if held is not None:
                    self._parked[number] = held
            reusable = await self._still_ours([self._parked.get(shard_number(*key)) for key in wanted])
            await self._starting_points.review(reusable)
            for shard in reusable:
                self._shards[shard.number] = shard
            self._parked.clear()
            missing = [key for key in wanted if shard_number(*key) not in self._shards]
            if missing:
                await self._acquire(missing)
            await self._own_profiles()
            self._telemetry.shards(self._shards.values())
            return dict.fromkeys(partitions) | {
                tp: self._shards[shard_number(LANE_OF_TOPIC[tp.topic], tp.partition)].next_offset.get(tp.topic)
                for tp in counted
            }

    async def revoked(self, partitions: frozenset[TP]) -> None:
        """Make what is known durable and put the shards aside: they may come back unchanged."""
        async with self._turn:
            numbers = {shard_number(LANE_OF_TOPIC[tp.topic], tp.partition) for tp in partitions}
            leaving = [self._shards.pop(number) for number in numbers if number in self._shards]
            self._parked.update((shard.number, shard) for shard in leaving)
            try:
                await self._committer.commit(shard for shard in leaving if not shard.is_broken)
            except FencedError as error:
                _log.warning("revoked shards already have a new owner: %s", error)
                for shard in leaving:
                    shard.is_broken = True

    async def process(self, batch: RecordBatch) -> None:
        """Apply a batch once the dimension tables are as current as it; `run_commits` wakes up and writes it.

        Returns when the batch is applied, and later where too much waits to be written.
        """
        await self._dimensions.catch_up_to(self._customer_shard, batch.fetched_at)
        await self._halts.check(batch)
        shard = self._shards[shard_number(LANE_OF_TOPIC[batch.topic], batch.partition)]
        while not shard.profiles.unblocked.is_set():
            await shard.profiles.unblocked.wait()
            await self._dimensions.catch_up_to(self._customer_shard)
        if shard.is_broken:
            raise StateDroppedError(f"the state of {batch.topic} partition {batch.partition} was dropped")
        if not self._isolation.is_careful(shard):
            await self._accept(shard, batch)
            return
        await self._commit_alone(shard)  # what profiles have changed is not to be blamed on the records
        for part in self._isolation.slices(shard, batch):
            await self._accept(shard, part)
            await self._commit_alone(shard, part)
            self._isolation.passed(shard)

    async def _commit_alone(self, shard: OwnedShard, records: RecordBatch | None = None) -> None:
        """Make a shard's changes durable at once; ``records`` are what led to them."""
        await self._committer.commit([shard])
        if shard.fault is not None:
            shard.is_reported = True
            self._isolation.failed(shard, shard.fault, records)
        self._check_sound(shard)

    @staticmethod
    def _check_sound(shard: OwnedShard) -> None:
        if shard.fault is not None:
            raise shard.fault
        if shard.is_broken:
            raise StateDroppedError(f"the state of shard {shard.number} was dropped")

    async def _accept(self, shard: OwnedShard, batch: RecordBatch) -> None:
        await self._halts.check(batch)  # the last word: nothing is awaited between it and taking the batch in
        try:
            condemned = self._isolation.condemned(shard, batch.topic)
            outcome = shard.apply(batch, self._now_ms(), time.monotonic(), condemned)
        except BaseException as error:
            # the batch may be half applied: this state must not be used, nor written, any more
            shard.is_broken = True
            if not isinstance(error, MemoryError):
                self._isolation.failed(shard, error, batch)
            raise
        erased = shard.core.drain_left_out()
        if erased:
            self._telemetry.erased(batch.topic, erased)
        self._telemetry.events(batch.topic, outcome.good - erased, outcome.malformed + outcome.refused)
        self._telemetry.batch(batch)
        self._dirty.set()
        await self._halts.observe(batch.topic, outcome)
        while self.pending > min(PENDING_LIMIT, self._committer.events_in_a_block):
            self._committer.sealed.clear()
            self._full.set()
            await self._committer.sealed.wait()

    def durable_position(self, tp: TP) -> int | None:
        """Return the next offset after everything durable."""
        number = shard_number(LANE_OF_TOPIC[tp.topic], tp.partition)
        shard = self._shards.get(number) or self._parked.get(number)
        return None if shard is None else shard.durable.get(tp.topic)

    # -- the commit cycle ------------------------------------------------------------------------------------------

    @property
    def pending(self) -> int:
        """Events taken in that no block holds yet."""
        return sum(shard.pending for shard in self._shards.values())

    @property
    def shards(self) -> Iterable[OwnedShard]:
        """The shards owned now."""
        return self._shards.values()

    @property
    def _pace_seconds(self) -> float:
        """How long after one block's beginning the next one begins, unless it is full.

        Each block costs, and each shard in it. What is read from a backlog is seen late whatever is done.
        """
        pace = self._settings.commit_interval_seconds
        is_behind = sum(shard.unread for shard in self._shards.values()) > PENDING_LIMIT
        return max(pace, _BACKLOG_SECONDS) if is_behind else pace

    async def run_commits(self, on_dropped: OnDropped) -> None:
        """Write a block whenever there is something to write, at most one per interval; for ever.

        ``on_dropped`` is told which partitions have to be taken over again: all of them when another worker owns one of
        the shards, those of a shard whose changes could not be encoded.
        """
        loop = asyncio.get_running_loop()
        collect_at = loop.time() + _COLLECT_SECONDS
        while True:
            with suppress(TimeoutError):
                # a cycle without anything to write turns as well: its age says that the worker lives
                # (asyncio.wait_for may lose the cancellation of this task, before Python 3.12)
                async with asyncio.timeout(_IDLE_SECONDS):
                    await self._dirty.wait()
            self._dirty.clear()
            began = loop.time()
            try:
                sound = [shard for shard in self._shards.values() if not shard.is_broken]
                await self._committer.commit(sound)
            except FencedError as error:
                for shard in self._shards.values():
                    shard.is_broken = True
                on_dropped(_partitions(self._shards.values()), error)
            else:
                self._drop_faulty(sound, on_dropped)
            self._telemetry.health.cycle_done()
            self._committed.set()
            if loop.time() >= collect_at:
                collect_and_freeze()
                collect_at = loop.time() + _COLLECT_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout_at(began + self._pace_seconds):
                    await self._full.wait()
            self._full.clear()

    async def refresh(self) -> None:
        """Read the dimension tables without waiting for events; called now and then."""
        await self._dimensions.catch_up_to(self._customer_shard)
        self._dirty.set()

    async def erase(self, eraser: Eraser, on_dropped: OnDropped) -> None:
        """Take the erasures of the owned customers one stage further; called now and then."""
        await eraser.advance_all(
            list(self._shards.values()), self._dirty.set, lambda shard, error: on_dropped(_partitions([shard]), error)
        )

    async def settle(self, shard: OwnedShard) -> None:
        """Return once all that a shard was given is durable: with the cycle's next block, or its own if that is tried.

        Raises:
            FencedError: the shard has another owner.
            Exception: its changes could not be encoded, or its state was dropped: it has to be taken over again.
        """
        if self._isolation.is_careful(shard):
            await self._commit_alone(shard)
            return
        self._settling.add(shard.number)
        try:
            while shard.has_news and not shard.is_broken:
                self._dirty.set()
                if all(other.number in self._settling for other in self._shards.values() if other.has_news):
                    self._full.set()  # nobody has more to add to the next block
                self._committed.clear()
                await self._committed.wait()
            async with self._committer.paused():  # the block under way may hold the last of it
                self._check_sound(shard)
        finally:
            self._settling.discard(shard.number)

    def tidy(self) -> None:
        """Let silent topics follow the others and drop state past the horizon; called now and then."""
        for shard in self._shards.values():
            if not shard.is_broken:  # a batch may be half applied there
                shard.follow(time.monotonic(), self._idle_seconds, self._halts.topics)
                shard.tidy(self._idle_blocks)
        self._telemetry.shards(self._shards.values())

    def _drop_faulty(self, shards: Iterable[OwnedShard], on_dropped: OnDropped) -> None:
        """Have shards whose changes could not be encoded taken over again; a slice being tried reports its own."""
        for shard in shards:
            if shard.fault is not None and self._shards.get(shard.number) is shard and not shard.is_reported:
                shard.is_reported = True
                if not self._isolation.is_careful(shard):
                    self._isolation.failed(shard, shard.fault)
                on_dropped(_partitions([shard]), shard.fault)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _customer_shard(self, partition: int) -> OwnedShard | None:
        return self._shards.get(shard_number(CUSTOMER_LANE, partition))

    async def _still_ours(self, shards: list[OwnedShard | None]) -> list[OwnedShard]:
        """Return those of the shards whose state is sound and whose claim nobody has overtaken."""
        sound = {shard.number: shard for shard in shards if shard is not None and not shard.is_broken}
        if not sound:
            return []
        claims = await asyncio.to_thread(self._ledger.fetch, "claims", shards=list(sound))
        overtaken = {
            number for number, epoch, owner in claims if owner != self._ledger.owner and epoch >= sound[number].epoch
        }
        return [shard for number, shard in sound.items() if number not in overtaken]

    async def _acquire(self, keys: list[tuple[Lane, int]]) -> None:
        policy = self._policy
        fresh = [OwnedShard(lane, partition, policy, self._campaigns) for lane, partition in keys]
        epochs = await asyncio.to_thread(self._ledger.claim, [shard.number for shard in fresh])
        loader = Loader(self._ledger, self._policy, max((r.window_ms for r in self._campaigns.rules), default=0))
        loaded = await asyncio.to_thread(loader.load, {shard.number: shard.core for shard in fresh})
        collect_and_freeze()
        for shard in fresh:
            shard.open_epoch(epochs[shard.number])
            shard.is_suspect = self._isolation.is_careful(shard)
        await self._starting_points.resolve(fresh, loaded)
        self._shards.update((shard.number, shard) for shard in fresh)
        _log.info("took over %d shards", len(fresh))

    async def _own_profiles(self) -> None:
        for shard in self._shards.values():
            shard.profiles.drop()
        await self._source.own(
            {
                shard.partition: shard.next_offset.get(CUSTOMERS)
                for shard in self._shards.values()
                if shard.lane is CUSTOMER_LANE
            }
        )


def _partitions(shards: Iterable[OwnedShard]) -> frozenset[TP]:
    return frozenset(TP(topic, shard.partition) for shard in shards for topic in shard.lane.events)
