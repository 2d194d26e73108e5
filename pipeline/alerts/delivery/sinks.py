"""Sinks beside the receivers: systems that are shown which alerts are open, and never the only path.

They are told what is, not what has changed: after a restart or a fault the next push puts everything right. A sink that
fails is tried again and holds up nothing else.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, Protocol

from pipeline.alerts.delivery.texts import text_of
from pipeline.alerts.silences import silenced_by
from pipeline.backoff import Backoff
from schemas.alerts import OPEN_STATES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.alerts.delivery.texts import Text, Wording
    from pipeline.alerts.desk import Desk
    from pipeline.alerts.record import AlertRecord

TIMEOUT_SECONDS: Final = 20.0
WAITS: Final = Backoff(first_seconds=2.0, longest_seconds=60.0)
_RECENT_MS: Final = 600_000
_log = logging.getLogger(__name__)


class Sink(Protocol):
    """One such system."""

    name: str
    again_seconds: float
    """After so long it is pushed to although nothing has changed."""

    async def push(self, seen: Seen, now_ms: int) -> None:
        """Show what is open and what has ended; may raise anything but what says that this instance is replaced."""


class Seen:
    """The alerts of a desk as sinks see them.

    Attributes:
        alerts: every alert by id.
        open: those that have fired and are not resolved, also while they are blocked.
        silenced: the ids of those among them that are silenced.
    """

    def __init__(self, desk: Desk, now_ms: int) -> None:
        self.alerts: Mapping[str, AlertRecord] = desk.alerts
        self.open = {alert_id: record for alert_id, record in desk.alerts.items() if is_open(record)}
        silences = desk.silences.values()
        self.silenced = {
            name for name, record in self.open.items() if silenced_by(record, silences, now_ms) is not None
        }
        self._now_ms = now_ms

    def recently_resolved(self) -> dict[str, AlertRecord]:
        """Return the alerts that have been resolved within ten minutes."""
        after_ms = self._now_ms - _RECENT_MS
        resolved = (record for record in self.alerts.values() if record.state == "resolved")
        return {record.alert_id: record for record in resolved if record.changed_ms >= after_ms}


def is_open(record: AlertRecord) -> bool:
    """Tell whether an alert has fired and is not resolved."""
    return (record.state_before if record.state == "blocked" else record.state) in OPEN_STATES


def description(record: AlertRecord, board_url: str, wording: Wording) -> Text:
    """Return an alert in words, as receivers are told of it."""
    return text_of([({"type": f"alert.{record.state}", "data": record.data(board_url)}, False)], wording)


async def run_sink(desk: Desk, sink: Sink, now_ms: Callable[[], int]) -> None:
    """Push to a sink for as long as this instance decides; FencedError: another instance decides."""
    news, failures = desk.listener(), 0
    while True:
        news.clear()
        await desk.confirm()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await sink.push(Seen(desk, now_ms()), now_ms())
        except Exception as error:  # noqa: BLE001 - whatever it is, receivers must be told all the same
            failures += 1
            _log.warning("%s was not told (%s)", sink.name, _named(error))
            await asyncio.sleep(WAITS.delay(failures))
            continue
        failures = 0
        try:
            async with asyncio.timeout(sink.again_seconds):
                await news.wait()
        except TimeoutError:
            continue


class PushFailedError(Exception):
    """The system has answered, and not with success; the text is without secrets."""


def _named(error: Exception) -> str:
    """Return what is known of a failure without what libraries say, which may hold addresses."""
    return str(error) if isinstance(error, PushFailedError) else type(error).__name__
