"""One instance decides, others stand by: claim, leave signs of life, take over from one that has fallen silent.

What makes it safe is the fence in every write; signs of life only tell when to claim. They are watched by this
process's own clock: an instance is silent when its newest sign has not changed for long enough.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from pipeline.alerts.desk import insistently
from pipeline.ledger.ledger import LedgerUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.alerts.desk import Desk
    from pipeline.alerts.store import AlertStore
    from pipeline.alerts.telemetry import AlertTelemetry

_BEATS_PER_SILENCE: Final = 6.0
_LONGEST_PAUSE_SECONDS: Final = 1.0
_FAREWELL_SECONDS: Final = 0.5
_log = logging.getLogger(__name__)


def pause_of(standby_seconds: float) -> float:
    """Return the seconds between two signs of life, and between two looks for them."""
    return min(_LONGEST_PAUSE_SECONDS, standby_seconds / _BEATS_PER_SILENCE)


async def until_free(
    store: AlertStore, standby_seconds: float, telemetry: AlertTelemetry, clock: Callable[[], float] = time.monotonic
) -> None:
    """Stand by until nobody decides: there is no sign of life, or it says farewell, or it has not changed for long."""
    seen: tuple[int, int] | None = None
    since = clock()
    while True:
        lease = await insistently(store.lease, lambda why: telemetry.trouble("ClickHouse", why))
        telemetry.watched()
        if lease is None or lease.has_ended:
            return
        if (lease.epoch, lease.beat) != seen:
            seen, since = (lease.epoch, lease.beat), clock()
        elif clock() - since >= standby_seconds:
            _log.info("the deciding instance (epoch %d) has been silent for %.1f s", lease.epoch, clock() - since)
            return
        await asyncio.sleep(pause_of(standby_seconds))


class SignsOfLife:
    """Says every moment that this epoch lives, and learns from the same answers whether it still decides.

    Args:
        store: to write with, this object's alone.
        desk: of the epoch.
        standby_seconds: silence after which others take over.
        describe: what the instance is doing, for `roi status`.
    """

    def __init__(
        self, store: AlertStore, desk: Desk, standby_seconds: float, describe: Callable[[], dict[str, Any]]
    ) -> None:
        self._store = store
        self._desk = desk
        self._pause = pause_of(standby_seconds)
        self._beat = 0
        self._describe = describe

    async def run(self) -> None:
        """Beat for ever; FencedError: another instance decides."""
        while True:
            try:
                asked = time.monotonic()
                newest = await asyncio.to_thread(self._once, self._describe())
                self._desk.confirmed(newest, asked)
            except LedgerUnavailableError as error:
                _log.warning("no sign of life could be left (%s)", error)
            await asyncio.sleep(self._pause)

    async def farewell(self) -> None:
        """Say that this instance ends, so that another takes over at once; unheard, it takes over a little later."""
        with suppress(LedgerUnavailableError, TimeoutError):
            await asyncio.wait_for(asyncio.to_thread(self._once, self._describe() | {"ended": True}), _FAREWELL_SECONDS)

    def _once(self, body: dict[str, Any]) -> int:
        self._beat += 1
        self._store.beat(self._desk.epoch, self._beat, body)
        return self._store.newest_epoch()
