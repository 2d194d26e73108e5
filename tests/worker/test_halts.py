"""Halting and resuming topics: the real processor and halts over a ledger and a Kafka in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.ledger.ledger import LedgerUnavailableError
from pipeline.settings import WorkerSettings
from pipeline.transport.ports import TP, HaltKind, TopicHaltedError
from schemas import topics
from tests.worker.running import Worker, bad, login, pay, touch

if TYPE_CHECKING:
    from tests.support.fakes import LedgerStore
    from tests.support.fakes_transport import FakeKafka, KeyValue

TIGHT = WorkerSettings(bad_share_limit=0.5, bad_share_window=10)


def touches(first: int, count: int) -> list[KeyValue]:
    return [touch(f"t{number}", "2026-03-01 09:00") for number in range(first, first + count)]


async def halted(worker: Worker, topic: str) -> TopicHaltedError:
    with pytest.raises(TopicHaltedError) as told:
        await worker.read(topic)
    return told.value


async def test_a_topic_with_too_many_bad_events_is_halted_with_the_remedy(kafka: FakeKafka, store: LedgerStore) -> None:
    worker = Worker(kafka, store, settings=TIGHT)
    kafka.send(topics.TOUCHES, *touches(0, 4), *[bad()] * 6)
    kafka.send(topics.LOGINS, login("2026-03-01 08:00"))
    await worker.take()
    error = await halted(worker, topics.TOUCHES)
    assert (error.topic, error.kind) == (topics.TOUCHES, HaltKind.BAD_SHARE)
    assert "50%" in error.cause
    assert f"roi dlq list --topic {topics.TOUCHES}" in error.remedy
    assert f"roi resume {topics.TOUCHES} --skip-bad" in error.remedy
    assert worker.halts.topics == {topics.TOUCHES}
    await worker.read(topics.LOGINS)  # the rest goes on
    await worker.commit()
    assert worker.views()["campaign_totals"][0]["touches"] == 4  # and what was taken in counts
    assert len(kafka.dead_letters) == 6


async def test_half_of_the_events_may_be_bad(kafka: FakeKafka, store: LedgerStore) -> None:
    worker = Worker(kafka, store, settings=TIGHT)
    kafka.send(topics.TOUCHES, *touches(0, 5), *[bad()] * 5)
    await worker.take()
    await worker.read()
    assert worker.halts.topics == frozenset()


async def test_late_events_halt_no_topic(kafka: FakeKafka, store: LedgerStore) -> None:
    worker = Worker(kafka, store, settings=TIGHT)
    late = [touch(f"late{number}", "2026-01-01 09:00") for number in range(20)]
    kafka.send(topics.TOUCHES, touch("newest", "2026-03-01 09:00"), *late, touch("next", "2026-03-01 10:00"))
    await worker.take()
    await worker.read()
    await worker.commit()
    assert worker.halts.topics == frozenset()
    assert worker.views()["campaign_totals"][0]["touches"] == 2
    assert {letter.reason for letter in kafka.dead_letters} == {"too_late"}


async def test_a_topic_that_one_worker_halted_is_halted_by_all(kafka: FakeKafka, store: LedgerStore) -> None:
    first, second = (Worker(kafka, store, owner, settings=TIGHT) for owner in ("one", "two"))
    kafka.send(topics.TOUCHES, *[bad()] * 10)
    await second.take()
    await first.take()
    told = await halted(first, topics.TOUCHES)
    changes = await second.halts.heed()
    assert [str(error) for error in changes.halted] == [str(told)]
    assert str(await halted(second, topics.TOUCHES)) == str(told)
    assert (await second.halts.heed()).halted == ()


async def test_a_restarted_worker_reads_nothing_of_a_halted_topic(kafka: FakeKafka, store: LedgerStore) -> None:
    worker = Worker(kafka, store, settings=TIGHT)
    kafka.send(topics.TOUCHES, *[bad()] * 10)
    await worker.take()
    await halted(worker, topics.TOUCHES)
    await worker.commit()
    kafka.send(topics.TOUCHES, *touches(0, 5))
    heir = Worker(kafka, store, "two", settings=TIGHT)
    await heir.halts.heed()
    await heir.take()
    await halted(heir, topics.TOUCHES)
    assert await heir.commit() == 0
    assert len(kafka.dead_letters) == 10


async def test_a_resumed_topic_goes_on_where_it_was_halted_and_can_halt_again(
    kafka: FakeKafka, store: LedgerStore
) -> None:
    worker = Worker(kafka, store, settings=TIGHT)
    kafka.send(topics.TOUCHES, *[bad()] * 10)
    await worker.take()
    await halted(worker, topics.TOUCHES)
    kafka.send(topics.TOUCHES, *touches(0, 12))
    worker.ledger.execute("resume_topic", topic=topics.TOUCHES, skip_bad=False)
    assert (await worker.halts.heed()).resumed == (topics.TOUCHES,)
    await worker.take()
    await worker.read(topics.TOUCHES)
    kafka.send(topics.TOUCHES, *[bad()] * 11)
    assert (await halted(worker, topics.TOUCHES)).kind is HaltKind.BAD_SHARE
    await worker.commit()
    assert worker.views()["campaign_totals"][0]["touches"] == 12
    assert len(kafka.dead_letters) == 21


async def test_skipping_bad_ones_ends_with_the_first_good_stretch(kafka: FakeKafka, store: LedgerStore) -> None:
    worker = Worker(kafka, store, settings=TIGHT)
    kafka.send(topics.TOUCHES, *[bad()] * 50)
    await worker.take()
    await read_until_halted(worker, most=10)
    worker.ledger.execute("resume_topic", topic=topics.TOUCHES, skip_bad=True)
    await worker.halts.heed()
    await worker.take()
    await worker.read(topics.TOUCHES, most=10)  # the bad backlog halts it no more
    kafka.send(topics.TOUCHES, *touches(0, 10))
    await worker.read(topics.TOUCHES, most=10)
    kafka.send(topics.TOUCHES, *[bad()] * 10)
    assert (await halted(worker, topics.TOUCHES)).kind is HaltKind.BAD_SHARE
    await worker.commit()
    assert len(kafka.dead_letters) == 60


async def read_until_halted(worker: Worker, most: int) -> None:
    with pytest.raises(TopicHaltedError):
        await worker.read(topics.TOUCHES, most=most)


async def test_skipping_bad_ones_goes_on_after_a_restart(kafka: FakeKafka, store: LedgerStore) -> None:
    worker = Worker(kafka, store, settings=TIGHT)
    kafka.send(topics.TOUCHES, *[bad()] * 50, *touches(0, 10))
    await worker.take()
    await read_until_halted(worker, most=10)
    await worker.commit()
    worker.ledger.execute("resume_topic", topic=topics.TOUCHES, skip_bad=True)
    heir = Worker(kafka, store, "two", settings=TIGHT)
    await heir.halts.heed()
    await heir.take()
    await heir.read(topics.TOUCHES, most=10)
    await heir.commit()
    assert len(kafka.dead_letters) == 50
    assert heir.ledger.fetch("load_halts") == []  # and the good stretch has ended it for everybody


async def test_a_halt_that_could_not_be_recorded_holds_and_is_recorded_later(
    kafka: FakeKafka, store: LedgerStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(kafka, store, settings=TIGHT)
    kafka.send(topics.TOUCHES, *[bad()] * 10)
    await worker.take()

    def unavailable(*_: object, **__: object) -> None:
        raise LedgerUnavailableError("away")

    with monkeypatch.context() as away:
        away.setattr(worker.ledger, "execute", unavailable)
        await halted(worker, topics.TOUCHES)
        with pytest.raises(LedgerUnavailableError):
            await worker.halts.heed()
    assert worker.ledger.fetch("load_halts") == []
    assert (await worker.halts.heed()).resumed == ()
    assert worker.halts.topics == {topics.TOUCHES}
    assert [row[0] for row in worker.ledger.fetch("load_halts")] == [topics.TOUCHES]


async def test_held_back_events_do_not_become_late(
    kafka: FakeKafka, store: LedgerStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(kafka, store, settings=TIGHT)
    clock = [0.0]
    monkeypatch.setattr("pipeline.worker.processor.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("pipeline.worker.positions.time.monotonic", lambda: clock[0])
    kafka.send(topics.TOUCHES, touch("t", "2026-03-01 09:00"), *[bad()] * 10)
    await worker.take()
    await halted(worker, topics.TOUCHES)
    kafka.send(topics.TOUCHES, touch("held", "2026-03-01 10:00"))
    kafka.send(topics.TRANSACTIONS, pay("x", "2026-03-20 10:00"))
    await worker.read(topics.TRANSACTIONS)
    clock[0] = 61.0
    worker.processor.tidy()
    worker.ledger.execute("resume_topic", topic=topics.TOUCHES, skip_bad=True)
    await worker.halts.heed()
    worker.processor.tidy()  # a take-over may have to wait for the block under way
    await worker.take()
    await worker.read(topics.TOUCHES)
    await worker.commit()
    assert worker.views()["campaign_totals"][0]["touches"] == 2


async def test_a_recreated_topic_is_read_from_its_beginning_while_the_worker_runs(
    kafka: FakeKafka, store: LedgerStore
) -> None:
    worker = Worker(kafka, store)
    kafka.send(topics.TOUCHES, *touches(0, 10))
    kafka.send(topics.TRANSACTIONS, pay("x", "2026-03-01 10:00"))
    await worker.take()
    await worker.read()
    await worker.commit()
    kafka.logs.pop(TP(topics.TOUCHES, 0))
    kafka.identities[topics.TOUCHES] = "second"
    kafka.send(topics.TOUCHES, *touches(5, 10))  # some of them again
    answer = await worker.take()
    assert (answer[TP(topics.TOUCHES, 0)], answer[TP(topics.TRANSACTIONS, 0)]) == (0, 1)
    await worker.read()
    await worker.commit()
    assert worker.views()["campaign_totals"][0]["touches"] == 15
    assert worker.metric("roi_log_faults_total", topic=topics.TOUCHES, fault="recreated") == 1
    assert [fault["fault"] for fault in store.log_faults] == ["recreated"]
    await worker.take()
    assert len(store.log_faults) == 1


async def test_a_log_that_was_cut_short_is_told_once_and_read_on_at_its_end(
    kafka: FakeKafka, store: LedgerStore
) -> None:
    worker = Worker(kafka, store)
    kafka.send(topics.TOUCHES, *touches(0, 10))
    await worker.take()
    await worker.read()
    await worker.commit()
    del kafka.log(topics.TOUCHES).records[6:]
    assert (await worker.take())[TP(topics.TOUCHES, 0)] == 6
    (fault,) = store.log_faults
    assert (fault["fault"], fault["next_offset"], fault["log_end"]) == ("cut_short", 10, 6)
    await worker.commit()
    heir = Worker(kafka, store, "two")
    await heir.take()
    assert len(store.log_faults) == 1
