from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

from pipeline.ledger.ledger import ClickHouseLedger
from tests.support.fakes import Claim, FakeLedger, LedgerStore

if TYPE_CHECKING:
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
            f"INSERT INTO roi.claims (run, shard, epoch, owner) VALUES ('{self._run}', {shard}, {epoch}, '{owner}')"
        )

    def row_count(self) -> int:
        return int(self._client.command(f"SELECT count() FROM roi.ledger FINAL WHERE run = '{self._run}'"))


@pytest.fixture(params=["fake", pytest.param("clickhouse", marks=pytest.mark.process)])
def bench(request: pytest.FixtureRequest, run_name: str) -> Bench:
    if request.param == "fake":
        return FakeBench(run_name)
    return ClickHouseBench(request.getfixturevalue("clickhouse"), run_name)


@pytest.fixture(params=["fake", pytest.param("clickhouse", marks=pytest.mark.process)])
def benches(request: pytest.FixtureRequest, run_name: str) -> list[Bench]:
    """Two of the same kind, with a run each."""
    runs = f"{run_name}-one", f"{run_name}-other"
    if request.param == "fake":
        return [FakeBench(run) for run in runs]
    return [ClickHouseBench(request.getfixturevalue("clickhouse"), run) for run in runs]


@pytest.fixture
def ledger(bench: Bench) -> LedgerPort:
    """The first owner's ledger, with shards 0 and 3 claimed."""
    first = bench.open("first")
    assert first.claim([0, 3]) == {0: 1, 3: 1}
    return first
