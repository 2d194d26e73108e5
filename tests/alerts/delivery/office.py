"""A desk with its evaluator on the store in memory, and delivery to receivers on loopback."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from pipeline.alerts.actions import Action
from pipeline.alerts.delivery.senders import open_senders
from pipeline.alerts.desk import Desk
from pipeline.alerts.evaluator import Evaluator
from pipeline.alerts.log import Notification
from pipeline.alerts.service import addressing_of, conduct_of, moment
from pipeline.settings import Settings
from tests.alerts.building import AT_ONCE, HOUR, T0, look
from tests.support.fakes_alerts import AlertTables, FakeAlertStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pipeline.alerts.lifecycle import Change
    from pipeline.alerts.record import Look

KEY: Final = b"0123456789abcdef01234567"
SECRET: Final = "whsec_" + base64.b64encode(KEY).decode()


def fires(campaign_id: str = "spring", **values: Any) -> Look:
    return look("below", rule=AT_ONCE, campaign_id=campaign_id, **values)


def recovers(campaign_id: str = "spring", **values: Any) -> Look:
    return look("above", T0 + HOUR, rule=AT_ONCE, campaign_id=campaign_id, **values)


def webhook(port: int, **others: Any) -> dict[str, Any]:
    return {"url": f"webhook+http://127.0.0.1:{port}/hook?key=sesame-open", "secret": SECRET, **others}


def settings_of(receivers: dict[str, dict[str, Any]], **alerts: Any) -> Settings:
    quick = {"receivers": tuple(receivers), "group_seconds": 0.05, "retry_hours": 0.001}
    return Settings(receivers=receivers, alerts=quick | alerts)


class Office:
    """What an instance of the evaluator is made of, without ClickHouse and Kafka."""

    def __init__(self, settings: Settings, tables: AlertTables | None = None, owner: str = "first") -> None:
        self.settings = settings
        self.tables = tables or AlertTables()
        self.store = FakeAlertStore(self.tables, owner)
        self.desk = Desk(self.store, self.store.claim(), self.store.load())
        self.counted: Counter[str] = Counter()
        self.evaluator = Evaluator(
            self.desk,
            conduct_of(settings, self.store.installation()),
            addressing_of(settings),
            repeat_seconds=settings.alerts.repeat_minutes * 60,
            told=self,
            now=moment,
        )

    def changed(self, change: Change) -> None:
        self.counted[change.record.state] += 1

    def acted(self, outcome: str, count: int) -> None:
        self.counted[outcome] += count

    def notified(self, outcome: str, count: int = 1) -> None:
        self.counted[outcome] += count

    def messages(self) -> list[str]:
        """Return the ids of all messages of the outbox, in the order of their making."""
        return [row.id for _, row in self.tables.log.values() if row.kind == "message"]

    def notices(self, receiver: str) -> list[Notification]:
        told = (Notification.of(row) for _, row in self.tables.log.values() if row.kind == "notification")
        return [one for one in told if one.receiver == receiver]

    async def ask(self, kind: str, alert_id: str = "", **body: Any) -> None:
        one = Action(f"act-{len(self.tables.actions)}", alert_id, kind, "lin", body, 0)
        self.tables.actions.append(one)
        await self.evaluator.apply(self.store.actions())

    async def until(self, receiver: str, *states: str) -> list[Notification]:
        """Wait until all notices of a receiver are in these states, and return them."""
        news = self.desk.listener()
        async with asyncio.timeout(30):
            while not (found := self.notices(receiver)) or {one.state for one in found} - set(states):
                news.clear()
                await news.wait()
        return found

    @asynccontextmanager
    async def delivering(self) -> AsyncIterator[None]:
        """Run delivery as long as the test needs it."""
        tasks = [asyncio.create_task(sender(self.desk)) for sender in open_senders(self.settings, self)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results), results
