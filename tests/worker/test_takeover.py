from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.ledger.ledger import LedgerUnavailableError
from pipeline.transport.ports import TP
from pipeline.worker.processor import StateDroppedError
from schemas import topics
from tests.worker.running import CUSTOMER_TOPICS, EVERYTHING, Worker, login, pay, profile, some_events, touch

if TYPE_CHECKING:
    from tests.support.fakes import LedgerStore
    from tests.support.fakes_transport import FakeKafka


async def test_a_shard_nobody_had_is_read_from_the_beginning(worker: Worker) -> None:
    assert await worker.take() == dict.fromkeys(EVERYTHING, None)


async def test_a_new_owner_goes_on_where_the_last_block_ended(
    worker: Worker, kafka: FakeKafka, store: LedgerStore
) -> None:
    some_events(kafka)
    await worker.take()
    await worker.read()
    await worker.commit()
    kafka.send(topics.TRANSACTIONS, pay("y", "2026-03-01 11:00"))
    await worker.read()  # taken in, but in no block: the next owner must read it again
    heir = Worker(kafka, store, "two")
    assert await heir.take() == {
        TP(topics.LOGINS, 0): 1,
        TP(topics.TRANSACTIONS, 0): 1,
        TP(topics.TOUCHES, 0): 1,
        TP(topics.COSTS, 0): 1,
    }
    await heir.read()
    await heir.commit()
    (total,) = heir.views()["campaign_totals"]
    assert (total["conversion_millionths"], total["return_minor"], total["cost_minor"]) == (2_000_000, 200, 50)
    assert total["converters"] == total["reached"] == 1
    assert heir.metric("roi_log_faults_total", topic=topics.TOUCHES, fault="cut_short") == 0


async def test_a_recreated_topic_is_read_from_its_beginning_and_copies_change_nothing(
    worker: Worker, kafka: FakeKafka, store: LedgerStore
) -> None:
    some_events(kafka)
    await worker.take()
    await worker.read()
    await worker.commit()
    before = worker.views()
    kafka.identities[topics.TRANSACTIONS] = "second"
    heir = Worker(kafka, store, "two")
    assert (await heir.take())[TP(topics.TRANSACTIONS, 0)] == 0
    assert heir.metric("roi_log_faults_total", topic=topics.TRANSACTIONS, fault="recreated") == 1
    await heir.read()
    await heir.commit()
    assert heir.views() == before
    assert (await Worker(kafka, store, "three").take())[TP(topics.TRANSACTIONS, 0)] == 1  # the new identity is stored


async def test_dead_letters_of_a_recreated_topic_stand_beside_those_of_its_first_life(
    worker: Worker, kafka: FakeKafka, store: LedgerStore
) -> None:
    kafka.send(topics.TOUCHES, (b"a", b"no json"))
    await worker.take()
    await worker.read()
    await worker.commit()
    kafka.identities[topics.TOUCHES] = "second"
    heir = Worker(kafka, store, "two")
    await heir.take()
    await heir.read()
    await heir.commit()
    letters = [(row["topic"], row["offset"], row["reason"]) for row in heir.views()["dead_letters"]]
    assert letters == [(topics.TOUCHES, 0, "not_json")] * 2


@pytest.mark.parametrize(
    ("kept", "start", "position", "fault"),
    [
        (1, 0, 1, "cut_short"),  # 3 records had been read, 1 is left
        (6, 5, 5, "records_lost"),  # records 3 and 4 were deleted unread
    ],
)
async def test_reading_goes_on_where_a_damaged_log_allows(
    worker: Worker, kafka: FakeKafka, store: LedgerStore, kept: int, start: int, position: int, fault: str
) -> None:
    days = [login(f"2026-03-0{day} 08:00") for day in range(1, 7)]
    kafka.send(topics.LOGINS, *days[:3])
    await worker.take()
    await worker.read()
    await worker.commit()
    log = kafka.log(topics.LOGINS)
    log.records, log.start = days[:kept], start
    heir = Worker(kafka, store, "two")
    assert (await heir.take())[TP(topics.LOGINS, 0)] == position
    assert heir.metric("roi_log_faults_total", topic=topics.LOGINS, fault=fault) == 1


async def test_a_shard_that_comes_back_unclaimed_is_not_loaded_again(worker: Worker, kafka: FakeKafka) -> None:
    some_events(kafka)
    await worker.take()
    await worker.read()
    shards = {shard.number: shard for shard in worker.processor.shards}
    await worker.processor.revoked(EVERYTHING)
    assert worker.views()["campaign_totals"]  # letting go has written what was known
    worker.ledger.diary.clear()
    positions = await worker.take()
    assert set(positions.values()) == {1}
    assert {shard.number: shard for shard in worker.processor.shards} == shards
    assert worker.ledger.diary == ["claims"]


async def test_a_shard_that_somebody_claimed_in_between_is_loaded_again(
    worker: Worker, kafka: FakeKafka, store: LedgerStore
) -> None:
    some_events(kafka)
    await worker.take()
    await worker.read()
    await worker.processor.revoked(EVERYTHING)
    rival = Worker(kafka, store, "two")
    await rival.take(CUSTOMER_TOPICS)
    kafka.send(topics.TRANSACTIONS, pay("y", "2026-03-01 11:00"))
    await rival.read()
    await rival.processor.revoked(CUSTOMER_TOPICS)
    worker.ledger.diary.clear()
    positions = await worker.take()
    assert positions[TP(topics.TRANSACTIONS, 0)] == 2
    assert worker.ledger.diary.count("load_transactions") == 1
    assert worker.ledger.diary.count("claim") == 1
    kafka.send(topics.TOUCHES, touch("t2", "2026-03-01 10:30"))  # takes y over from t
    await worker.read()
    await worker.commit()
    assert {(row["transaction_event_id"], row["touch_event_id"]) for row in worker.views()["credits"]} == {
        ("x", "t"),
        ("y", "t2"),
    }


async def test_a_revoked_shard_with_a_new_owner_is_given_up_in_peace(
    worker: Worker, kafka: FakeKafka, store: LedgerStore
) -> None:
    some_events(kafka)
    await worker.take()
    await worker.read()
    rival = Worker(kafka, store, "two")
    await rival.take()
    await worker.processor.revoked(EVERYTHING)
    assert worker.views()["campaign_totals"] == []
    await rival.read()
    await rival.commit()
    assert rival.views()["campaign_totals"][0]["return_minor"] == 100


async def test_an_error_while_applying_drops_the_state_until_it_is_loaded_again(
    worker: Worker, kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_events(kafka)
    await worker.take()
    await worker.read()
    await worker.commit()
    kafka.send(topics.TRANSACTIONS, pay("y", "2026-03-01 11:00"))
    batch = kafka.batch(topics.TRANSACTIONS, 1)
    shard = next(shard for shard in worker.processor.shards if shard.lane is topics.CUSTOMER_LANE)
    with monkeypatch.context() as broken:
        broken.setattr(shard.core, "apply", _fails)
        with pytest.raises(ArithmeticError):
            await worker.processor.process(batch)
    with pytest.raises(StateDroppedError):
        await worker.processor.process(kafka.batch(topics.TOUCHES, 1))
    worker.ledger.diary.clear()
    assert (await worker.take(CUSTOMER_TOPICS))[TP(topics.TRANSACTIONS, 0)] == 1
    assert "load_transactions" in worker.ledger.diary
    await worker.read()
    await worker.commit()
    assert worker.views()["campaign_totals"][0]["return_minor"] == 200


def _fails(*_: object) -> None:
    raise ArithmeticError


async def test_a_take_over_that_fails_is_simply_repeated(
    worker: Worker, kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    some_events(kafka)
    with monkeypatch.context() as broken:
        broken.setattr(worker.ledger, "_load_touches", _is_away, raising=True)
        with pytest.raises(LedgerUnavailableError):
            await worker.take()
    assert list(worker.processor.shards) == []
    await worker.take()
    await worker.read()
    await worker.commit()
    assert worker.views()["campaign_totals"][0]["return_minor"] == 100


def _is_away(**_: object) -> None:
    raise LedgerUnavailableError


async def test_profiles_are_read_on_from_where_the_ledger_has_them(
    worker: Worker, kafka: FakeKafka, store: LedgerStore
) -> None:
    kafka.send(topics.CUSTOMERS, profile("ann", "growth"))
    await worker.take()
    assert worker.source.owned == [{0: None}]
    some_events(kafka)
    await worker.read()
    await worker.commit()
    heir = Worker(kafka, store, "two")
    await heir.take()
    assert heir.source.owned[-1] == {0: 1}
    kafka.send(topics.TRANSACTIONS, pay("y", "2026-03-01 11:00"))
    await heir.read()
    await heir.commit()
    tiers = {row["tier"]: row["return_minor"] for row in heir.views()["campaign_tier_totals"]}
    assert tiers == {"growth": 200, "": 0}


async def test_durable_positions_follow_the_blocks_and_outlive_the_revocation(worker: Worker, kafka: FakeKafka) -> None:
    tp = TP(topics.TOUCHES, 0)
    some_events(kafka)
    await worker.take()
    await worker.read()
    assert worker.processor.durable_position(tp) is None
    await worker.processor.revoked(EVERYTHING)
    assert worker.processor.durable_position(tp) == 1
