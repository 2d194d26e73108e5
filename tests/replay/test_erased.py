from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.transport.admin import TopicAdmin
from schemas.topics import CUSTOMERS, EVENT_TOPICS
from tests.oracle.building import Ledger
from tests.replay.comparing import differences
from tests.replay.running import replay, roi
from tests.support.cluster import Cluster, running_cluster
from tests.support.kafka import running_tansu
from tests.support.processes import starts_process

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.oracle.log import Record

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]
READ = f"SELECT sum(next_offset) FROM roi.positions WHERE run = 'live' AND topic = '{CUSTOMERS}'"
HASHES = "SELECT DISTINCT customer FROM roi.ledger FINAL WHERE run = '{run}' AND kind IN ('touch', 'transaction')"


@pytest.fixture
@starts_process
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with running_tansu() as bootstrap, running_cluster(bootstrap, tmp_path, "only-life", partitions=1) as running:
        yield running


def events_of(ledger: Ledger, customer: str, day: int) -> None:
    """Append a touch, a transaction that it is credited with and a login of a day."""
    ledger.touch(f"t-{customer}-{day}", f"2026-03-0{day} 09:00", customer_id=customer)
    ledger.pay(f"x-{customer}-{day}", f"2026-03-0{day} 10:00", customer_id=customer)
    ledger.login(f"2026-03-0{day} 08:0{'abc'.index(customer[0])}", customer_id=customer)


def test_erased_customers_stay_out_and_those_who_came_back_count_from_there(cluster: Cluster) -> None:
    ledger = Ledger()
    ledger.campaign()
    for customer in ("ann", "bob", "cat"):
        ledger.customer(customer, "a")
        events_of(ledger, customer, 1)
    sent = 0

    def send() -> None:
        nonlocal sent
        new: list[Record] = ledger.records[sent:]
        sent = len(ledger.records)
        cluster.produce(record for record in new if record.topic not in EVENT_TOPICS)
        with TopicAdmin(cluster.settings) as admin:
            end = sum(admin.end_offsets((CUSTOMERS,)).values())
        cluster.wait_until(lambda: cluster.rows(READ)[0][0] >= end, "the profiles")
        cluster.produce(record for record in new if record.topic in EVENT_TOPICS)
        cluster.drain()

    cluster.start_worker()
    send()
    for customer in ("bob", "cat"):
        assert roi(cluster, "erase", customer).returncode == 0
    for customer in ("ann", "bob", "cat"):
        events_of(ledger, customer, 2)  # left out of those two
    send()
    ledger.customer("cat", "b")
    for customer in ("ann", "bob", "cat"):
        events_of(ledger, customer, 3)
    send()
    replay(cluster, "again")
    assert differences(cluster, "again") == {}
    assert len(cluster.rows(HASHES.format(run="again"))) == len(cluster.rows(HASHES.format(run="live"))) == 2
    (returned,) = cluster.rows("SELECT count() FROM roi.ledger FINAL WHERE run = 'again' AND kind = 'touch'")
    assert returned[0] == 4, "three of ann and the one that cat had after coming back"
