"""Taking runs out of aiokafka's fetcher, without a broker: the fetcher's own parts, filled by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchError, FetchResult, PartitionRecords
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import CorruptRecordException, OffsetOutOfRangeError, TopicAuthorizationFailedError
from aiokafka.record.memory_records import _MemoryRecordsPy

from pipeline.native.library import is_built
from pipeline.transport import draining, unpacking
from pipeline.transport import turns as turns_module
from pipeline.transport.draining import fetched_runs
from pipeline.transport.packed import Packed
from pipeline.transport.ports import TP
from pipeline.transport.turns import Turns
from pipeline.transport.unreadable import UnreadableError, broken_among, unreadable
from schemas.topics import LOGINS, TOUCHES, TRANSACTIONS
from tests.transport.record_batches import BASE, Batch, encoded, sealed

pytestmark = pytest.mark.skipif(not is_built(), reason="the native core is not built here")
SOUND, BROKEN, UNREAD = TopicPartition("t", 0), TopicPartition("t", 1), TopicPartition("t", 2)


def fetcher_with(answers: dict[TopicPartition, bytes]) -> Any:
    subscriptions = SubscriptionState()
    subscriptions.assign_from_user(list(answers))
    assignment = subscriptions.subscription.assignment
    results = {}
    for tp, raw in answers.items():
        assignment.state_value(tp).seek(BASE)
        records = PartitionRecords(tp, _MemoryRecordsPy(raw), [], BASE, None, None, True, READ_COMMITTED)
        results[tp] = FetchResult(tp, assignment=assignment, partition_records=records, backoff=0)
    return SimpleNamespace(
        _subscriptions=subscriptions, _records=results, _notify=lambda _: None, _wait_consume_future=None
    )


async def test_broken_batch_does_not_take_along_what_was_drained_before_it() -> None:
    raw, end = encoded(Batch([(0, 5, b"k", b"v", [])]), BASE)
    broken = raw[:-1] + bytes([raw[-1] ^ 1])
    fetcher = fetcher_with({SOUND: raw, BROKEN: raw + broken})
    partitions = frozenset({TP(*SOUND), TP(*BROKEN)})
    state_of = fetcher._subscriptions.subscription.assignment.state_value
    drained = await fetched_runs(fetcher, partitions, 0.0, 100)
    assert {tp: sum(map(len, runs)) for tp, runs in drained.items()} == {SOUND: 1}
    assert (state_of(SOUND).position, state_of(BROKEN).position) == (end, BASE)
    with pytest.raises(
        UnreadableError, match=r"^t partition 1 holds .* \(CorruptRecordException: Invalid CRC"
    ) as raised:
        await fetched_runs(fetcher, partitions, 0.0, 100)
    assert raised.value.partitions == {TP(*BROKEN)}
    assert not fetcher._records  # both are fetched again, from where they stand
    assert (state_of(SOUND).position, state_of(BROKEN).position) == (end, BASE)


@pytest.mark.parametrize("codec", [1, 2, 3, 4])
async def test_batch_whose_sum_is_right_and_content_is_not_counts_as_a_broken_one(codec: int) -> None:
    raw, _ = encoded(Batch([(0, 5, b"k", b"v" * 100, [])], codec), BASE)
    other = bytearray(raw[:61] + b"no codec wrote this")
    other[8:12] = (len(other) - 12).to_bytes(4, "big")
    fetcher = fetcher_with({BROKEN: sealed(other, BASE, 0, 0)})
    with pytest.raises(UnreadableError, match=r"^t partition 1 holds a record batch that cannot be read"):
        await fetched_runs(fetcher, frozenset({TP(*BROKEN)}), 0.0, 100)
    assert fetcher._subscriptions.subscription.assignment.state_value(BROKEN).position == BASE


async def test_what_the_broker_says_of_one_partition_names_it_and_an_offset_that_is_gone_stays_what_it_is() -> None:
    fetcher = fetcher_with({})
    partitions = frozenset({TP(*SOUND), TP(*BROKEN)})
    fetcher._records[BROKEN] = FetchError(error=TopicAuthorizationFailedError("t"), backoff=0)
    with pytest.raises(UnreadableError, match=r"^t partition 1 cannot be fetched \(TopicAuthorizationFailedError\)$"):
        await fetched_runs(fetcher, partitions, 0.0, 100)
    fetcher._records[BROKEN] = FetchError(error=OffsetOutOfRangeError({BROKEN: 5}), backoff=0)
    with pytest.raises(OffsetOutOfRangeError):
        await fetched_runs(fetcher, partitions, 0.0, 100)


async def test_a_partition_that_aiokafka_has_failed_to_read_is_found_among_the_others() -> None:
    raw, _ = encoded(Batch([(0, 5, b"k", b"v", [])]), BASE)
    fetcher = fetcher_with({SOUND: raw, BROKEN: raw[:-1] + bytes([raw[-1] ^ 1]), UNREAD: raw})
    assert len(fetcher._records[SOUND].getall(1)) == 1
    with pytest.raises(CorruptRecordException):
        fetcher._records[BROKEN].getall()
    asked = [TP(*SOUND), TP(*BROKEN), TP(*UNREAD), TP("t", 3)]
    assert broken_among(fetcher, asked) == [TP(*BROKEN)]


def test_a_fault_of_this_program_is_told_with_its_traceback_once(caplog: pytest.LogCaptureFixture) -> None:
    known: dict[str, int] = {}
    for customer in ("ann", "bob"):
        with pytest.raises(KeyError) as raised:
            known[customer]
        text = str(unreadable([TP("t", 1)], raised.value))
        assert text == "t partition 1 holds a record batch that cannot be read (KeyError)"
    assert [record.message.count("File ") for record in caplog.records] == [1, 0]
    assert __file__ in caplog.text
    assert not {"ann", "bob"} & set(caplog.text.replace("'", " ").split())


async def test_no_further_batch_is_taken_once_there_are_enough_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "ENOUGH_BYTES", 20)
    monkeypatch.setattr(unpacking, "ENOUGH_UNPACKED", 10)
    raw, end = b"", BASE
    for value in (b"a", b"b" * 10, b"c", b"d"):
        piece, end = encoded(Batch([(0, 5, None, value, [])], codec=1), end)
        raw += piece
    fetcher = fetcher_with({SOUND: raw})
    taken = []
    while fetcher._records:
        drained = await fetched_runs(fetcher, frozenset({TP(*SOUND)}), 0.0, 100)
        taken.append([run.column("value") for run in drained[SOUND] if isinstance(run, Packed)])
    assert taken == [[[b"a", b"b" * 10]], [[b"c", b"d"]]]
    assert fetcher._subscriptions.subscription.assignment.state_value(SOUND).position == end


async def test_topics_of_one_shard_advance_together_and_shards_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns_module, "SLICE_RECORDS", 2)
    paid, touched = TopicPartition(TRANSACTIONS, 0), TopicPartition(TOUCHES, 0)
    other = TopicPartition(TOUCHES, 1)
    at_tens = log_of(list(range(10, 90, 10)))
    fetcher = fetcher_with({paid: log_of(list(range(15, 95, 10))), touched: at_tens, other: at_tens})
    partitions, turns = frozenset(TP(*tp) for tp in (paid, touched, other)), Turns()
    taken: list[dict[str, list[int]]] = []
    while fetcher._records:
        drained = await fetched_runs(fetcher, partitions, 0.0, 4, turns)
        taken.append({f"{tp.topic[5:9]}-{tp.partition}": stamps(runs) for tp, runs in drained.items()})
    assert taken == [
        {"touc-0": [10, 20, 30, 40], "tran-0": [15, 25, 35, 45]},
        {"touc-1": [10, 20, 30, 40], "touc-0": [50, 60], "tran-0": [55, 65]},
        {"touc-0": [70, 80], "tran-0": [75, 85], "touc-1": [50, 60, 70, 80]},
        {"touc-1": []},  # that it is at its end turns out now
    ]


async def test_a_shard_whose_other_topic_is_under_way_comes_last() -> None:
    paid, touched, other = [TopicPartition(*tp) for tp in ((TRANSACTIONS, 0), (TOUCHES, 0), (LOGINS, 1))]
    fetcher = fetcher_with({paid: log_of([1, 2]), touched: log_of([1, 2]), other: log_of([1, 2])})
    fetcher._subscriptions.subscription.assignment.state_value(touched).highwater = BASE + 2
    waiting = fetcher._records.pop(touched)
    partitions, turns = frozenset(TP(*tp) for tp in (paid, touched, other)), Turns()
    assert list(await fetched_runs(fetcher, partitions, 0.0, 1, turns)) == [other, paid]
    fetcher._records[touched] = waiting
    assert list(await fetched_runs(fetcher, partitions, 0.0, 1, turns)) == [touched, paid]


async def test_without_turns_what_arrived_first_is_taken_first_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns_module, "SLICE_RECORDS", 2)
    paid, touched = TopicPartition(TRANSACTIONS, 0), TopicPartition(TOUCHES, 0)
    fetcher = fetcher_with({paid: log_of([3, 4, 5, 6]), touched: log_of([1, 2])})
    drained = await fetched_runs(fetcher, frozenset({TP(*paid), TP(*touched)}), 0.0, 4)
    assert [(tp, stamps(runs)) for tp, runs in drained.items()] == [(paid, [3, 4, 5, 6])]


def log_of(timestamps: list[int]) -> bytes:
    raw, end = b"", BASE
    for timestamp in timestamps:
        piece, end = encoded(Batch([(0, timestamp, None, b"v", [])]), end)
        raw += piece
    return raw


def stamps(runs: list[Any]) -> list[int]:
    return [stamp for run in runs for stamp in run.rows["timestamp"].tolist()]
