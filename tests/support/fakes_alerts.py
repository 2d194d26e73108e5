"""The store of alerts in memory, behind the same contract suite as the one in ClickHouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pipeline.alerts.log import LogRow, Notification
from pipeline.alerts.store import Lease
from pipeline.errors import FencedError
from pipeline.ledger.ledger import LedgerUnavailableError
from tests.support.fakes_native import NativeReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.alerts.actions import Action
    from pipeline.alerts.store import Write


class AlertTables:
    """The tables, which several stores open."""

    def __init__(self) -> None:
        self.claims: list[tuple[int, str]] = []
        self.installation = uuid4().hex
        self.log: dict[tuple[str, str], tuple[int, LogRow]] = {}
        self.actions: list[Action] = []
        self.leases: list[Lease] = []


class FakeAlertStore:
    """One instance's view of the tables."""

    def __init__(self, tables: AlertTables, owner: str) -> None:
        self.owner = owner
        self.tables = tables
        self.is_away = False
        self.loses_answers = 0
        self.after_write: Callable[[], None] = lambda: None

    def claim(self) -> int:
        self._reach()
        epoch = max((epoch for epoch, _ in self.tables.claims), default=0) + 1
        self.tables.claims.append((epoch, self.owner))
        return epoch

    def installation(self) -> str:
        self._reach()
        return self.tables.installation

    def load(self) -> list[LogRow]:
        self._reach()
        rows = [row for _, row in self.tables.log.values() if self._is_live(row)]
        return sorted(rows, key=lambda row: (row.kind, row.at_ms, row.id))

    def dead(self) -> list[LogRow]:
        self._reach()
        rows = (row for _, row in self.tables.log.values() if row.kind == "notification" and row.state == "dead")
        return sorted(rows, key=lambda row: (row.at_ms, row.id))

    def last_sent(self) -> dict[str, int]:
        self._reach()
        told = [Notification.of(row) for _, row in self.tables.log.values() if row.kind == "notification"]
        sent = [one for one in told if one.sent_ms is not None and one.message_type != "test"]
        return {one.receiver: max(o.sent_ms or 0 for o in sent if o.receiver == one.receiver) for one in sent}

    def write(self, write: Write) -> None:
        self._reach()
        rivals = [epoch for epoch, owner in self.tables.claims if epoch >= write.epoch + (owner == self.owner)]
        if rivals:
            raise FencedError("another instance decides about alerts")
        for row, version in _decoded(write):
            known = self.tables.log.get((row.kind, row.id))
            if known is None or known[0] <= version:
                self.tables.log[row.kind, row.id] = version, row
        if self.loses_answers:
            self.loses_answers -= 1
            raise LedgerUnavailableError("the answer was lost")
        self.after_write()

    def actions(self) -> list[Action]:
        self._reach()
        known = {key for kind, key in self.tables.log if kind == "action"}
        waiting = (action for action in self.tables.actions if action.action_id not in known)
        return sorted(waiting, key=lambda action: (action.at_ms, action.action_id))

    def newest_epoch(self) -> int:
        self._reach()
        return max((epoch for epoch, _ in self.tables.claims), default=0)

    def beat(self, epoch: int, beat: int, body: dict[str, Any]) -> None:
        self._reach()
        self.tables.leases.append(Lease(epoch, self.owner, beat, body, 0.0))

    def lease(self) -> Lease | None:
        self._reach()
        return max(self.tables.leases, key=lambda lease: (lease.epoch, lease.beat), default=None)

    def _reach(self) -> None:
        if self.is_away:
            raise LedgerUnavailableError("away")

    @staticmethod
    def _is_live(row: LogRow) -> bool:
        return (
            row.kind == "alert"
            or (row.kind == "silence" and row.state == "active")
            or (row.kind in {"message", "notification"} and row.state == "waiting")
        )


def _decoded(write: Write) -> list[tuple[LogRow, int]]:
    ((_, rows),) = NativeReader(write.body).blocks()
    return [(LogRow(*row[:-1]), row[-1]) for row in rows]
