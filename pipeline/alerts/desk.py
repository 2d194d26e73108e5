"""The deciding instance's desk: what is durable about alerts, mirrored in memory, and the one way to write.

Whoever sends things works on what waits here: `messages` go to Kafka (`pipeline.alerts.publishing`), `notifications` to
receivers (`pipeline.alerts.delivery`). The port of a sender is: wait for `news`, take what waits, `confirm` that this
instance still decides, send, `write` the rows of what became of it. A crash in between sends again, under the same id.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final, TypeVar

from pipeline.alerts.log import WAITING, LogRow, Message, Notification
from pipeline.alerts.record import AlertRecord, record_of
from pipeline.alerts.silences import Silence
from pipeline.alerts.store import encode
from pipeline.backoff import Backoff
from pipeline.errors import FencedError
from pipeline.ledger.ledger import LedgerUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipeline.alerts.store import AlertStore

T = TypeVar("T")
WAITS: Final = Backoff(first_seconds=0.1, longest_seconds=2.0)
_log = logging.getLogger(__name__)


class Desk:
    """What one epoch of the deciding instance knows and does.

    Args:
        store: to write with; nobody else uses it at the same time.
        epoch: of this instance's claim.
        rows: what the store held after the claim.
        trouble: told why writing fails, '' = it works (again).
        clock: monotonic seconds.

    Attributes:
        records: the current alert by campaign.
        alerts: every alert by id, also those that newer ones have replaced.
        silences: those in force by id.
        messages: those that Kafka has not got by id, oldest first.
        notifications: those that wait to be sent, by id, oldest first.
        turn: held by whoever reads alerts to change them, until the change is durable.
        news: set by every write; whoever waits for it clears it.
    """

    def __init__(
        self,
        store: AlertStore,
        epoch: int,
        rows: Iterable[LogRow],
        *,
        trouble: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.epoch = epoch
        self._store = store
        self._trouble = trouble
        self._clock = clock
        self._number = 0
        self._confirmed = clock()
        self._writing = asyncio.Lock()
        self.turn = asyncio.Lock()
        self._listeners: list[asyncio.Event] = []
        self.records: dict[str, AlertRecord] = {}
        self.alerts: dict[str, AlertRecord] = {}
        self.silences: dict[str, Silence] = {}
        self.messages: dict[str, Message] = {}
        self.notifications: dict[str, Notification] = {}
        for row in rows:
            self._take(row)
        self.messages = dict(sorted(self.messages.items(), key=lambda item: (item[1].at_ms, item[1].number)))

    def listener(self) -> asyncio.Event:
        """Return an event of the caller's own that every write sets."""
        event = asyncio.Event()
        event.set()
        self._listeners.append(event)
        return event

    def enter(self, records: Iterable[AlertRecord]) -> None:
        """Take alerts as they are now, durable or not: looks move on without a write of their own."""
        for record in records:
            self.alerts[record.alert_id] = record
            self.records[record.campaign_id] = record

    async def write(self, rows: Sequence[LogRow]) -> None:
        """Make rows durable, all or nothing, however long ClickHouse is away.

        Raises:
            FencedError: another instance decides; nothing was written.
        """
        async with self._writing:
            self._number += 1
            write = encode(rows, self.epoch, self._number)
            await insistently(lambda: self._store.write(write), self._trouble)
            self._confirmed = self._clock()
            for row in rows:
                self._take(row)
        for event in self._listeners:
            event.set()

    async def dead_notifications(self) -> list[Notification]:
        """Return the notifications that were given up."""
        async with self._writing:
            return [Notification.of(row) for row in await insistently(self._store.dead, self._trouble)]

    async def last_sent(self) -> dict[str, int]:
        """Return when (wall clock, epoch milliseconds) each receiver got its newest message."""
        async with self._writing:
            return await insistently(self._store.last_sent, self._trouble)

    async def confirm(self, seconds: float = 1.0) -> None:
        """Return if this instance decides, by an answer of ClickHouse that is no older than so many seconds.

        Raises:
            FencedError: another one does; one that was frozen learns it here before it sends anything.
        """
        if self._clock() - self._confirmed <= seconds:
            return
        async with self._writing:
            asked = self._clock()
            self.confirmed(await insistently(self._store.newest_epoch, self._trouble), asked)

    def confirmed(self, newest_epoch: int, asked: float) -> None:
        """Note what ClickHouse said of the newest claim, when asked at an instant of the clock."""
        if newest_epoch != self.epoch:
            raise FencedError("another instance decides about alerts")
        self._confirmed = max(self._confirmed, asked)

    def _take(self, row: LogRow) -> None:
        if row.kind == "alert":
            if row.id not in self.alerts:  # what is here already is newer, with what is never written
                self._take_alert(record_of(row.body))
        elif row.kind == "silence":
            _keep(self.silences, row.id, Silence.of(row), row.state == "active")
        elif row.kind == "message":
            _keep(self.messages, row.id, Message.of(row), row.state == WAITING)
        elif row.kind == "notification":
            _keep(self.notifications, row.id, Notification.of(row), row.state == WAITING)

    def _take_alert(self, record: AlertRecord) -> None:
        self.alerts[record.alert_id] = record
        current = self.records.get(record.campaign_id)
        if current is None or current.number < record.number:
            self.records[record.campaign_id] = record


def _keep(place: dict[str, T], key: str, value: T, waits: bool) -> None:  # noqa: FBT001 - what becomes of it
    if waits:
        place[key] = value
    else:
        place.pop(key, None)


async def insistently(call: Callable[[], T], trouble: Callable[[str], None]) -> T:
    """Repeat a blocking call of the store, in a thread, until its outcome is known."""
    failures = 0
    while True:
        try:
            answer = await asyncio.to_thread(call)
        except LedgerUnavailableError as error:
            failures += 1
            trouble(str(error))
            _log.warning("ClickHouse does not answer (%s), trying again", error)
            await asyncio.sleep(WAITS.delay(failures))
        else:
            trouble("")
            return answer
