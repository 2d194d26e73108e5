from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from schemas import topics
from tests.oracle.building import Ledger
from tests.oracle.log import Record
from tests.replay.running import roi
from tests.support.cluster import Cluster, running_cluster
from tests.support.kafka import running_tansu
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]
HALTED = "SELECT count() FROM roi.halted_topics WHERE run = 'live'"


@pytest.fixture
@starts_process
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with running_tansu() as bootstrap, running_cluster(bootstrap, tmp_path, "only-life", partitions=1) as running:
        yield running


def test_a_halted_topic_is_told_first_and_compared_as_far_as_live_has_read_it(cluster: Cluster) -> None:
    ledger = Ledger()
    for day in range(1, 5):
        ledger.touch(f"t{day}", f"2026-03-0{day} 09:00", cost_minor=3)
        ledger.pay(f"p{day}", f"2026-03-0{day} 10:00")
    cluster.start_worker()
    cluster.produce(ledger.records)
    cluster.drain()
    cluster.produce(Record(topics.TOUCHES, 0, place, b"ann", b"no json") for place in range(1_500))
    cluster.wait_until(lambda: cluster.rows(HALTED) == [(1,)], "the halt of the topic")
    sent = len(ledger.records)
    ledger.pay("p5", "2026-03-05 10:00")
    ledger.touch("t5", "2026-03-05 09:00", cost_minor=3)  # behind what halted the topic: nobody counts it
    cluster.produce(ledger.records[sent:])
    paid = f"SELECT next_offset FROM roi.positions WHERE run = 'live' AND topic = '{topics.TRANSACTIONS}'"
    cluster.wait_until(lambda: cluster.rows(paid) == [(5,)], "the payment")
    ended = roi(cluster, "replay", "--run", "again", "--verify")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"live is halted on {topics.TOUCHES}" in ended.stdout.splitlines()[1]
    assert f"until roi resume {topics.TOUCHES}" in ended.stdout
    answer = json.loads(roi(cluster, "replay", "--run", "again", "--resume", "--verify", "--json").stdout)["verify"]
    assert [halt["topic"] for halt in answer["halted"]] == [topics.TOUCHES]
    touches = "SELECT sum(touches) FROM roi.campaign_totals WHERE run = 'again'"
    assert cluster.rows(touches) == [(4,)]
