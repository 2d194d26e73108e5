from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.oracle.building import Ledger
from tests.replay.comparing import differences
from tests.replay.running import replay
from tests.support.cluster import Cluster, running_cluster
from tests.support.kafka import running_tansu
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]
SOON = {"ROI_TIME__IDLE_MINUTES": "0.02", "ROI_TIME__FUTURE_MINUTES": "10"}
TAKEOVERS = "SELECT label, at FROM roi.ledger FINAL WHERE run = '{run}' AND kind = 'takeover' ORDER BY label"


@pytest.fixture
@starts_process
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with (
        running_tansu() as bootstrap,
        running_cluster(bootstrap, tmp_path, "only-life", partitions=1, environment=SOON) as running,
    ):
        yield running


def test_what_live_decided_by_its_clock_is_repeated_without_one(cluster: Cluster) -> None:
    ledger = Ledger()
    ledger.touch("first", "2026-03-01 09:00")
    ledger.pay("far ahead", "2036-03-01 10:00")  # must not drag the watermark to where all else is too late
    ledger.pay("later", "2026-03-20 10:00")
    cluster.start_worker()
    cluster.produce(ledger.records)
    cluster.drain()
    cluster.wait_until(lambda: len(cluster.rows(TAKEOVERS.format(run="live"))) == 2, "the take-over of silent topics")
    ledger.touch("in time for its topic alone", "2026-03-02 09:00")
    cluster.produce(ledger.records[3:])
    cluster.drain()
    reasons = dict(cluster.rows("SELECT offset, reason FROM roi.dead_letters WHERE run = 'live'"))
    assert sorted(reasons.values()) == ["from_the_future", "too_late"], "the clock must have decided something"
    replay(cluster, "again")
    assert differences(cluster, "again") == {}
    assert cluster.rows(TAKEOVERS.format(run="again")) == [("bank.logins.v1", 0), ("bank.touches.v1", 1)]
