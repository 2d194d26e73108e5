from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipeline.clickhouse.connection import connect
from schemas import topics
from tests.oracle.building import Ledger
from tests.replay.running import replay, roi
from tests.support.cluster import Cluster, running_cluster
from tests.support.kafka import running_tansu
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
@starts_process
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with running_tansu() as bootstrap, running_cluster(bootstrap, tmp_path, "only-life", partitions=1) as running:
        yield running


def events_of(ledger: Ledger, customer: str, day: int) -> None:
    """Append a dear touch, a credited transaction, a login, and two records that are dead letters."""
    ledger.touch(f"t-{customer}-{day}", f"2026-03-{day:02} 09:00", customer_id=customer, cost_minor=7)
    ledger.pay(f"x-{customer}-{day}", f"2026-03-{day:02} 10:00", customer_id=customer)
    ledger.login(f"2026-03-{day:02} 08:0{'abc'.index(customer[0])}", customer_id=customer)
    ledger.touch(f"b-{customer}-{day}", f"2026-03-{day:02} 09:00", customer_id=customer, cost_minor=-1)
    ledger.send(topics.TRANSACTIONS, customer, {"customer_id": customer})


def test_what_is_left_of_erased_customers_is_left_out_and_told_and_nothing_else(cluster: Cluster) -> None:
    ledger = Ledger()
    ledger.campaign()
    for customer, day in (("ann", 1), ("bob", 2), ("cat", 3), ("ann", 4)):
        events_of(ledger, customer, day)
    cluster.start_worker()
    cluster.produce(ledger.records)
    cluster.drain()
    before = roi(cluster, "replay", "--run", "before", "--verify")
    assert (before.returncode, "has erased" in before.stdout) == (0, False), before.stdout
    for customer in ("bob", "cat"):
        assert roi(cluster, "erase", customer).returncode == 0
    sent = len(ledger.records)
    ledger.send(topics.TRANSACTIONS, "cat", {"customer_id": "cat"})  # is left out by live, and so by the replay
    cluster.produce(ledger.records[sent:])
    cluster.drain()
    sent = len(ledger.records)
    ledger.customer("cat", "b")
    cluster.produce(ledger.records[sent:])
    state = "SELECT count() FROM roi.erasures WHERE run = 'live' AND state = 'revived'"
    cluster.wait_until(lambda: cluster.rows(state) == [(1,)], "the return of one")
    sent = len(ledger.records)
    events_of(ledger, "cat", 5)
    cluster.produce(ledger.records[sent:])
    cluster.drain()
    ended = roi(cluster, "replay", "--run", "again", "--verify")
    assert ended.returncode == 0, ended.stdout
    assert "live has erased 2 customers; what is left of them is left out" in ended.stdout
    assert "4 of dead_letters" in ended.stdout
    answer = json.loads(roi(cluster, "replay", "--run", "again", "--resume", "--verify", "--json").stdout)["verify"]
    left_out = {view["view"]: view["left_out"] for view in answer["views"] if view["left_out"]}
    assert left_out["dead_letters"] == 4, "two of bob, and cat's two of before the return"
    assert left_out == {"dead_letters": 4, "cost_days": 2}, "days on which nothing else was spent"
    assert answer["erased"] == 2
    assert all(view["live"] - view["left_out"] == view["again"] for view in answer["views"])
    # of a run that was counted before the erasure the rows differ, and a letter that is missing is missing
    assert roi(cluster, "replay", "--run", "before", "--resume", "--verify").returncode == 1
    replay(cluster, "spoilt")
    lost = "ALTER TABLE roi.ledger DELETE WHERE run = 'spoilt' AND kind = 'dead_letter' AND source = 1"
    client = connect(cluster.settings, "writer")
    client.command(f"{lost} SETTINGS mutations_sync = 2")
    client.close()
    spoilt = json.loads(roi(cluster, "replay", "--run", "spoilt", "--resume", "--verify", "--json").stdout)["verify"]
    assert {view["view"]: view["differing"] for view in spoilt["views"] if view["differing"]} == {"dead_letters": 2}
