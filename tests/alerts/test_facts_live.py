"""Facts kept up to date block by block are those that are read as a whole, to the last bit."""

from __future__ import annotations

import json
from dataclasses import fields
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pipeline.alerts.facts import LedgerFacts, live_instant, statistics
from pipeline.alerts.live import LiveFacts
from pipeline.alerts.statistics import Statistics
from schemas import topics
from tests.alerts.facts_support import POLICY, SHAPE
from tests.oracle.generators import random_log
from tests.support.core_player import CorePlayer
from tests.support.depth import depth

if TYPE_CHECKING:
    from tests.oracle.log import Log


def assert_same_bits(found: Statistics, wanted: Statistics) -> None:
    for field in fields(Statistics):
        one, other = getattr(found, field.name), getattr(wanted, field.name)
        same = np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other
        assert same, f"{field.name}: {one} is not {other}"


class Stepper:
    """Feeds a log in random order and batches, and writes a block when told."""

    def __init__(self, client: Any, run: str, log: Log, seed: int) -> None:
        self.player = CorePlayer(client, "roi", run, POLICY, log)
        self.random = Random(seed)
        self._log = log

    def step(self, batches: int) -> bool:
        """Feed some batches, write them; return whether there is more."""
        places = [place for place in self._log if place[0] in topics.LANE_OF_TOPIC]
        for _ in range(batches):
            left = [place for place in places if self.player.next_offset(*place) < len(self._log[place])]
            if not left:
                break
            place = self.random.choice(left)
            start = self.player.next_offset(*place)
            self.player.feed(list(self._log[place][start : start + self.random.randint(1, 20)]))
        self.player.commit()
        return any(self.player.next_offset(*place) < len(self._log[place]) for place in places)


@pytest.mark.parametrize("seed", range(depth(9)))
def test_what_is_kept_up_to_date_is_what_is_read_as_a_whole(clickhouse: Any, run_name: str, seed: int) -> None:
    log = random_log(1_500 + seed, 300, shape=SHAPE)
    stepper = Stepper(clickhouse, run_name, log, seed)
    port = LedgerFacts(clickhouse, "roi", run_name)
    live = LiveFacts(port, POLICY)
    looks = 0
    while True:
        more = stepper.step(stepper.random.randint(1, 6))
        if stepper.random.random() < 0.1:
            stepper.player.acquire()
        if live.refresh(budget_seconds=np.inf).as_of_ms is not None:
            names = sorted(live.plans)
            plans = [live.plans[name] for name in names]
            assert live.as_of_ms is not None
            whole = statistics(port, plans, live.as_of_ms, POLICY)
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
