"""Where alerts are remembered: one fenced writer, and the actions that people hand in.

Only the instance that holds the newest claim writes alert_log, and each write is one INSERT: a change of state, its
entry in the history, its messages and its notifications are there together or not at all. A write is encoded once and
repeated as it is until its outcome is known; its rows carry one version, so a repetition changes nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from pipeline.alerts.actions import Action
from pipeline.alerts.log import LogRow
from pipeline.clickhouse import sql
from pipeline.clickhouse.native import NativeTable
from pipeline.errors import FencedError
from pipeline.ledger.ledger import ONE_BLOCK, ClickHouseLedger, LedgerUnavailableError, short

if TYPE_CHECKING:
    from collections.abc import Sequence

RUN: Final = "alerts"
_SHARD: Final = 0
_COLUMNS: Final = (
    ("kind", "String"),
    ("id", "String"),
    ("alert_id", "String"),
    ("campaign_id", "String"),
    ("state", "String"),
    ("at", "Int64"),
    ("body", "String"),
    ("version", "UInt64"),
)
_STRUCTURE: Final = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS)
_TABLE: Final = NativeTable(_COLUMNS)
_EPOCH_SHIFT: Final = 32


@dataclass(frozen=True, slots=True)
class Write:
    """Encoded rows; never encoded anew, whatever happens to them."""

    number: int
    epoch: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Lease:
    """The newest sign of life of the deciding instance; ``body`` tells what it was doing."""

    epoch: int
    owner: str
    beat: int
    body: dict[str, Any]
    age_seconds: float

    @property
    def has_ended(self) -> bool:
        """Whether that instance has said that it ends."""
        return bool(self.body.get("ended"))


class AlertStore(Protocol):
    """What the evaluator asks of ClickHouse. Calls block and come from one thread at a time.

    Every call but `write` may raise LedgerUnavailableError and be repeated.
    """

    owner: str

    def claim(self) -> int:
        """Become the only one whose writes take effect; return the epoch, greater than any before."""

    def installation(self) -> str:
        """Return what tells these tables from those of any other installation, for as long as they are there."""

    def load(self) -> list[LogRow]:
        """Return every alert, the silences in force, and the messages and notifications that wait."""

    def dead(self) -> list[LogRow]:
        """Return the notifications that were given up."""

    def last_sent(self) -> dict[str, int]:
        """Return when (wall clock, epoch milliseconds) each receiver got its newest message, tests aside."""

    def write(self, write: Write) -> None:
        """Make rows durable, all or nothing.

        Raises:
            FencedError: another instance has claimed; nothing was written.
            LedgerUnavailableError: the outcome is unknown, the same must be written again.
        """

    def actions(self) -> list[Action]:
        """Return what people asked for and nobody has applied or refused, oldest first."""

    def newest_epoch(self) -> int:
        """Return the epoch of the newest claim, 0 = there is none: who has a smaller one decides nothing any more."""

    def beat(self, epoch: int, beat: int, body: dict[str, Any]) -> None:
        """Leave a sign of life."""

    def lease(self) -> Lease | None:
        """Return the newest sign of life of the newest epoch that left one."""


def encode(rows: Sequence[LogRow], epoch: int, number: int) -> Write:
    """Return one write of the rows; ``number`` grows with every write of an epoch."""
    columns = {
        name: [getattr(row, name) for row in rows] for name in ("kind", "id", "alert_id", "campaign_id", "state")
    }
    body = _TABLE.block(
        len(rows),
        {
            **columns,
            "at": [row.at_ms for row in rows],
            "body": [row.body for row in rows],
            "version": epoch << _EPOCH_SHIFT | number,
        },
    )
    return Write(number, epoch, body)


class ClickHouseAlertStore:
    """The store in ClickHouse, as seen by one instance of the evaluator."""

    def __init__(self, client: Any, database: str, owner: str) -> None:
        self.owner = owner
        self._client = client
        self._database = database
        self._ledger = ClickHouseLedger(client, database, RUN, owner)

    def claim(self) -> int:
        """Become the only one whose writes take effect; return the epoch, greater than any before."""
        return self._ledger.claim([_SHARD])[_SHARD]

    def installation(self) -> str:
        """Return what tells these tables from those of any other installation, for as long as they are there."""
        return str(self._ledger.fetch_value("alert_installation"))

    def load(self) -> list[LogRow]:
        """Return every alert, the silences in force, and the messages and notifications that wait."""
        return [LogRow(*row) for row in self._ledger.fetch("alert_log")]

    def dead(self) -> list[LogRow]:
        """Return the notifications that were given up."""
        return [LogRow(*row) for row in self._ledger.fetch("dead_notifications")]

    def last_sent(self) -> dict[str, int]:
        """Return when (wall clock, epoch milliseconds) each receiver got its newest message, tests aside."""
        return {str(receiver): int(sent_ms) for receiver, sent_ms in self._ledger.fetch("last_notifications")}

    def write(self, write: Write) -> None:
        """Make rows durable, all or nothing; FencedError: another instance has claimed, and nothing was written."""
        statement = sql.query("write_alerts", self._database).replace("{structure}", _STRUCTURE)
        parameters = {"run": RUN, "owner": self.owner, "epoch": write.epoch}
        # a repeated attempt gets a name of its own: the first may still be running; a new claim waits for names like it
        attempt = f"roi-block-{self.owner}-{write.number}-{time.monotonic_ns()}"
        try:
            self._client.command(
                statement, parameters=parameters, data=write.body, settings=ONE_BLOCK | {"query_id": attempt}
            )
        except DatabaseError as error:
            if "FENCED" in str(error):
                raise FencedError("another instance decides about alerts") from error
            raise LedgerUnavailableError(short(error)) from error
        except (ClickHouseError, OSError) as error:
            raise LedgerUnavailableError(short(error)) from error

    def actions(self) -> list[Action]:
        """Return what people asked for and nobody has applied or refused, oldest first."""
        return [
            Action(action_id, alert_id, action, by, _object(body), at_ms)
            for action_id, alert_id, action, by, body, at_ms in self._ledger.fetch("alert_actions")
        ]

    def newest_epoch(self) -> int:
        """Return the epoch of the newest claim, 0 = there is none."""
        return int(self._ledger.fetch_value("alert_epoch"))

    def beat(self, epoch: int, beat: int, body: dict[str, Any]) -> None:
        """Leave a sign of life."""
        text = msgspec.json.encode(body).decode()
        self._ledger.execute("beat_alerts", epoch=epoch, owner=self.owner, beat=beat, body=text)

    def lease(self) -> Lease | None:
        """Return the newest sign of life of the newest epoch that left one."""
        for epoch, owner, beat, body, age_ms in self._ledger.fetch("alert_lease"):
            return Lease(epoch, owner, beat, _object(body), age_ms / 1000)
        return None


def _object(text: str) -> dict[str, Any]:
    """Return a JSON object; anything else, which only a foreign hand can have written, is an empty one."""
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}
