"""Partitions that cannot be read are told as long as that is so, and no longer."""

from __future__ import annotations

from aiokafka.errors import CorruptRecordException, TopicAuthorizationFailedError

from pipeline.transport.unreadable import unreadable
from tests.transport.recording import Recorder
from tests.transport.test_handover import LOGINS_0, TOUCHES_0, World


async def test_a_partition_that_cannot_be_read_is_told_until_it_delivers_and_its_shard_goes_on() -> None:
    world = World(Recorder())
    await world.open(LOGINS_0, TOUCHES_0)
    for _ in range(7):
        world.handover.waits(unreadable([TOUCHES_0], CorruptRecordException("Invalid CRC")), 1.0)
        world.clock.now += 10.0
    await world.handover.process(world.delivery(LOGINS_0, 0, 5))
    assert world.handover.flows.open == {LOGINS_0, TOUCHES_0}
    assert world.handover.stuck(70.0) == [
        "bank.touches.v1 partition 0 holds a record batch that cannot be read (CorruptRecordException: Invalid CRC)"
    ]
    assert world.handover.stuck(71.0) == []
    await world.handover.process(world.delivery(TOUCHES_0, 0, 5))
    assert world.handover.stuck(0.0) == []
    await world.handover.revoke(frozenset({TOUCHES_0}))
    world.handover.waits(unreadable([TOUCHES_0], CorruptRecordException("Invalid CRC")), 1.0)  # of a fetch under way
    assert world.handover.stuck(0.0) == []


async def test_what_could_not_be_fetched_for_a_while_is_no_fault_of_a_partition_that_is_quiet_since() -> None:
    world = World(Recorder())
    await world.open(TOUCHES_0)
    denied = unreadable([TOUCHES_0], TopicAuthorizationFailedError())
    world.handover.waits(denied, 1.0)
    assert len(world.handover.stuck(0.0)) == 1
    world.clock.now += 20.0  # asked for again and again meanwhile, without an error
    assert world.handover.stuck(0.0) == []
    world.handover.waits(denied, 1.0)
    world.clock.now += 10.0
    assert world.handover.stuck(11.0) == [], "the second fault began with itself"
    world.handover.failed({TOUCHES_0}, ValueError("of a batch"))
    world.handover.waits(denied, 1.0)
    world.clock.now += 20.0
    assert len(world.handover.stuck(30.0)) == 1, "no batch has been processed since one failed"
