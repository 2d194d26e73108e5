from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING

import pytest
from prometheus_client import generate_latest

from pipeline.transport.ports import TP
from pipeline.worker import processor
from schemas import topics
from tests.support.fakes import rows_of
from tests.worker.running import (
    EVERYTHING,
    POLICY,
    Worker,
    bad,
    campaign,
    cost,
    login,
    pay,
    profile,
    some_events,
    touch,
)

if TYPE_CHECKING:
    from pipeline.ledger.ledger import Block
    from tests.support.fakes import LedgerStore
    from tests.support.fakes_transport import FakeKafka

WHO = "customer-8512-raw"


@pytest.mark.parametrize("extra", [b"", b', "x": ' + b"[" * 20_000 + b"]" * 20_000], ids=["plain", "deep"])
async def test_an_orphan_reversal_is_told_with_its_original_bytes(
    worker: Worker, kafka: FakeKafka, extra: bytes
) -> None:
    key, value = pay("r", "2026-03-01 10:00", 30, reverses="nothing")
    orphan = key, (value or b"")[:-1] + extra + b"}"
    kafka.send(topics.TRANSACTIONS, orphan, pay("y", "2026-03-09 10:00"))
    await worker.take()
    await worker.read()
    await worker.commit()
    (letter,) = kafka.dead_letters
    assert (letter.offset, letter.reason, letter.key, letter.value) == (0, "orphan_reversal", *orphan)


async def test_an_orphan_that_has_left_the_log_is_told_without_bytes(worker: Worker, kafka: FakeKafka) -> None:
    kafka.send(topics.TRANSACTIONS, pay("r", "2026-03-01 10:00", reverses="nothing"), pay("y", "2026-03-09 10:00"))
    await worker.take()
    await worker.read()
    kafka.log(topics.TRANSACTIONS).start = 1
    await worker.commit()
    (letter,) = kafka.dead_letters
    assert (letter.key, letter.value) == (None, None)
    assert "has left the log" in letter.detail
    assert "has left the log" in worker.views()["dead_letters"][0]["detail"]


@pytest.mark.parametrize(
    "value",
    [None, b"", b"{", b"[1]", b'{"event_id": 7}', '{"event_id": "交易1"}'.encode("gbk"), b'{"event_id": "\xff"}'],
)
async def test_what_else_stands_where_an_orphan_was_is_nobodys_business(
    worker: Worker, kafka: FakeKafka, value: bytes | None
) -> None:
    kafka.send(topics.TRANSACTIONS, pay("r", "2026-03-01 10:00", reverses="nothing"), pay("y", "2026-03-09 10:00"))
    await worker.take()
    await worker.read()
    kafka.log(topics.TRANSACTIONS).records[0] = (b"ann", value)  # the topic has been made anew
    await worker.commit()
    (letter,) = kafka.dead_letters
    assert (letter.key, letter.value, letter.reason) == (None, None, "orphan_reversal")
    assert not worker.is_any_broken


async def test_reading_waits_for_a_block_when_too_much_is_in_none(
    worker: Worker, kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor, "PENDING_LIMIT", 2)
    kafka.send(topics.LOGINS, *[login(f"2026-03-0{day} 08:00") for day in range(1, 4)])
    await worker.take()
    batch = asyncio.create_task(worker.processor.process(kafka.batch(topics.LOGINS, 0)))
    for _ in range(50):
        await asyncio.sleep(0)
    assert not batch.done()
    assert worker.processor.pending == 3
    commits = asyncio.create_task(worker.processor.run_commits(lambda *_: None))
    await asyncio.wait_for(batch, 10)
    commits.cancel()
    assert worker.processor.pending == 0


async def test_reading_goes_on_while_a_block_is_written(
    worker: Worker, kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor, "PENDING_LIMIT", 2)
    answers, write = threading.Event(), worker.ledger.write

    def patient(block: Block) -> None:
        assert answers.wait(10)
        write(block)

    monkeypatch.setattr(worker.ledger, "write", patient)
    kafka.send(topics.LOGINS, *[login(f"2026-03-0{day} 08:00") for day in range(1, 6)])
    await worker.take()
    commits = asyncio.create_task(worker.processor.run_commits(lambda *_: None))
    try:
        await asyncio.wait_for(worker.processor.process(kafka.batch(topics.LOGINS, 0, most=3)), 10)
        await asyncio.wait_for(worker.processor.process(kafka.batch(topics.LOGINS, 3)), 10)
        assert worker.processor.pending == 2
        assert worker.processor.durable_position(TP(topics.LOGINS, 0)) in {None, 0}
    finally:
        answers.set()
    await worker.commit()
    commits.cancel()
    assert worker.processor.durable_position(TP(topics.LOGINS, 0)) == 5


async def test_telemetry_counts_what_was_taken_in_and_written(worker: Worker, kafka: FakeKafka) -> None:
    some_events(kafka)
    kafka.send(topics.TOUCHES, bad("bob"), touch("t2", "2026-03-01 09:30", customer_id="bob"))
    await worker.take()
    await worker.read(most=1)
    rows = await worker.commit()
    worker.processor.tidy()
    assert worker.metric("roi_events_total", topic=topics.TOUCHES, outcome="good") == 2
    assert worker.metric("roi_events_total", topic=topics.TOUCHES, outcome="bad") == 1
    assert worker.metric("roi_ledger_rows_total") == rows == len(rows_of(worker.ledger.bodies[0]))
    assert worker.metric("roi_ledger_bytes_total") == len(worker.ledger.bodies[0])
    assert worker.metric("roi_shards_owned") == 2
    assert worker.metric("roi_customers_in_memory") == 2


async def test_silent_topics_follow_and_the_floor_moves_with_them(
    kafka: FakeKafka, store: LedgerStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(kafka, store)
    clock = [0.0]
    monkeypatch.setattr("pipeline.worker.processor.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("pipeline.worker.positions.time.monotonic", lambda: clock[0])
    kafka.send(topics.TRANSACTIONS, pay("r", "2026-03-01 10:00", reverses="nothing"))
    kafka.send(topics.TOUCHES, touch("t", "2026-03-20 09:00"))
    await worker.take()
    await worker.read()
    await worker.commit()
    clock[0] = 59.9
    worker.processor.tidy()
    assert await worker.commit() == 0
    clock[0] = 60.0
    worker.processor.tidy()
    await worker.commit()
    assert [letter.reason for letter in kafka.dead_letters] == ["orphan_reversal"]


async def test_no_raw_customer_id_leaves_the_worker(
    worker: Worker, kafka: FakeKafka, store: LedgerStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    kafka.send(topics.CAMPAIGNS, campaign())
    kafka.send(topics.CUSTOMERS, profile(WHO, "growth"), (WHO.encode(), b"{}"))
    kafka.send(topics.TOUCHES, touch("t", "2026-03-01 09:00", customer_id=WHO), bad(WHO), (b"other", bad(WHO)[1]))
    kafka.send(
        topics.TRANSACTIONS,
        pay("x", "2026-03-01 10:00", customer_id=WHO),
        pay("r", "2026-03-01 10:00", customer_id=WHO, reverses="nothing"),
        pay("late", "2026-02-01 10:00", customer_id=WHO),
        pay("y", "2026-03-19 10:00", customer_id=WHO),
    )
    kafka.send(topics.LOGINS, login("2026-03-01 08:00", customer_id=WHO))
    kafka.send(topics.COSTS, cost("k", "2026-03-01 07:00", 50))
    await worker.take()
    await worker.read()
    await worker.commit()
    heir = Worker(kafka, store, "two")
    await heir.take()
    await heir.processor.revoked(EVERYTHING)
    letters = [letter for letter in kafka.dead_letters if letter.reason != "erased"]
    assert {letter.reason for letter in letters} == {"invalid_event", "orphan_reversal", "too_late"}
    written = b"".join(worker.ledger.bodies)
    assert POLICY.pseudonym(WHO).hex().encode() in written
    for place in (
        written,
        caplog.text.encode(),
        generate_latest(worker.telemetry.registry),
        "".join(letter.detail for letter in letters).encode(),
    ):
        assert WHO.encode() not in place
