"""What is remembered, and for how long: memory stays bounded and the numbers stay exact."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings, strategies

from pipeline.state.calendar import DAY_MS
from pipeline.state.customer_lane import CustomerLane
from schemas import topics
from tests.oracle.building import Ledger, moment
from tests.oracle.generators import random_log
from tests.oracle.log import log_of
from tests.oracle.story import Shape
from tests.state.building import Bench, batch_of
from tests.state.rules import DEFAULT, PROPERTY, SEEDS, any_logs, faults, player_of
from tests.support.fakes_player import MemoryPlayer

if TYPE_CHECKING:
    from tests.oracle.log import Log

pytestmark = pytest.mark.usefixtures("each_core")
LONG = Shape(customers=60, campaigns=6, partitions=1, span_days=400, bad_share=0.0, late=False)


def _cores(player: MemoryPlayer) -> list[CustomerLane]:
    return [shard.core for shard in player.shards.values() if isinstance(shard.core, CustomerLane)]


@settings(PROPERTY, max_examples=max(1, PROPERTY.max_examples // 5))
@given(strategies.integers(0, 2**32), strategies.sampled_from((0, 4)))
def test_a_year_of_events_leaves_nothing_behind_and_changes_no_number(seed: int, crashes: int) -> None:
    log = random_log(seed, 300, shape=LONG)
    player = player_of(log, DEFAULT)
    player.play(Random(seed), crashes=crashes)
    assert faults(log, DEFAULT, player) == []
    for core in _cores(player):
        # nothing more can come
        core.touches.watermark = core.transactions.watermark = core.logins.watermark + 1_000 * DAY_MS
        core.drain_changes(1 << 62)
        core.forget(1 << 63)
        left = {name: count for name, count in core.held().items() if count}
        assert left == {}


def test_live_state_is_what_the_horizon_holds_and_not_what_has_been() -> None:
    bench = Bench(spring={"attribution_window_days": 2})
    sizes = []
    for day in range(200):
        for customer in range(5):
            at = moment("2026-03-01 10:00") + day * DAY_MS
            text = _text(at + customer)
            name = f"{day}-{customer}"
            bench.written.touch(f"t{name}", text, customer_id=f"c{name}")
            bench.written.pay(f"x{name}", text, customer_id=f"c{name}")
            bench.written.pay(f"r{name}", text, 1, customer_id=f"c{name}", reverses="nothing")
        bench.take()
        bench.block()
        bench.shard.tidy()
        sizes.append(sum(count for name, count in bench.core.held().items() if name != "cells"))
    assert max(sizes[150:]) <= max(sizes[50:100])
    assert bench.core.customer_count == 1000  # what stays is one small record each


def _text(at: int) -> str:
    days, rest = divmod(at - moment("2026-03-01 00:00"), DAY_MS)
    month, day = divmod(days, 28)
    year, month = divmod(2 + month, 12)
    seconds, millis = divmod(rest, 1000)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{millis:03}"
    return f"{2026 + year}-{month + 1:02}-{day + 1:02} {clock}"


def _put_floor(bench: Bench, at: int) -> None:
    bench.take()
    for intake in (bench.core.touches, bench.core.transactions):
        intake.watermark = at + bench.policy.lateness_ms
    bench.block()
    bench.shard.tidy()


def test_a_touch_stays_while_a_payment_at_the_floor_may_need_it() -> None:
    # old ──── edge ─┤ window ├─ floor: whoever pays at the floor itself is in time, and the edge its candidate
    bench = Bench(spring={"attribution_window_days": 2})
    bench.written.touch("old", "2026-03-01 12:00")
    bench.written.touch("edge", "2026-03-05 12:00")
    _put_floor(bench, moment("2026-03-07 12:00"))
    assert bench.core.held()["touches"] == 1
    bench.written.pay("x", "2026-03-07 12:00")
    bench.take()
    assert bench.shares() == {("x", "edge", 0): (1_000_000, 100, 100)}


def test_a_transaction_stays_while_a_reversal_at_the_floor_may_name_it() -> None:
    bench = Bench(spring={"attribution_window_days": 2})
    bench.written.touch("t", "2026-03-01 12:00")
    bench.written.pay("old", "2026-03-01 12:00")
    bench.written.pay("edge", "2026-03-03 12:00")
    _put_floor(bench, moment("2026-04-02 12:00"))
    assert bench.core.held()["transactions"] == 1
    bench.written.pay("r", "2026-04-02 12:00", 40, reverses="edge")
    bench.take()
    assert bench.shares() == {("edge", "t", 0): (1_000_000, 60, 60)}


def _campaigns_alone() -> Log:
    written = Ledger()
    written.campaign("spring")
    written.send(topics.CAMPAIGNS, "spring", None)
    refused = written.records[-1]._replace(value=b"not json")
    return log_of([*written.records[:-1], refused])


@PROPERTY
@given(any_logs(150), SEEDS)
@example(_campaigns_alone(), 0)
def test_cells_that_leave_memory_after_every_block_change_no_number(log: Log, seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.worker.shard.IDLE_BLOCKS", 0)
        player = player_of(log, DEFAULT)
        player.play(Random(seed), crashes=2)
    assert faults(log, DEFAULT, player) == []


@pytest.mark.parametrize("with_restart", [False, True])
def test_a_converter_of_long_ago_is_not_counted_again(with_restart: bool) -> None:  # noqa: FBT001 - a column of the table
    bench = Bench(spring={"attribution_window_days": 1})
    for number, day in enumerate(("2026-03-01", "2026-06-01", "2026-09-01")):
        bench.written.touch(f"t{number}", f"{day} 09:00", variant="ab"[number % 2])
        bench.written.pay(f"x{number}", f"{day} 10:00")
    player = MemoryPlayer(bench.policy, bench.written.log)
    places = (topics.TOUCHES, topics.TRANSACTIONS)
    for number in range(3):
        for topic in places:
            player.feed([bench.written.log[topic, 0][number]])
        player.commit()
        for shard in player.shards.values():
            shard.tidy()
        if with_restart:
            player.acquire()
    (total,) = player.views()["campaign_totals"]
    assert (total["reached"], total["converters"], total["conversion_millionths"]) == (1, 1, 3_000_000)
    rows = player.views()["campaign_variant_totals"]
    variants = {row["variant"]: (row["reached"], row["converters"]) for row in rows}
    assert variants == {"a": (1, 1), "b": (1, 1)}


def test_a_new_owner_remembers_reach_that_nothing_can_move_as_bits() -> None:
    bench = Bench(spring={"attribution_window_days": 1})
    for number in range(5):
        bench.written.touch(f"t{number}", f"2026-0{number + 3}-01 09:00", customer_id=f"c{number}")
    bench.written.pay("x", "2026-07-01 10:00", customer_id="c9")
    player = MemoryPlayer(bench.policy, bench.written.log)
    for place in sorted(bench.written.log):
        player.feed(bench.written.log[place])
    player.commit()
    player.acquire()
    (core,) = _cores(player)
    assert core.held()["reach"] == 1  # the touch of July alone can still be preceded by another


def test_a_silent_topic_follows_once_it_was_read_to_its_end() -> None:
    bench = Bench()
    bench.written.touch("t", "2026-03-01 09:00")
    bench.written.pay("x", "2026-05-01 09:00")
    touch, pay = bench.written.records
    shard, core = bench.shard, bench.core
    old = moment("2026-03-01 09:00")
    shard.apply(batch_of([touch], end_offset=2), None, 0.0)
    shard.apply(batch_of([pay], end_offset=1), None, 0.0)
    shard.follow(1e9, 60)
    assert core.touches.watermark == old  # there is more to read
    shard.apply(batch_of([touch], next_offset=2, end_offset=2), None, 100.0)
    shard.follow(159.9, 60)
    assert core.touches.watermark == old  # not silent for long enough
    bench.block()
    shard.follow(160.0, 60)
    assert core.logins.watermark < 0  # nobody has said yet that its log has no more
    assert core.touches.watermark == moment("2026-05-01 09:00")
    assert bench.block().positions[0].watermark == core.touches.watermark  # which becomes durable
    assert core.held()["touches"] == 1
    shard.tidy()
    assert core.held()["touches"] == 0
    assert core.transactions.watermark == moment("2026-05-01 09:00")


def test_a_topic_that_was_empty_when_taken_over_follows_too() -> None:
    bench = Bench()
    for topic in topics.CUSTOMER_LANE.events:
        bench.shard.found_log(topic, is_read_to_end=True, now=0.0)
    bench.written.pay("x", "2026-05-01 09:00")
    bench.take(now=10.0)
    bench.shard.follow(60.0, 60)
    at = moment("2026-05-01 09:00")
    assert (bench.core.touches.watermark, bench.core.logins.watermark) == (at, at)
