"""Keeps the analyses of experiments up to date, beside the alerts: the deciding instance repeats them."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Final

from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.clickhouse.connection import connect
from pipeline.error_words import places
from pipeline.errors import UserError
from pipeline.ledger.ledger import ClickHouseLedger, LedgerUnavailableError
from pipeline.ledger.rows import LIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from pipeline.alerts.desk import Desk
    from pipeline.experiments.refreshing import Due
    from pipeline.settings import Settings

_PAUSE_SECONDS: Final = 20.0
_LEAST_SECONDS: Final = 1.0
"""Between two turns while more experiments may be waiting."""
_SHARE_OF_TIME: Final = 10
"""After an analysis that took long, so many times as long goes by without one."""
_SILENCE_SECONDS: Final = 900
_log = logging.getLogger(__name__)


def experiments_keeper(
    settings: Settings, pause_seconds: float = _PAUSE_SECONDS
) -> Callable[[Desk], Coroutine[Any, Any, None]]:
    """Return what runs while an instance decides, until another does (FencedError)."""

    async def keep(desk: Desk) -> None:
        keeping = Keeping(settings)
        is_waiting = False
        while True:
            await asyncio.sleep(_LEAST_SECONDS if is_waiting else pause_seconds)
            await desk.confirm()
            began = time.monotonic()
            try:
                is_waiting = await asyncio.to_thread(keeping.turn) is not None
            except (UserError, LedgerUnavailableError, ClickHouseError, OSError) as error:
                _log.warning("experiments are not analysed again yet: %s", error)
                is_waiting = False
            except Exception as error:  # noqa: BLE001 - whatever it is, alerts are judged and told beside it
                _log.error("experiments are not analysed again yet: %s", places(error))
                is_waiting = False
            await asyncio.sleep((_SHARE_OF_TIME - 1) * (time.monotonic() - began))

    return keep


class Keeping:
    """Analyses one experiment of a run a turn, the one that has waited longest."""

    def __init__(self, settings: Settings, run: str = LIVE) -> None:
        self._settings = settings
        self._run = run
        self._tried: dict[str, int] = {}

    def turn(self) -> str | None:
        """Analyse what has waited longest; return its campaign, None where nothing waits.

        Raises:
            UserError: ClickHouse does not answer, or refuses.
            Exception: whatever came of it; the experiment has had its turn.
        """
        from pipeline.experiments.refreshing import due

        client = connect(self._settings, "writer", silence_seconds=_SILENCE_SECONDS)
        try:
            port = ClickHouseLedger(client, self._settings.clickhouse_database, self._run, "experiments")
            rows = port.fetch("experiments_known")
            waiting = due(rows, self._tried, round(self._settings.experiments.refresh_minutes * 60_000), self._run)
            if not waiting:
                return None
            campaign, clock_ms = waiting[0].asked.campaign_id, int(rows[0][-1])
            try:
                self._analyse(client, port, waiting[0], clock_ms=clock_ms)
            except Exception:  # perhaps of this experiment alone, which must not keep all others waiting
                self._tried[campaign] = clock_ms
                raise
            return campaign
        finally:
            client.close()

    def _analyse(self, client: Any, port: ClickHouseLedger, one: Due, *, clock_ms: int) -> None:
        from pipeline.experiments.asking import analysis_of
        from pipeline.experiments.rows import day_rows, result_rows
        from pipeline.experiments.storing import store

        campaign = one.asked.campaign_id
        try:
            analysis = analysis_of(port, self._settings, one.asked)
        except UserError as error:  # nobody is assigned yet, or there is nothing to compare
            _log.info("experiment %s: %s", campaign, error.cause)
            self._tried[campaign] = clock_ms
            return
        rows, days = result_rows(self._run, campaign, analysis), day_rows(self._run, campaign, analysis)
        store(client, self._settings.clickhouse_database, one.asked, rows, days)
