from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipeline.state.calendar import DAY_MS
from pipeline.state.rows import CreditMeasure
from tests.state.building import POLICY, Bench
from tests.support.standings import standings_of_rows

if TYPE_CHECKING:
    from pipeline.ledger.rows import ShardBlock

pytestmark = pytest.mark.usefixtures("each_core")


def _bench() -> Bench:
    bench = Bench(spring={"attribution_window_days": 7})
    bench.written.touch("t", "2026-03-01 09:00")
    return bench


def test_a_reversal_scales_the_credit_and_never_moves_it() -> None:
    bench = _bench()
    bench.written.pay("x", "2026-03-01 10:00", 100)
    bench.written.pay("r", "2026-03-05 10:00", 30, reverses="x")
    bench.take()
    assert bench.shares() == {("x", "t", 0): (1_000_000, 70, 70)}


def test_reversals_before_their_original_are_waiting_for_it() -> None:
    bench = _bench()
    bench.written.pay("r1", "2026-03-02 10:00", 30, reverses="x")
    bench.written.pay("r2", "2026-03-02 11:00", 50, reverses="x")
    bench.written.pay("x", "2026-03-01 10:00", 100)
    bench.take()
    assert bench.shares() == {("x", "t", 0): (1_000_000, 20, 20)}


@pytest.mark.parametrize("amounts", [(100,), (60, 40), (60, 60), (10**15,)])
def test_what_is_reversed_altogether_counts_nowhere(amounts: tuple[int, ...]) -> None:
    bench = _bench()
    bench.written.pay("x", "2026-03-01 10:00", 100)
    bench.take()
    assert bench.shares() == {("x", "t", 0): (1_000_000, 100, 100)}
    for number, amount in enumerate(amounts):
        bench.written.pay(f"r{number}", "2026-03-02 10:00", amount, reverses="x")
    bench.take()
    block = bench.block()
    assert _shares(block) == {"t": (0, 1_000_000)}
    assert block.changes.adjustments[-1].effective_minor == 0
    totals = {family: block.changes.cells[family].measures for family in ("tier", "variant")}
    assert totals == {"tier": [1, 1, 0, 0, 0, 0, 0], "variant": [1, 1, 0, 0, 0, 0, 0]}


def test_what_is_reversed_altogether_keeps_its_share_and_moves_it_to_a_late_touch() -> None:
    bench = _bench()
    bench.written.pay("x", "2026-03-01 10:00", 100)
    bench.take()
    assert _booked(bench) == {"t": (1_000_000, 1_000_000)}
    bench.written.pay("r", "2026-03-02 10:00", 100, reverses="x")
    bench.take()
    assert _booked(bench) == {"t": (0, 1_000_000)}
    bench.written.touch("late", "2026-03-01 09:30")
    bench.take()
    block = bench.block()
    assert _shares(block) == {"t": (0, 0), "late": (0, 1_000_000)}
    assert block.changes.cells["variant"].measures == [2, 1, 0, 0, 0, 0, 0]


def test_a_transaction_that_comes_after_its_whole_reversal_has_its_share_too() -> None:
    bench = _bench()
    bench.written.pay("r", "2026-03-02 10:00", 100, reverses="x")
    bench.written.pay("x", "2026-03-01 10:00", 100)
    bench.take()
    assert _booked(bench) == {"t": (0, 1_000_000)}


def _booked(bench: Bench) -> dict[str, tuple[int, int]]:
    return _shares(bench.block())


def _shares(block: ShardBlock) -> dict[str, tuple[int, int]]:
    found = block.changes.credits
    rows = standings_of_rows(found)
    return {
        touch: (row[0][CreditMeasure.MILLIONTHS], row[0][CreditMeasure.BOOKED])
        for touch, row in zip(found.touch_id, rows, strict=True)
    }


@pytest.mark.parametrize(
    ("at", "fields"),
    [
        ("2026-03-31 10:00:00.001", {}),  # 30 days and a millisecond later
        ("2026-03-01 09:59:59.999", {}),  # before its original
        ("2026-03-02 10:00", {"customer_id": "bob"}),  # another customer's
        ("2026-03-02 10:00", {"reverses": "r0"}),  # of a reversal
        ("2026-03-02 10:00", {"reverses": "r"}),  # of itself
        ("2026-03-02 10:00", {"reverses": "nothing"}),
    ],
)
def test_a_reversal_that_fits_no_transaction_is_an_orphan_in_the_end(at: str, fields: dict[str, str]) -> None:
    bench = _bench()
    bench.written.pay("x", "2026-03-01 10:00", 100)
    bench.written.pay("r0", "2026-03-01 10:00", 1, reverses="x")
    offset = bench.written.pay("r", at, 30, **{"reverses": "x"} | fields)
    bench.take()
    block = bench.block()
    assert [row[0][CreditMeasure.RETURN_MINOR] for row in standings_of_rows(block.changes.credits)] == [99]
    assert block.changes.orphans == []
    bench.written.pay("later", "2026-04-10 10:00")
    bench.take()
    orphans = bench.block().changes.orphans
    assert [(orphan.offset, orphan.reason) for orphan in orphans] == [(offset, "orphan_reversal")]
    assert "ann" not in orphans[0].detail
    # accepted at first, refused now: x, r0 and the later payment remain
    assert (bench.core.transactions.accepted, bench.core.transactions.refused) == (3, 1)


@pytest.mark.parametrize("at", ["2026-03-01 10:00", "2026-03-31 10:00"])
def test_both_ends_of_the_thirty_days_count(at: str) -> None:
    bench = _bench()
    bench.written.pay("x", "2026-03-01 10:00", 100)
    bench.written.pay("r", at, 30, reverses="x")
    bench.take()
    assert bench.shares()["x", "t", 0] == (1_000_000, 70, 70)


def test_a_copy_of_a_reversal_takes_nothing_off_again() -> None:
    bench = _bench()
    bench.written.pay("x", "2026-03-01 10:00", 100)
    for _ in range(2):
        bench.written.pay("r", "2026-03-02 10:00", 30, reverses="x")
    bench.take()
    assert bench.shares()["x", "t", 0][1] == 70
    assert bench.core.transactions.duplicates == 1


def test_an_orphan_waits_until_its_own_time_is_past_the_floor_and_no_longer() -> None:
    # floor = watermark - 3 days; the verdict falls when the floor passes the reversal, not when it reaches it
    bench = _bench()
    bench.written.pay("r", "2026-03-02 10:00", 30, reverses="x")
    bench.written.pay("y", "2026-03-05 10:00")
    bench.take()
    assert bench.block().changes.orphans == []
    bench.written.pay("x", "2026-03-02 10:00", 100)
    bench.take()
    assert bench.shares()["x", "t", 0][1] == 70


def test_an_erased_customers_reversal_gets_no_verdict_also_where_memory_was_tidied_before_the_block() -> None:
    bench = Bench(replace(POLICY, reversal_ms=DAY_MS))
    bench.written.pay("r", "2026-03-01 10:00", 30, reverses="nothing")
    bench.written.pay("later", "2026-03-10 10:00", customer_id="bob")
    bench.take()
    bench.shard.tidy()  # nobody can send a copy of it any more
    bench.core.erase("ann", "request")
    assert bench.core.held()["waiting"] == 0
    assert bench.block().changes.orphans == []
