"""A record that makes our own code fail is found, dead-lettered and left behind, wherever the code fails."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.ledger.body import encode
from pipeline.ledger.ledger import LedgerUnavailableError
from pipeline.worker import committer, cores, dimensions, shard
from pipeline.worker.processor import PENDING_LIMIT
from schemas import topics
from schemas.decode import decode, decode_campaign, decode_customer
from tests.worker.running import EVERYTHING, Worker, campaign, cost, pay, profile, touch

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.transport.ports import TP
    from tests.support.fakes import LedgerStore
    from tests.support.fakes_transport import FakeKafka

EVENTS = 700
QUOTED = "customer ann"
POISON = ("poison-a", "poison-b")


class PoisonError(Exception):
    """What our code raises over a poisoned record; its text quotes a customer."""


def _decode_fails(patch: pytest.MonkeyPatch) -> None:
    def picky(topic: str, offsets: Any, keys: Any, values: Any, **settings: Any) -> Any:
        if any(b"poison" in (value or b"") for value in values):
            raise PoisonError(QUOTED)
        return decode(topic, offsets, keys, values, **settings)

    patch.setattr(cores, "decode", picky)


def _core_fails(patch: pytest.MonkeyPatch) -> None:
    for name in ("CustomerShard", "CostShard"):
        core = __import__(f"pipeline.state.{'customers' if name == 'CustomerShard' else 'costs'}", fromlist=[name])
        apply = getattr(core, name).apply

        def half_done(self: Any, topic: str, columns: Any, now_ms: int | None, apply: Any = apply) -> Any:
            refusals = apply(self, topic, columns, now_ms)
            if any(event_id.startswith("poison") for event_id in columns.event_id):
                raise PoisonError(QUOTED)
            return refusals

        patch.setattr(getattr(core, name), "apply", half_done)


def _encoding_fails(patch: pytest.MonkeyPatch) -> None:
    def picky(part: Any, *arguments: Any) -> Any:
        ids = [*part.changes.transactions.event_id, *part.changes.costs.event_id]
        if any(name.startswith("poison") for name in ids):
            raise PoisonError(QUOTED)
        return encode(part, *arguments)

    patch.setattr(committer, "encode", picky)


def _send_events(kafka: FakeKafka) -> None:
    kafka.send(topics.TOUCHES, touch("t", "2026-03-01 09:00"))
    for number in range(EVENTS):
        name = {100: POISON[0], 613: POISON[1]}.get(number, f"x{number}")
        kafka.send(topics.TRANSACTIONS, pay(name, "2026-03-01 10:00"))
        kafka.send(topics.COSTS, cost(f"k{number}" if number != 5 else "poison-c", "2026-03-01 10:00", 1))


async def _persist(worker: Worker, partitions: frozenset[TP] = EVERYTHING, rounds: int = 30) -> int:
    """Do what the transport does: take over, read, commit, and after every failure all over again."""
    for number in range(rounds):
        await worker.take(partitions)
        try:
            await worker.processor.refresh()
            await worker.read()
            sound = list(worker.processor.shards)
            await worker.committer.commit(sound)
            worker.processor._drop_faulty(sound, lambda *_: None)
        except PoisonError:
            continue
        if not worker.is_any_broken:
            return number
    raise AssertionError(f"still failing after {rounds} rounds")


@pytest.mark.parametrize("install", [_decode_fails, _core_fails, _encoding_fails], ids=["decode", "core", "encoding"])
async def test_the_records_at_fault_are_dead_letters_and_all_others_count(
    worker: Worker,
    kafka: FakeKafka,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    install: Callable[[pytest.MonkeyPatch], None],
) -> None:
    _send_events(kafka)
    install(monkeypatch)
    with caplog.at_level(logging.ERROR):
        assert await _persist(worker) <= 15
    assert {(letter.topic, letter.offset, letter.reason) for letter in kafka.dead_letters} == {
        (topics.TRANSACTIONS, 100, "internal_error"),
        (topics.TRANSACTIONS, 613, "internal_error"),
        (topics.COSTS, 5, "internal_error"),
    }
    totals = worker.views()["campaign_totals"][0]
    assert (totals["return_minor"], totals["cost_minor"]) == ((EVENTS - 2) * 100, EVENTS - 1)
    assert len(worker.views()["dead_letters"]) == 3
    assert "test_isolation.py" in caplog.text
    assert "PoisonError" in caplog.text
    assert QUOTED not in caplog.text


async def test_after_the_record_at_fault_batches_are_whole_again(
    worker: Worker, kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    _send_events(kafka)
    _core_fails(monkeypatch)
    await _persist(worker)
    kafka.send(topics.TRANSACTIONS, *(pay(f"y{number}", "2026-03-01 11:00") for number in range(100)))
    worker.ledger.diary.clear()
    await worker.read()
    assert worker.ledger.diary == []  # no block for every slice any more
    assert sum(each.pending for each in worker.processor.shards) == 100 < PENDING_LIMIT


async def test_a_new_worker_finds_the_record_at_fault_again(
    kafka: FakeKafka, store: LedgerStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    _send_events(kafka)
    _core_fails(monkeypatch)
    first = Worker(kafka, store, "one")
    await first.take()
    with pytest.raises(PoisonError):
        await first.read()
    second = Worker(kafka, store, "two")
    await _persist(second)
    assert second.views()["campaign_totals"][0]["return_minor"] == (EVENTS - 2) * 100


async def test_an_unreachable_ledger_is_not_blamed_on_a_record(
    worker: Worker, kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    _send_events(kafka)
    _core_fails(monkeypatch)
    worker.ledger.refusals.extend([LedgerUnavailableError()] * 2)
    await _persist(worker)
    assert len(kafka.dead_letters) == 3


@pytest.mark.parametrize("topic", topics.DIMENSION_TOPICS)
async def test_a_definition_or_profile_at_fault_keeps_nothing_back(
    worker: Worker, kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch, topic: str
) -> None:
    def picky(read: Any) -> Any:
        def fails(key: bytes | None, value: bytes | None) -> Any:
            if key == b"poison":
                raise PoisonError(QUOTED)
            return read(key, value)

        return fails

    monkeypatch.setattr(dimensions, "decode_campaign", picky(decode_campaign))
    monkeypatch.setattr(dimensions, "decode_customer", picky(decode_customer))
    kafka.send(topics.CAMPAIGNS, campaign("poison" if topic == topics.CAMPAIGNS else "spring"), campaign("spring"))
    kafka.send(topics.CUSTOMERS, profile("poison" if topic == topics.CUSTOMERS else "ann", "a"), profile("ann", "gold"))
    kafka.send(topics.TOUCHES, touch("t", "2026-03-01 09:00"))
    await worker.take()
    await worker.read()
    await worker.commit()
    assert [(letter.topic, letter.offset, letter.reason) for letter in kafka.dead_letters] == [
        (topic, 0, "internal_error")
    ]
    assert [row["tier"] for row in worker.views()["campaign_tier_totals"]] == ["gold"]


def _profile_encoding_fails(patch: pytest.MonkeyPatch) -> None:
    def picky(part: Any, *arguments: Any) -> Any:
        if any(row.tier == "poison" for row in part.changes.profiles):
            raise PoisonError(QUOTED)
        return encode(part, *arguments)

    patch.setattr(committer, "encode", picky)
    patch.setattr(shard, "encode", picky)


@pytest.mark.parametrize("sends", [_send_events, lambda _: None], ids=["with events", "alone"])
async def test_a_profile_that_cannot_be_encoded_is_a_dead_letter_and_its_neighbours_count(
    worker: Worker,
    kafka: FakeKafka,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    sends: Callable[[FakeKafka], None],
) -> None:
    _profile_encoding_fails(monkeypatch)
    kafka.send(topics.CAMPAIGNS, campaign("spring"))
    kafka.send(topics.CUSTOMERS, profile("bob", "poison"), profile("ann", "poison"), profile("ann", "gold"))
    sends(kafka)
    with caplog.at_level(logging.ERROR):
        assert await _persist(worker) <= 2
    assert {(letter.topic, letter.offset, letter.reason) for letter in kafka.dead_letters} == {
        (topics.CUSTOMERS, 0, "internal_error"),
        (topics.CUSTOMERS, 1, "internal_error"),
    }
    assert "PoisonError" in caplog.text
    assert QUOTED not in caplog.text
    kafka.send(topics.TOUCHES, touch("t2", "2026-03-01 09:00"))
    await worker.read()
    await worker.commit()
    assert {row["tier"] for row in worker.views()["campaign_tier_totals"]} - {""} == {"gold"}
