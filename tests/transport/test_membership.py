"""Two installations that share a consumer group by mistake, and whatever else keeps a worker out of its group."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import GroupAuthorizationFailedError, InconsistentGroupProtocolError, RebalanceInProgressError

from pipeline.transport import consumer
from pipeline.transport.membership import Membership, protocol_of, refusal_words
from pipeline.transport.reading import GroupSeen, group_seen
from schemas.topics import EVENT_TOPICS
from tests.transport.conftest import settings_for
from tests.transport.recording import Recorder
from tests.transport.running import ends_of, produce, reached, running_worker, store_at_end, until, values
from tests.transport.test_handover import Clock

if TYPE_CHECKING:
    from aiokafka.errors import KafkaError

    from pipeline.settings import Settings


@pytest.mark.contract
@pytest.mark.e2e
async def test_another_installations_worker_is_given_nothing_says_why_and_is_let_in_later(
    settings: Settings, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "OTHERS_SECONDS", 1.0)
    first, second = (Recorder(store_at_end(settings, EVENT_TOPICS)) for _ in range(2))
    async with AsyncExitStack() as stack:
        async with running_worker(settings, first, installation="1"):
            await produced_and_read(settings, first, "one")
            stranger = await stack.enter_async_context(running_worker(settings, second, installation="2"))
            await until(lambda: bool(stranger.membership.refusal), "the other installation's worker is refused")
            assert stranger.membership.refusal == refusal_words(settings.kafka_group, InconsistentGroupProtocolError())
            await produced_and_read(settings, first, "two")  # all of it, while the other one asks again and again
            assert second.store.values() == []
        if "tansu" in request.node.name:  # which never forgets how a group's members shared partitions out
            return
        await until(lambda: reached(second, ends_of(settings)), "with the first gone the other one is let in")
        assert not stranger.membership.refusal


@pytest.mark.contract
@pytest.mark.e2e
async def test_a_worker_whose_group_fails_it_says_so_and_joins_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat = GroupCoordinator._do_heartbeat
    failing = [GroupAuthorizationFailedError(settings.kafka_group)]

    async def heartbeat(coordinator: GroupCoordinator) -> bool:
        if failing:
            raise failing.pop()
        return bool(await beat(coordinator))

    told: list[KafkaError] = []
    monkeypatch.setattr(Membership, "refused", lambda _, error: told.append(error))
    recorder = Recorder(store_at_end(settings, EVENT_TOPICS))
    async with running_worker(settings, recorder):
        await produced_and_read(settings, recorder, "one")
        monkeypatch.setattr(GroupCoordinator, "_do_heartbeat", heartbeat)
        await until(lambda: bool(told), "the error is told")
        await until(lambda: len(recorder.ever_owned) > 1, "it has joined again")
        await produced_and_read(settings, recorder, "two")
    words = refusal_words(settings.kafka_group, GroupAuthorizationFailedError(settings.kafka_group))
    assert [refusal_words(settings.kafka_group, error) for error in told] == [words]


async def produced_and_read(settings: Settings, recorder: Recorder, prefix: str) -> None:
    for topic in EVENT_TOPICS:
        await asyncio.to_thread(produce, settings, topic, values(prefix, 100))
    await until(lambda: reached(recorder, ends_of(settings)), "all partitions read to their ends")


@pytest.mark.contract
@pytest.mark.kafka
async def test_kafka_tells_whose_workers_are_in_the_group(kafka: str) -> None:
    settings = settings_for(kafka)
    assert group_seen(settings) == GroupSeen(0, "")
    recorder = Recorder(store_at_end(settings, EVENT_TOPICS))
    async with running_worker(settings, recorder, installation="7"):
        await produced_and_read(settings, recorder, "one")
        assert await asyncio.to_thread(group_seen, settings) == GroupSeen(1, protocol_of("7"))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (InconsistentGroupProtocolError(), "are of another installation, or of an older release, and each would count"),
        (GroupAuthorizationFailedError("roi"), "the broker does not let this user into the consumer group roi: allow"),
        (RebalanceInProgressError(), "not in the consumer group roi: RebalanceInProgressError"),
    ],
)
def test_a_refusal_says_what_to_do(error: KafkaError, words: str) -> None:
    assert words in refusal_words("roi", error)


def test_a_worker_that_waits_for_its_group_says_so_after_a_while() -> None:
    clock = Clock()
    membership = Membership("roi", "1", clock)
    clock.now += 59.0
    assert membership.shut_out(60.0) == ""
    clock.now += 1.0
    assert membership.shut_out(60.0).startswith("the consumer group has not let this worker in for 60 s: ")
    membership.let_in()
    clock.now += 600.0
    assert membership.shut_out(60.0) == ""
    membership.outside()
    clock.now += 30.0
    membership.outside()  # another round of the same wait
    clock.now += 30.0
    assert "for 60 s" in membership.shut_out(60.0)
    membership.refused(InconsistentGroupProtocolError())
    assert membership.shut_out(600.0) == refusal_words("roi", InconsistentGroupProtocolError())
