"""Faults of the data, made to happen on a real broker, endpoint, worker and evaluator: one installation for all."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.settings import environment_of
from pipeline.transport.producer import EventProducer
from schemas.topics import COSTS, LOGINS, TOUCHES, TRANSACTIONS
from tests.support.cluster import Cluster, running_cluster
from tests.support.endpoint import ROOT
from tests.support.kafka import running_tansu

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]

START = datetime(2026, 3, 2, tzinfo=UTC)
HOURS = 24 * 14
TOUCHES_AN_HOUR = 10
LAG_SECONDS = 4
SETTINGS = {
    "ROI_ALERTS__LAG_SECONDS": str(LAG_SECONDS),
    "ROI_ALERTS__WALL_HOLD_SECONDS": "1",
    "ROI_ALERTS__TICK_SECONDS": "0.25",
}
# "own": touches carry their cost; "billed": cost events do
CAMPAIGNS = ("own", "billed")


class Bank:
    """A small bank: two campaigns whose customers convert for much less than they cost."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.now = START
        self._numbers = itertools.count()
        self._producer = EventProducer(cluster.settings)

    def send(self, topic: str, *events: dict[str, Any], copies: int = 1) -> None:
        for _ in range(copies):
            for event in events:
                key = event.get("customer_id") or event["campaign_id"]
                self._producer.send(topic, key.encode(), json.dumps(event).encode())
        self._producer.flush()

    def event(self, at: datetime, **values: Any) -> dict[str, Any]:
        number = next(self._numbers)
        return {"event_id": f"e{number}", "occurred_at": at.isoformat(), "customer_id": f"c{number}"} | values

    def touches(self, at: datetime, campaign: str, count: int = TOUCHES_AN_HOUR, cost: int = 0) -> list[dict[str, Any]]:
        more = {"campaign_id": campaign, "variant": "a", "channel": "sms", "kind": "send", "cost_minor": cost}
        return [self.event(at, **more) for _ in range(count)]

    def transaction(self, at: datetime, touch: dict[str, Any] | None = None) -> dict[str, Any]:
        more = {} if touch is None else {"customer_id": touch["customer_id"]}
        return self.event(at, kind="deposit", amount_minor=5000, channel="app", revenue_minor=100) | more

    def cost(self, at: datetime) -> dict[str, Any]:
        event = self.event(at, campaign_id="billed", category="media", amount_minor=2_400_000)
        del event["customer_id"]
        return event

    def login(self, at: datetime) -> dict[str, Any]:
        return self.event(at, channel="app", session_seconds=60)

    def pass_hours(self, hours: int, *, own_cost: int = 10_000, pays: bool = True, transacts: bool = True) -> None:
        """Let so many hours of business go by."""
        touches, transactions, costs = [], [], []
        for _ in range(hours):
            self.now += timedelta(hours=1)
            new = self.touches(self.now, "own", cost=own_cost) + self.touches(self.now, "billed")
            touches += new
            later = self.now + timedelta(minutes=30)
            transactions += [self.transaction(later, one) for one in (new[0], new[-1]) if transacts]
            costs += [self.cost(self.now)] if pays and self.now.hour == 0 else []
        self.send(COSTS, *costs)
        self.send(TOUCHES, *touches)
        self.send(TRANSACTIONS, *transactions)

    def states(self) -> dict[str, tuple[str, str]]:
        """Return state and first reason by campaign."""
        found = self.cluster.rows("SELECT campaign_id, state, record FROM roi.alerts")
        return {name: (state, "; ".join(json.loads(record)["reasons"])) for name, state, record in found}

    def wait_for(self, state: str, reason: str = "", campaigns: Iterable[str] = CAMPAIGNS) -> None:
        def is_so() -> bool:
            seen = self.states()
            return all(name in seen and seen[name][0] == state and reason in seen[name][1] for name in campaigns)

        try:
            self.cluster.wait_until(is_so, f"{state} {reason}", 40)
        except AssertionError as error:
            raise AssertionError(f"{self.states()} {error}") from error


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    directory: Path = tmp_path_factory.mktemp("bank")
    with running_tansu() as bootstrap, running_cluster(bootstrap, directory, "only-life", 2, SETTINGS) as cluster:
        one = Bank(cluster)
        one.pass_hours(HOURS)
        cluster.start_worker()
        cluster.start_worker(("pipeline", "alerts", "run"))
        one.wait_for("firing")
        yield one


def test_a_worker_that_stands_blocks_all_until_it_has_caught_up(bank: Bank) -> None:
    worker = bank.cluster.workers[0]
    bank.cluster.freeze(worker)
    bank.pass_hours(1)
    bank.wait_for("blocked", f"lag: touches are more than {LAG_SECONDS} s behind")
    bank.cluster.thaw(worker)
    bank.wait_for("firing")


def test_a_flood_of_dead_letters_blocks_all_until_good_records_come(bank: Bank) -> None:
    bank.send(TRANSACTIONS, *({"customer_id": f"c{number}"} for number in range(200)))
    bank.wait_for("blocked", "dead letters: more than 10 % of the newest transactions are refused")
    bank.send(TRANSACTIONS, *(bank.transaction(bank.now) for _ in range(250)))
    bank.wait_for("firing")


def test_a_spike_of_copies_blocks_all_until_it_is_over(bank: Bank) -> None:
    bank.send(TOUCHES, *bank.touches(bank.now, "own", 1, 10_000), copies=300)
    bank.wait_for("blocked", "duplicates: more than 20 % of the newest touches are copies")
    bank.wait_for("firing")


def test_transactions_that_stand_while_touches_go_on_block_all_until_they_come(bank: Bank) -> None:
    bank.pass_hours(3, transacts=False)
    bank.wait_for("blocked", "transactions stand")
    bank.send(TRANSACTIONS, bank.transaction(bank.now))
    bank.wait_for("firing")


def test_logins_that_stand_block_nobody(bank: Bank) -> None:
    blocked = "SELECT count() FROM roi.alert_changes WHERE state = 'blocked' AND NOT position(record, 'lag: ')"
    before = bank.cluster.rows(blocked)
    bank.send(LOGINS, bank.login(bank.now))
    bank.pass_hours(5)
    bank.cluster.drain()
    bank.wait_for("firing")
    assert bank.cluster.rows(blocked) == before


def test_a_silent_cost_feed_blocks_its_campaign_until_it_speaks(bank: Bank) -> None:
    bank.pass_hours(24 * 3, pays=False)
    bank.wait_for("blocked", "cost feed silent", ["billed"])
    bank.wait_for("firing", campaigns=["own"])
    bank.send(COSTS, bank.cost(bank.now))
    bank.wait_for("firing")


def test_touches_that_lose_their_cost_block_their_campaign_until_it_is_back(bank: Bank) -> None:
    bank.pass_hours(8, own_cost=0)
    bank.wait_for("blocked", "touches without cost", ["own"])
    bank.wait_for("firing", campaigns=["billed"])
    bank.pass_hours(1)
    bank.wait_for("firing")


def test_a_halted_topic_blocks_all_until_it_is_resumed(bank: Bank) -> None:
    bank.send(TOUCHES, *({"customer_id": f"c{number}"} for number in range(6000)))
    bank.wait_for("blocked", f"halted: {TOUCHES} is not read")
    environment = os.environ | environment_of(bank.cluster.settings)
    command = [sys.executable, "-m", "pipeline", "resume", TOUCHES, "--skip-bad"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    skipped = "SELECT sum(dead_letters) FROM roi.positions WHERE run = 'live' AND topic = 'bank.touches.v1'"
    bank.cluster.wait_until(lambda: bank.cluster.rows(skipped)[0][0] >= 6000, "all bad touches")
    bank.cluster.wait_until(lambda: "halted" not in bank.states()["own"][1], "a look at them")
    bank.pass_hours(10)
    bank.send(TOUCHES, *bank.touches(bank.now, "own", 250, 10_000))
    bank.wait_for("firing")
