from __future__ import annotations

import pytest

from pipeline.transport.flows import RETRIES, Flows, Verdict, shard_of
from pipeline.transport.ports import TP, Delivery, RecordBatch
from schemas.topics import COSTS, LOGINS, TOUCHES, TRANSACTIONS

LOGINS_0 = TP(LOGINS, 0)
COSTS_0 = TP(COSTS, 0)


def delivery(flows: Flows, tp: TP, start: int, end: int) -> Delivery:
    batch = RecordBatch(*tp, list(range(start, end)), [None] * (end - start), [b""] * (end - start), end)
    return Delivery(batch, flows.openings({tp})[tp], start)


def opened(*partitions: TP) -> Flows:
    flows = Flows()
    flows.assign(partitions)
    flows.opened(dict.fromkeys(partitions, 0), flows.openings(partitions))
    return flows


def test_assigned_partition_is_closed_until_taken_over() -> None:
    flows = Flows()
    flows.assign({LOGINS_0})
    assert flows.due(now=0.0) == {LOGINS_0}
    assert not flows.open


def test_open_partition_takes_deliveries_in_sequence() -> None:
    flows = opened(LOGINS_0)
    for start, end in ((0, 5), (5, 5), (5, 9)):
        following = delivery(flows, LOGINS_0, start, end)
        assert flows.verdict(following) is Verdict.CURRENT
        flows.done(following)


def test_lost_delivery_shows_as_a_hole() -> None:
    flows = opened(LOGINS_0)
    assert flows.verdict(delivery(flows, LOGINS_0, 5, 9)) is Verdict.HOLE


def test_repeated_delivery_is_not_taken_twice() -> None:
    flows = opened(LOGINS_0)
    first = delivery(flows, LOGINS_0, 0, 5)
    flows.done(first)
    assert flows.verdict(first) is Verdict.HOLE


def test_delivery_of_a_revoked_partition_is_stale() -> None:
    flows = opened(LOGINS_0)
    before = delivery(flows, LOGINS_0, 0, 5)
    flows.revoke({LOGINS_0})
    assert flows.verdict(before) is Verdict.STALE


def test_delivery_from_before_a_return_of_the_partition_is_stale() -> None:
    flows = opened(LOGINS_0)
    before = delivery(flows, LOGINS_0, 0, 5)
    flows.revoke({LOGINS_0})
    flows.assign({LOGINS_0})
    flows.opened({LOGINS_0: 0}, flows.openings({LOGINS_0}))
    assert flows.verdict(before) is Verdict.STALE


def test_failure_closes_the_whole_shard_and_nothing_else() -> None:
    partners = {TP(topic, 0) for topic in (LOGINS, TRANSACTIONS, TOUCHES)}
    flows = opened(*partners, COSTS_0, TP(LOGINS, 1))
    flows.failed({LOGINS_0}, now=0.0)
    assert flows.open == {COSTS_0, TP(LOGINS, 1)}
    assert flows.due(now=100.0) == partners == shard_of(LOGINS_0)


def test_failures_in_a_row_wait_longer_and_longer() -> None:
    flows = opened(COSTS_0)
    delays = [flows.failed({COSTS_0}, now=0.0) for _ in range(10)]
    assert delays[:4] == [0.25, 0.5, 1.0, 2.0]
    assert delays[-1] == RETRIES.longest_seconds == RETRIES.delay(10_000)


def test_processed_delivery_ends_a_row_of_failures() -> None:
    flows = opened(COSTS_0)
    flows.failed({COSTS_0}, now=0.0)
    flows.failed({COSTS_0}, now=0.0)
    flows.opened({COSTS_0: 0}, flows.openings({COSTS_0}))
    flows.done(delivery(flows, COSTS_0, 0, 1))
    assert flows.failed({COSTS_0}, now=0.0) == pytest.approx(0.25)


def test_failed_partition_falls_due_after_its_delay_only() -> None:
    flows = opened(COSTS_0)
    delay = flows.failed({COSTS_0}, now=50.0)
    assert not flows.due(now=50.0)
    assert flows.next_due() == 50.0 + delay
    assert flows.due(now=50.0 + delay) == {COSTS_0}


def test_take_over_that_was_overtaken_opens_nothing() -> None:
    flows = Flows()
    flows.assign({COSTS_0})
    openings = flows.openings({COSTS_0})
    flows.revoke({COSTS_0})
    flows.assign({COSTS_0})
    flows.opened({COSTS_0: 7}, openings)
    assert not flows.open
