"""`roi alerts run` as a process: settings in, running until told to stop."""

from __future__ import annotations

import asyncio
import logging
import traceback
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final

from pipeline.alerts.delivery.senders import open_senders
from pipeline.alerts.publishing import KafkaPublisher
from pipeline.alerts.service import Parts, serve
from pipeline.alerts.store import ClickHouseAlertStore
from pipeline.alerts.telemetry import AlertTelemetry
from pipeline.clickhouse.connection import connect
from pipeline.ending import Ending, run_until_ended
from pipeline.error_words import describe as describe_error
from pipeline.errors import PipelineError
from pipeline.evaluator.experiments import experiments_keeper
from pipeline.evaluator.opening import open_looks
from pipeline.worker.monitoring import MonitoringServer, monitoring_app
from pipeline.worker.patience import patiently

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from pipeline.alerts.store import AlertStore
    from pipeline.settings import Settings

_ORDER_SECONDS: Final = 3.0
_THREADS: Final = 32  # each may wait for something that is frozen
_log = logging.getLogger(__name__)


def run(settings: Settings, ending: Ending | None = None) -> int:
    """Run an instance of the evaluator until SIGINT or SIGTERM; return the exit code.

    Args:
        settings: everything it needs to know.
        ending: what has heard the signals from the process's beginning on; none = they are heard from now on.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("kafka").setLevel(logging.WARNING)  # it tells of every connection
    work: Callable[[asyncio.Event], Coroutine[Any, Any, None]] = partial(_run, settings)
    try:
        return run_until_ended(work, ending or Ending(), _ORDER_SECONDS)
    except Exception as error:  # noqa: BLE001 - of a group of tasks, or a bug
        first = _first(error)
        if isinstance(first, PipelineError):
            raise first from None
        traceback.print_exc()  # a bug of ours: its last line is what `roi status` quotes
        _log.critical("the evaluator ends: %s", describe_error(first))
        return 1


async def _run(settings: Settings, stop: asyncio.Event) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS))
    telemetry = AlertTelemetry()
    senders = open_senders(settings, telemetry)  # complains of receivers before anything is begun
    if settings.experiments.refresh_minutes > 0:
        senders.append(experiments_keeper(settings))

    async def open_store(owner: str) -> AlertStore:
        client = await patiently("ClickHouse", partial(asyncio.to_thread, connect, settings, "writer"))
        return ClickHouseAlertStore(client, settings.clickhouse_database, owner)

    monitoring = MonitoringServer(
        monitoring_app(telemetry.registry, telemetry),
        settings.alerts.metrics_host,
        settings.alerts.metrics_port,
        "ALERTS",
    )
    with monitoring:
        _log.info("metrics on http://%s:%d/metrics, and /healthz", settings.alerts.metrics_host, monitoring.port)
        parts = Parts(
            open_store=open_store,
            looks=await patiently("ClickHouse", partial(asyncio.to_thread, open_looks, settings)),
            publisher=KafkaPublisher(settings),
            senders=senders,
            telemetry=telemetry,
        )
        await serve(settings, parts, stop)


def _first(error: Exception) -> Exception:
    """Return what went wrong first in a group of tasks."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
