from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

from pipeline.clickhouse.connection import connect
from pipeline.ledger.ledger import ClickHouseLedger
from pipeline.settings import Settings
from tests.support.endpoint import running_endpoint
from tests.support.fakes import Claim, FakeLedger, LedgerStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.ledger.ledger import LedgerPort


class Bench(Protocol):
    """One database that several owners open, and a look into it."""

    def open(self, owner: str) -> LedgerPort: ...
    def insert_claim(self, shard: int, epoch: int, owner: str) -> None: ...
    def row_count(self) -> int: ...


class FakeBench:
    def __init__(self, run: str) -> None:
        self._store = LedgerStore()
        self._run = run

    def open(self, owner: str) -> FakeLedger:
        return FakeLedger(self._store, self._run, owner)

    def insert_claim(self, shard: int, epoch: int, owner: str) -> None:
        self._store.tables(self._run).claims.append(Claim(shard, epoch, owner))

    def row_count(self) -> int:
        return len(self._store.tables(self._run).rows)


class ClickHouseBench:
    def __init__(self, client: Any, run: str) -> None:
        self._client = client
        self._run = run

    def open(self, owner: str) -> ClickHouseLedger:
        return ClickHouseLedger(self._client, "roi", self._run, owner)

    def insert_claim(self, shard: int, epoch: int, owner: str) -> None:
        self._client.command(
            "INSERT INTO roi.claims (run, shard, epoch, owner) VALUES"
            f" ('{self._run}', {shard}, {epoch}, '{owner}')")

    def row_count(self) -> int:
        return int(self._client.command(f"SELECT count() FROM roi.ledger FINAL WHERE run = '{self._run}'"))


@pytest.fixture(params=["fake", "clickhouse"])
def bench(request: pytest.FixtureRequest, run_name: str) -> Bench:
    if request.param == "fake":
        return FakeBench(run_name)
    return ClickHouseBench(request.getfixturevalue("clickhouse"), run_name)


@pytest.fixture
def ledger(bench: Bench) -> LedgerPort:
    """The first owner's ledger, with shards 0 and 3 claimed."""
    first = bench.open("first")
    assert first.claim([0, 3]) == {0: 1, 3: 1}
    return first


@pytest.fixture(scope="session")
def spare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of a second ClickHouse, whose database a test may drop."""
    with running_endpoint(tmp_path_factory.mktemp("spare")) as endpoint:
        yield Settings(
            clickhouse_url=endpoint.url, clickhouse_password=endpoint.reader_password,
            clickhouse_writer_password=endpoint.writer_password)


@pytest.fixture(scope="session")
def spare_client(spare: Settings) -> Iterator[Any]:
    client = connect(spare, "writer")
    yield client
    client.close()
