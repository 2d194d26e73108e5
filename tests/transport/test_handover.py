"""The handover against a fake feed: a log in memory, fetched in pieces, with every fault a rebalance can bring."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from pipeline.errors import FencedError
from pipeline.transport import handover as handover_module
from pipeline.transport.handover import FENCED_SECONDS, Handover
from pipeline.transport.metrics import TransportMetrics
from pipeline.transport.ports import TP, Delivery, HaltKind, RecordBatch, TopicHaltedError
from schemas.topics import COSTS, CUSTOMERS, LOGINS, TOUCHES
from tests.transport.recording import Recorder, Store

if TYPE_CHECKING:
    from collections.abc import Callable

LOGINS_0 = TP(LOGINS, 0)
TOUCHES_0 = TP(TOUCHES, 0)
COSTS_0 = TP(COSTS, 0)


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Feed:
    """A partition's log: the offsets it has records at, and its end."""

    tp: TP
    offsets: list[int]
    end: int
    position: int = 0

    def fetch(self, opening: int, most: int) -> Delivery:
        """Return the next records; the gap behind the last of them belongs to the same fetch."""
        ahead = [offset for offset in self.offsets if offset >= self.position]
        taken = ahead[:most]
        start, self.position = self.position, ahead[most] if len(ahead) > most else self.end
        keys: list[bytes | None] = [None] * len(taken)
        values: list[bytes | None] = [b"%d" % offset for offset in taken]
        return Delivery(RecordBatch(*self.tp, taken, keys, values, self.position), opening, start)


@dataclass
class World:
    recorder: Recorder
    clock: Clock = field(default_factory=Clock)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.handover = Handover(self.recorder, TransportMetrics(self.registry), self.clock)

    async def open(self, *partitions: TP) -> None:
        """Do what the consumer does after a rebalance and for what falls due."""
        self.handover.flows.assign(partitions)
        due = self.handover.due()
        openings = self.handover.flows.openings(due)
        targets = await self.handover.acquire(due)
        self.handover.flows.opened({tp: offset or 0 for tp, offset in targets.items()}, openings)

    def delivery(self, tp: TP, start: int, end: int) -> Delivery:
        return Feed(tp, list(range(start, end)), end, start).fetch(self.handover.flows.openings({tp})[tp], end - start)

    def count(self, name: str, topic: str) -> float:
        return self.registry.get_sample_value(name, {"topic": topic}) or 0.0


class Obstacle:
    """Holds batches until told to let them through."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.lift = asyncio.Event()

    async def __call__(self, _: RecordBatch) -> None:
        self.reached.set()
        await self.lift.wait()


def raising(error: Exception) -> Callable[[RecordBatch], None]:
    def obstacle(_: RecordBatch) -> None:
        raise error

    return obstacle


async def test_revocation_waits_for_the_batch_in_flight() -> None:
    obstacle = Obstacle()
    world = World(Recorder(obstacle=obstacle))
    await world.open(LOGINS_0)
    processing = asyncio.create_task(world.handover.process(world.delivery(LOGINS_0, 0, 5)))
    await obstacle.reached.wait()
    revoking = asyncio.create_task(world.handover.revoke(frozenset({LOGINS_0})))
    await asyncio.sleep(0)
    assert world.recorder.revocations == []
    obstacle.lift.set()
    await asyncio.gather(processing, revoking)
    assert world.recorder.revocations == [{LOGINS_0}]
    assert world.recorder.store.positions == {LOGINS_0: 5}
    assert world.recorder.breaches == []


async def test_revocation_cancels_a_batch_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover_module, "GRACE_SECONDS", 0.01)
    obstacle = Obstacle()
    world = World(Recorder(obstacle=obstacle))
    await world.open(LOGINS_0)
    processing = asyncio.create_task(world.handover.process(world.delivery(LOGINS_0, 0, 5)))
    await obstacle.reached.wait()
    await world.handover.revoke(frozenset({LOGINS_0}))
    await processing
    assert world.recorder.revocations == [{LOGINS_0}]
    assert world.recorder.store.positions == {}
    assert world.recorder.breaches == []


async def test_queued_batch_of_a_revoked_partition_is_dropped() -> None:
    world = World(Recorder())
    await world.open(LOGINS_0)
    queued = world.delivery(LOGINS_0, 0, 5)
    await world.handover.revoke(frozenset({LOGINS_0}))
    await world.handover.process(queued)
    await world.open(LOGINS_0)
    await world.handover.process(queued)
    assert world.recorder.store.records == {}
    assert world.count("roi_stale_batches_total", LOGINS) == 2


async def test_batch_delivered_twice_is_taken_once() -> None:
    world = World(Recorder())
    await world.open(LOGINS_0)
    twice = world.delivery(LOGINS_0, 0, 5)
    await world.handover.process(twice)
    await world.handover.process(twice)
    assert world.recorder.store.values() == [b"0", b"1", b"2", b"3", b"4"]


async def test_lost_batch_makes_the_shard_read_again() -> None:
    world = World(Recorder())
    await world.open(LOGINS_0)
    await world.handover.process(world.delivery(LOGINS_0, 5, 9))
    assert world.recorder.store.records == {}
    assert world.handover.due() == {LOGINS_0}
    assert world.count("roi_shard_retries_total", LOGINS) == 1


async def test_seek_back_rereads_from_the_processors_position() -> None:
    world = World(Recorder(Store({LOGINS_0: 3})))
    await world.open(LOGINS_0)
    ahead = world.delivery(LOGINS_0, 3, 8)
    world.handover.reopen({LOGINS_0})
    await world.open()
    await world.handover.process(ahead)
    assert world.recorder.store.records == {}
    await world.handover.process(world.delivery(LOGINS_0, 3, 8))
    assert world.recorder.store.positions == {LOGINS_0: 8}


async def test_failing_batch_is_retried_with_its_whole_shard_after_the_back_off() -> None:
    world = World(Recorder(obstacle=raising(ValueError("customer c42"))))
    await world.open(LOGINS_0, TOUCHES_0, COSTS_0)
    await world.handover.process(world.delivery(LOGINS_0, 0, 5))
    assert world.handover.flows.open == {COSTS_0}
    assert world.handover.seconds_to_next_due() == 0.25
    assert not world.handover.due()
    world.clock.now += 0.25
    assert world.handover.due() == {LOGINS_0, TOUCHES_0}


async def test_take_over_waits_for_the_shards_other_batches() -> None:
    obstacle = Obstacle()
    world = World(Recorder(obstacle=obstacle))
    await world.open(LOGINS_0, TOUCHES_0)
    processing = asyncio.create_task(world.handover.process(world.delivery(LOGINS_0, 0, 5)))
    await obstacle.reached.wait()
    world.handover.reopen({TOUCHES_0})
    taking_over = asyncio.create_task(world.open())
    await asyncio.sleep(0)
    assert len(world.recorder.ever_owned) == 1
    obstacle.lift.set()
    await asyncio.gather(processing, taking_over)
    assert world.recorder.ever_owned[1:] == [{LOGINS_0, TOUCHES_0}]
    assert world.recorder.breaches == []


async def test_log_names_no_customer_of_a_failing_batch(caplog: pytest.LogCaptureFixture) -> None:
    world = World(Recorder(obstacle=raising(ValueError("customer c42"))))
    await world.open(LOGINS_0)
    await world.handover.process(world.delivery(LOGINS_0, 0, 5))
    assert "ValueError at obstacle" in caplog.text
    assert "c42" not in caplog.text


async def test_fenced_worker_waits_for_the_groups_word() -> None:
    world = World(Recorder(obstacle=raising(FencedError("claimed by another worker"))))
    await world.open(LOGINS_0)
    await world.handover.process(world.delivery(LOGINS_0, 0, 5))
    assert world.handover.seconds_to_next_due() == FENCED_SECONDS


TOO_MANY_BAD = TopicHaltedError(LOGINS, HaltKind.BAD_SHARE, "too many bad events", "correct the producer")


async def test_halted_topic_halts_alone_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    world = World(Recorder(obstacle=raising(TOO_MANY_BAD)))
    await world.open(LOGINS_0, TOUCHES_0)
    await world.handover.process(world.delivery(LOGINS_0, 0, 5))
    await world.handover.process(world.delivery(LOGINS_0, 0, 5))
    assert set(world.handover.halted) == {LOGINS}
    assert world.handover.flows.open == {LOGINS_0, TOUCHES_0}
    assert caplog.text.count("correct the producer") == 1
    assert world.count("roi_topic_halted", LOGINS) == 1


async def test_resumed_topic_is_read_on_from_the_processors_position() -> None:
    world = World(Recorder())
    await world.open(LOGINS_0, TOUCHES_0)
    await world.handover.process(world.delivery(LOGINS_0, 0, 5))
    world.handover.halt(TOO_MANY_BAD)
    await world.handover.process(world.delivery(LOGINS_0, 5, 10))
    world.handover.resume(LOGINS)
    assert world.handover.due() == {LOGINS_0, TOUCHES_0}
    await world.open(LOGINS_0, TOUCHES_0)
    await world.handover.process(world.delivery(LOGINS_0, 5, 10))
    assert [offset for offset, _ in world.recorder.store.records[LOGINS_0]] == list(range(10))
    assert world.count("roi_topic_halted", LOGINS) == 0


async def test_resuming_a_topic_that_is_not_halted_changes_nothing() -> None:
    world = World(Recorder())
    await world.open(LOGINS_0)
    world.handover.resume(LOGINS)
    assert world.handover.flows.open == {LOGINS_0}


async def test_a_recreated_dimension_table_is_read_again_with_its_lane() -> None:
    world = World(Recorder())
    await world.open(LOGINS_0, COSTS_0)
    world.handover.reopen_topic(CUSTOMERS)
    assert world.handover.flows.open == {COSTS_0}


async def test_processor_that_forgets_a_position_is_not_believed() -> None:
    class Forgetful(Recorder):
        async def assigned(self, partitions: frozenset[TP]) -> dict[TP, int | None]:
            return {}

    world = World(Forgetful())
    with pytest.raises(LookupError, match="no position"):
        await world.open(LOGINS_0)


class Chaos:
    """A worker with three partitions and queues that lose and repeat batches, rebalances and failing batches."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        # gaps of compaction and of transactions, also at the end
        self.offsets = [offset for offset in range(200) if self.chance.random() < 0.7]
        self.feeds = {tp: Feed(tp, self.offsets, 205) for tp in (LOGINS_0, TOUCHES_0, COSTS_0)}
        self.world = World(Recorder(obstacle=self._sometimes_failing))
        self.queue: list[Delivery] = []
        self._fetched_in: dict[TP, int] = {}

    def finished(self) -> bool:
        return all(self.world.recorder.store.positions.get(tp) == feed.end for tp, feed in self.feeds.items())

    async def step(self) -> None:
        await self._disturb()
        self.world.clock.now += self.chance.random() * 5
        await self.world.open(*self.feeds)
        for tp, opening in self.world.handover.flows.openings(self.world.handover.flows.open).items():
            self._fetch(tp, opening)
        for _ in range(self.chance.randint(0, len(self.queue))):
            await self.world.handover.process(self.queue.pop(0))

    async def _disturb(self) -> None:
        fault = self.chance.random()
        if fault < 0.05:
            await self.world.handover.revoke(frozenset(self.feeds))
            self.queue = self.queue[: self.chance.randint(0, 2)]
        elif fault < 0.15 and len(self.queue) > 1:
            following = self.queue[-1].batch.tp
            lost = next(i for i, queued in enumerate(self.queue) if queued.batch.tp == following)
            if lost < len(self.queue) - 1:
                del self.queue[lost]
        elif fault < 0.2 and self.queue:
            self.queue.append(self.chance.choice(self.queue))

    def _fetch(self, tp: TP, opening: int) -> None:
        feed = self.feeds[tp]
        if self._fetched_in.get(tp) != opening:  # the consumer sought when it opened the partition
            feed.position = self.world.recorder.store.positions.get(tp, 0)
            self._fetched_in[tp] = opening
        if feed.position < feed.end:
            self.queue.append(feed.fetch(opening, self.chance.randint(1, 30)))

    def _sometimes_failing(self, _: RecordBatch) -> None:
        if self.chance.random() < 0.2:
            raise ValueError


@pytest.mark.parametrize("seed", range(40))
async def test_every_record_is_taken_once_whatever_fails(seed: int) -> None:
    chaos = Chaos(seed)
    for _ in range(2000):
        await chaos.step()
        if chaos.finished():
            break
    for tp in chaos.feeds:
        assert [offset for offset, _ in chaos.world.recorder.store.records[tp]] == chaos.offsets
    assert chaos.world.recorder.breaches == []
