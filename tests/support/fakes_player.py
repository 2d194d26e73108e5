"""`CorePlayer` over a ledger in memory: fast enough for properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.core_player import CorePlayer
from tests.support.fakes import FakeLedger, LedgerStore
from tests.support.fakes_views import views_of

if TYPE_CHECKING:
    from pipeline.state.policy import Policy
    from tests.oracle.log import Log, Record
    from tests.support.fakes import RunTables

RUN = "live"


class MemoryPlayer(CorePlayer):
    """A worker of one test over `LedgerStore`; ``now_ms`` is its wall clock, None in a replay."""

    def __init__(self, policy: Policy, log: Log, *, now_ms: int | None = None) -> None:
        self.store = LedgerStore()
        self._now_ms = now_ms
        super().__init__(None, "roi", RUN, policy, log)

    def open_ledger(self, owner: str) -> FakeLedger:
        return FakeLedger(self.store, RUN, owner)

    def feed(self, records: list[Record], now_ms: int | None = None) -> None:
        super().feed(records, self._now_ms if now_ms is None else now_ms)

    @property
    def tables(self) -> RunTables:
        """What is in the database."""
        return self.store.tables(RUN)

    def views(self) -> dict[str, list[dict[str, Any]]]:
        return views_of(self.tables)
