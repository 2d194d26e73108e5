"""Facts kept up to date block by block are those that are read as a whole, to the last bit."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import fields, replace
from random import Random
from typing import Any

import numpy as np
import pytest

from pipeline.alerts.facts import LedgerFacts, live_instant, read_plans, statistics
from pipeline.alerts.live import LiveFacts
from pipeline.alerts.statistics import Statistics
from pipeline.state.rows import Stage
from schemas import topics
from tests.alerts.facts_support import POLICY, SHAPE
from tests.alerts.stepping import Stepper
from tests.erasure.player import ErasingPlayer
from tests.oracle.building import Ledger
from tests.oracle.generators import random_log
from tests.support.core_player import CorePlayer
from tests.support.depth import depth


def assert_same_bits(found: Statistics, wanted: Statistics) -> None:
    for field in fields(Statistics):
        one, other = getattr(found, field.name), getattr(wanted, field.name)
        same = np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other
        assert same, f"{field.name}: {one} is not {other}"


@pytest.mark.parametrize("seed", range(depth(9)))
def test_what_is_kept_up_to_date_is_what_is_read_as_a_whole(clickhouse: Any, run_name: str, seed: int) -> None:
    log = random_log(1_500 + seed, 300, shape=SHAPE)
    policy = replace(POLICY, models=("linear" if seed % 3 == 1 else "last_touch",))
    stepper = Stepper(clickhouse, run_name, log, seed, policy)
    port = LedgerFacts(clickhouse, "roi", run_name)
    live = LiveFacts(port, policy)
    looks = 0
    while True:
        more = stepper.step(stepper.random.randint(1, 6))
        if stepper.random.random() < 0.1:
            stepper.player.acquire()
        if live.refresh(budget_seconds=np.inf).as_of_ms is not None:
            names = sorted(live.plans)
            plans = [live.plans[name] for name in names]
            assert live.as_of_ms is not None
            whole = statistics(port, plans, live.as_of_ms, policy)
            assert_same_bits(live.statistics(names), whole)
            looks += bool(whole.lags.sum())
        if not more:
            break
    assert looks, "no look saw a conversion"
    assert live.as_of_ms == live_instant(port)
    assert live.refresh().changed == []


def test_campaigns_that_did_not_change_are_not_named(clickhouse: Any, run_name: str) -> None:
    log = random_log(1_600, 300, shape=SHAPE)
    stepper = Stepper(clickhouse, run_name, log, 1)
    while stepper.step(5):
        pass
    port = LedgerFacts(clickhouse, "roi", run_name)
    live = LiveFacts(port, POLICY)
    first = live.refresh()
    assert first.changed == sorted(live.plans)
    name = max(live.plans, key=lambda one: live.facts([one])[0].touches.sum())
    stepper.player.ledger.execute(
        "write_campaign",
        campaign_id=name,
        definition=json.dumps(
            {
                "campaign_id": name,
                "name": "x",
                "starts_at": "2026-01-01T00:00:00Z",
                "product": "cards",
                "goal": {"kinds": ["deposit"]},
            }
        ),
        version=10**9,
    )
    assert live.refresh().changed == [name]
    assert live.plans[name].product == "cards"


@pytest.mark.parametrize("is_retired_first", [False, True])
def test_a_retired_definition_is_told_from_none(clickhouse: Any, run_name: str, *, is_retired_first: bool) -> None:
    ledger, name = Ledger(), f"gone-{run_name}"
    ledger.touch("t0", "2026-03-01 08:00", campaign=f"other-{run_name}", cost_minor=10)
    ledger.touch("t", "2026-03-01 09:00", campaign=name, cost_minor=10)
    player = CorePlayer(clickhouse, "roi", run_name, POLICY, ledger.log)
    port = LedgerFacts(clickhouse, "roi", run_name)
    live = LiveFacts(port, POLICY)
    body = json.dumps(
        {"campaign_id": name, "name": "x", "starts_at": "2026-01-01T00:00:00Z", "goal": {"kinds": ["other"]}}
    )
    place = next(place for place, records in ledger.log.items() if records)
    records = ledger.log[place]

    def define(text: str, version: int) -> None:
        player.ledger.execute("write_campaign", campaign_id=name, definition=text, version=version)

    def feed(part: slice) -> None:
        player.feed(list(records[part]))
        player.commit()
        live.refresh()

    define(body, 1)
    feed(slice(0, 1))
    if is_retired_first:
        define("", 2)
        live.refresh()
        feed(slice(1, 2))
    else:
        feed(slice(1, 2))
        assert live.plans[name].definition is not None
        define("", 2)
        live.refresh()
    assert live.plans[name].is_retired
    assert not live.plans[f"other-{run_name}"].is_retired
    assert live.plans[name] == read_plans(port, POLICY)[name], "as after a restart"


def test_a_budget_that_is_used_up_leaves_the_rest_for_the_next_time(clickhouse: Any, run_name: str) -> None:
    log = random_log(1_700, 200, shape=SHAPE)
    stepper = Stepper(clickhouse, run_name, log, 2)
    live = LiveFacts(LedgerFacts(clickhouse, "roi", run_name), POLICY)
    stepper.step(5)
    live.refresh()
    while stepper.step(20):
        pass
    first = live.refresh(budget_seconds=0.0)
    assert first.waiting
    assert not set(first.changed) & live._dirty.keys()
    second = live.refresh()
    assert (second.waiting, set(second.changed) > set()) == (0, True)


def test_a_reversal_counts_from_its_own_minute_on(clickhouse: Any, run_name: str) -> None:
    ledger, name = Ledger(), f"half-{run_name}"
    ledger.campaign(name, margins_bps={"deposit": 5_000})
    ledger.touch("t", "2026-03-01 09:00", campaign=name, cost_minor=10)
    ledger.pay("x", "2026-03-01 10:00", 100)
    ledger.pay("half", "2026-03-01 10:30:10", 50, reverses="x")
    ledger.pay("rest", "2026-03-01 10:30:50", 50, reverses="x")
    ledger.pay("y", "2026-03-01 10:31", 1, customer_id="bob")
    client_log = ledger.log
    player = CorePlayer(clickhouse, "roi", run_name, POLICY, client_log)
    port = LedgerFacts(clickhouse, "roi", run_name)
    live = LiveFacts(port, POLICY)
    definition = ledger.records[0].value or b""
    player.ledger.execute("write_campaign", campaign_id=name, definition=definition.decode(), version=1)
    places = [place for place in client_log if place[0] in topics.LANE_OF_TOPIC]
    seen: list[tuple[float, float]] = []
    for place in sorted(places, key=lambda place: place[0] != topics.TOUCHES):
        for record in client_log[place]:
            player.feed([record])
            player.commit()
            if live.refresh().as_of_ms is not None:
                row = live.statistics([name])
                whole = statistics(port, [live.plans[name]], int(row.as_of_ms[0]), POLICY)
                assert_same_bits(row, whole)
                assert row.reversed is not None
                seen.append((float(row.return_all[0]), float(row.reversed[0])))
    assert seen == [(0, 0), (50, 0), (50, 0), (50, 0), (0, 1)]


@pytest.mark.parametrize("model", ["linear", "last_touch"])
def test_two_transactions_of_one_id_are_two(clickhouse: Any, run_name: str, model: str) -> None:
    policy = replace(POLICY, models=(model,))
    ledger, name = Ledger(), f"again-{run_name}"
    ledger.campaign(name, margins_bps={"deposit": 5_000}, attribution_window_days=60)
    ledger.touch("t", "2026-03-01 09:00", campaign=name, cost_minor=10)
    ledger.touch("u", "2026-03-01 09:30", campaign=name, cost_minor=10)
    ledger.pay("x", "2026-03-01 10:00", 100)
    ledger.pay("y", "2026-04-04 10:00", 1, customer_id="bob")  # the id is free again
    ledger.pay("x", "2026-04-05 10:00", 300)
    player = CorePlayer(clickhouse, "roi", run_name, policy, ledger.log)
    definition = ledger.records[0].value or b""
    player.ledger.execute("write_campaign", campaign_id=name, definition=definition.decode(), version=1)
    player.play(Random(1))
    port = LedgerFacts(clickhouse, "roi", run_name)
    live = LiveFacts(port, policy)
    live.refresh()
    row = live.statistics([name])
    assert_same_bits(row, statistics(port, [live.plans[name]], int(row.as_of_ms[0]), policy))
    assert row.lags.sum() == 2


def test_an_erased_customer_leaves_the_facts_that_are_kept(clickhouse: Any, run_name: str) -> None:
    # an erasure holds in every run: nobody else's customer may have this one's pseudonym
    policy = dataclasses.replace(POLICY, pseudonym_key=run_name.encode())
    ledger = Ledger()
    ledger.campaign("spring", margins_bps={"deposit": 5_000})
    for who in ("ann", "bob"):
        ledger.touch(f"t-{who}", "2026-03-01 09:00", customer_id=who, cost_minor=10)
        ledger.pay(f"x-{who}", "2026-03-01 10:00", 100, customer_id=who)
    ledger.login("2026-03-01 11:00")
    player = ErasingPlayer(clickhouse, run_name, policy, ledger.log, partitions=1)
    player.feed_some(Random(1))
    player.commit()
    port = LedgerFacts(clickhouse, "roi", run_name)
    live = LiveFacts(port, policy)
    live.refresh()
    assert live.statistics(["spring"]).converters_all.tolist() == [2]
    player.send("ann", None, "request")
    while True:
        player.commit()
        live.refresh()
        row = live.statistics(["spring"])
        assert_same_bits(row, statistics(port, [live.plans["spring"]], int(row.as_of_ms[0]), policy))
        if not player.advance():
            break
    touches = row.touches.sum() + row.touches_older.sum()
    assert (row.converters_all.tolist(), touches, row.cost_total.tolist()) == ([1], 1, [10])
    assert player.stage("ann") is Stage.DONE


def test_a_stored_definition_that_is_not_understood_counts_as_none(clickhouse: Any, run_name: str) -> None:
    player = CorePlayer(clickhouse, "roi", run_name, POLICY, {})
    name = f"odd-{run_name}"
    player.ledger.execute("write_campaign", campaign_id=name, definition='{"starts_at": "never"}', version=1)
    plans = read_plans(LedgerFacts(clickhouse, "roi", run_name), POLICY)
    assert (plans[name].definition, plans[name].product) == (None, "any")
