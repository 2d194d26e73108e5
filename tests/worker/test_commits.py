from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from aiokafka.errors import KafkaConnectionError

from pipeline.errors import FencedError
from pipeline.ledger.ledger import LedgerUnavailableError
from pipeline.transport.ports import TP
from schemas import topics
from tests.worker.running import EVERYTHING, Worker, bad, campaign, pay, some_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.transport.dead_letters import DeadLetter
    from tests.support.fakes import LedgerStore
    from tests.support.fakes_transport import FakeKafka


async def test_definitions_go_first_then_dead_letters_then_the_block(
    worker: Worker, kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka.send(topics.CAMPAIGNS, campaign())
    kafka.send(topics.TOUCHES, bad())
    await worker.take()
    await worker.read()
    diary = worker.ledger.diary
    diary.clear()
    write = kafka.write

    async def noted(letters: Sequence[DeadLetter]) -> None:
        diary.append("dead letters")
        await write(letters)

    monkeypatch.setattr(kafka, "write", noted)
    await worker.commit()
    assert diary == ["write_campaign", "dead letters", "write"]


async def test_a_commit_with_nothing_new_writes_nothing(worker: Worker, kafka: FakeKafka) -> None:
    some_events(kafka)
    await worker.take()
    await worker.read()
    assert await worker.commit() > 0
    worker.ledger.diary.clear()
    assert await worker.commit() == 0
    assert worker.ledger.diary == []


async def test_dead_letters_are_sent_until_the_broker_has_them(worker: Worker, kafka: FakeKafka) -> None:
    kafka.send(topics.TOUCHES, bad("bob"))
    kafka.refusals.append(KafkaConnectionError())
    await worker.take()
    await worker.read()
    write, told = kafka.write, list[list[str]]()

    async def noted(letters: Sequence[DeadLetter]) -> None:
        told.append(worker.telemetry.health.reasons())
        await write(letters)

    kafka.write = noted  # type: ignore[method-assign] # watches the real one
    await worker.commit()
    assert told == [[], ["dead letters of bank.touches.v1: not taken (KafkaConnectionError)"]]
    assert worker.telemetry.health.reasons() == []
    assert [(letter.topic, letter.offset, letter.key, letter.value) for letter in kafka.dead_letters] == [
        (topics.TOUCHES, 0, *bad("bob"))
    ]
    assert [row["reason"] for row in worker.views()["dead_letters"]] == ["invalid_event"]


async def test_dead_letters_that_nobody_sends_any_more_are_no_reason(
    worker: Worker, kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka.send(topics.TOUCHES, bad("bob"))
    await worker.take()
    await worker.read()
    is_refused = asyncio.Event()

    async def refused(_: Sequence[DeadLetter]) -> None:
        asyncio.get_running_loop().call_soon(is_refused.set)
        raise KafkaConnectionError

    monkeypatch.setattr(kafka, "write", refused)
    committing = asyncio.create_task(worker.commit())
    await asyncio.wait_for(is_refused.wait(), 10)
    waiting = "dead letters of bank.touches.v1: not taken (KafkaConnectionError)"
    assert worker.telemetry.health.reasons() == [waiting]
    committing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await committing
    assert waiting not in worker.telemetry.health.reasons()


async def test_many_dead_letters_go_piece_by_piece_and_each_once(worker: Worker, kafka: FakeKafka) -> None:
    kafka.send(topics.TOUCHES, *(bad(f"c{number}") for number in range(990)))
    kafka.send(topics.LOGINS, *((b"ann", b"x" * 900_000) for _ in range(11)))
    await worker.take()
    await worker.read()
    pieces: list[int] = []
    write = kafka.write

    async def noted(letters: Sequence[DeadLetter]) -> None:
        pieces.append(len(letters))
        if len(pieces) == 3:
            raise KafkaConnectionError
        await write(letters)

    kafka.write = noted  # type: ignore[method-assign] # watches the real one
    await worker.commit()
    assert len({(letter.topic, letter.offset) for letter in kafka.dead_letters}) == len(kafka.dead_letters) == 1_001
    assert max(pieces) <= 500
    assert len(pieces) >= 5


@pytest.mark.parametrize("reply_is_lost", [False, True])
async def test_a_block_keeps_its_bytes_until_the_ledger_has_it(
    worker: Worker,
    kafka: FakeKafka,
    reply_is_lost: bool,  # noqa: FBT001 - a column of the table
) -> None:
    some_events(kafka)
    await worker.take()
    await worker.read()
    if reply_is_lost:
        worker.ledger.lost_replies = 1
    else:
        worker.ledger.refusals.append(LedgerUnavailableError())
    writing = asyncio.create_task(worker.commit())
    await worker.read()
    kafka.send(topics.TRANSACTIONS, pay("y", "2026-03-01 11:00"))
    await worker.read()  # what comes meanwhile belongs to the next block
    await writing
    first, second = worker.ledger.bodies
    assert first == second
    assert worker.views()["campaign_totals"][0]["return_minor"] == 100
    assert worker.metric("roi_ledger_blocks_total", outcome="retried") == 1
    assert worker.metric("roi_ledger_blocks_total", outcome="written") == 1
    await worker.commit()
    assert worker.views()["campaign_totals"][0]["return_minor"] == 200


async def test_a_cancelled_commit_leaves_no_state_that_might_be_wrong(worker: Worker, kafka: FakeKafka) -> None:
    some_events(kafka)
    await worker.take()
    await worker.read()
    began, go_on = threading.Event(), threading.Event()

    def gate() -> None:
        began.set()
        go_on.wait(10)

    worker.ledger.gate = gate
    writing = asyncio.create_task(worker.commit())
    assert await asyncio.to_thread(began.wait, 10)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert all(shard.is_broken for shard in worker.processor.shards)
    worker.ledger.gate = None
    go_on.set()
    positions = await worker.take()  # whether the block arrived or not: what the ledger says is taken
    assert not worker.is_any_broken
    worker.positions |= {tp: position or 0 for tp, position in positions.items()}
    await worker.read()
    await worker.commit()
    assert worker.views()["campaign_totals"][0]["return_minor"] == 100


async def test_a_block_that_was_given_up_cannot_arrive_under_a_later_claim(worker: Worker, kafka: FakeKafka) -> None:
    # take ──► block hangs, cancelled ──► claimed anew by the same worker ──► the old block wakes up
    some_events(kafka)
    await worker.take()
    await worker.read()
    began, go_on, over = threading.Event(), threading.Event(), threading.Event()
    write = worker.ledger.write

    def gate() -> None:
        began.set()
        go_on.wait(10)

    def watched(block: object) -> None:
        try:
            write(block)  # type: ignore[arg-type] # the block that was given
        finally:
            over.set()

    worker.ledger.gate, worker.ledger.write = gate, watched  # type: ignore[method-assign] # watches the real one
    writing = asyncio.create_task(worker.commit())
    assert await asyncio.to_thread(began.wait, 10)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert set((await worker.take()).values()) == {None}
    worker.ledger.gate = None
    go_on.set()
    assert await asyncio.to_thread(over.wait, 10)
    assert worker.views()["campaign_totals"] == []


async def test_a_fenced_worker_drops_everything_and_says_which_partitions(
    worker: Worker, kafka: FakeKafka, store: LedgerStore
) -> None:
    some_events(kafka)
    await worker.take()
    await worker.read()
    rival = Worker(kafka, store, "two")
    await rival.take(frozenset({TP(topics.COSTS, 0)}))
    told: asyncio.Future[tuple[frozenset[TP], FencedError]] = asyncio.get_running_loop().create_future()
    commits = asyncio.create_task(worker.processor.run_commits(lambda *news: told.set_result(news)))
    partitions, error = await asyncio.wait_for(told, 10)
    commits.cancel()
    assert partitions == EVERYTHING
    assert isinstance(error, FencedError)
    assert all(shard.is_broken for shard in worker.processor.shards)
    assert worker.views()["campaign_totals"] == []  # not even the shards that were still its own
    assert worker.metric("roi_ledger_blocks_total", outcome="fenced") == 1
    await worker.take()
    await worker.read()
    await worker.commit()
    assert worker.views()["campaign_totals"][0]["return_minor"] == 100


async def test_broken_shards_do_not_keep_the_others_from_committing(
    worker: Worker, kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_events(kafka)
    await worker.take()
    await worker.read()
    next(shard for shard in worker.processor.shards if shard.lane is topics.CAMPAIGN_LANE).is_broken = True
    acknowledged = asyncio.Event()
    monkeypatch.setattr(worker.telemetry, "block_written", lambda *_: acknowledged.set())
    commits = asyncio.create_task(worker.processor.run_commits(lambda *_: None))
    await asyncio.wait_for(acknowledged.wait(), 10)
    commits.cancel()
    (total,) = worker.views()["campaign_totals"]
    assert (total["return_minor"], total["cost_minor"]) == (100, 0)
    assert worker.processor.durable_position(TP(topics.TOUCHES, 0)) == 1
    assert worker.processor.durable_position(TP(topics.COSTS, 0)) is None


async def test_a_definition_is_stored_once_and_again_when_it_changes(worker: Worker, kafka: FakeKafka) -> None:
    await worker.take()
    texts = []
    for fields in ({}, {}, {"owner": "team"}):
        kafka.send(topics.CAMPAIGNS, campaign(**fields))
        await worker.processor.refresh()
        await worker.commit()
        texts.append(worker.ledger.diary.count("write_campaign"))
    assert texts == [1, 1, 2]


async def test_a_definition_behind_a_byte_order_mark_is_the_same_definition(
    worker: Worker, kafka: FakeKafka, store: LedgerStore
) -> None:
    key, plain = campaign()
    assert plain is not None
    await worker.take()
    for value in (b"\xef\xbb\xbf" + plain, plain):
        kafka.send(topics.CAMPAIGNS, (key, value))
        await worker.processor.refresh()
        await worker.commit()
        assert store.campaigns["spring"] == (plain.decode(), 1)
    assert kafka.dead_letters == []


async def test_a_restarted_worker_does_not_store_an_outdated_definition(
    worker: Worker, kafka: FakeKafka, store: LedgerStore
) -> None:
    kafka.send(topics.CAMPAIGNS, campaign(owner="old"), campaign(owner="new"))
    await worker.take()
    await worker.processor.refresh()
    await worker.commit()
    stored = dict(store.campaigns)
    heir = Worker(kafka, store, "two")
    await heir.dimensions.restore()
    await heir.take()
    await heir.processor.refresh()  # the topic is read from its beginning: the old definition is met again
    await heir.commit()
    assert store.campaigns == stored
    assert '"new"' in store.campaigns["spring"][0]


async def test_definitions_outlive_a_broker_that_forgets(worker: Worker, kafka: FakeKafka, store: LedgerStore) -> None:
    kafka.send(topics.CAMPAIGNS, campaign(goal={"kinds": ["payment"]}), campaign("autumn"), (b"autumn", None))
    await worker.take()
    await worker.processor.refresh()
    await worker.commit()
    kafka.log(topics.CAMPAIGNS).records.clear()
    heir = Worker(kafka, store, "two")
    await heir.dimensions.restore()
    rules = {name: heir.campaigns.rules[heir.campaigns.arm(name, None).campaign_index] for name in ("spring", "autumn")}
    assert rules["spring"].kinds == frozenset({"payment"})
    assert rules["autumn"].kinds is None
