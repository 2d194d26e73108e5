"""A worker process: settings in, running until told to stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import time
import traceback
import uuid
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from aiokafka.errors import KafkaError

from agents.app import build_app, run_app
from pipeline.clickhouse.connection import connect
from pipeline.ending import Ending, run_until_ended
from pipeline.error_words import Telling, places
from pipeline.error_words import describe as describe_error
from pipeline.errors import PipelineError
from pipeline.ledger.ledger import ClickHouseLedger
from pipeline.ledger.rows import LIVE
from pipeline.policies import describe_policy, policy_of
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.transport.dead_letters import DeadLetterProducer
from pipeline.transport.dimensions import DimensionReader
from pipeline.transport.unreadable import UnreadableError
from pipeline.worker.committer import Committer
from pipeline.worker.cores import chosen_core, described_core
from pipeline.worker.dimensions import DimensionTables
from pipeline.worker.erasure import Eraser, erase_for_ever
from pipeline.worker.halts import TopicHalts
from pipeline.worker.lag import LagMeter
from pipeline.worker.logs import KafkaLogs
from pipeline.worker.monitoring import MonitoringServer, monitoring_app
from pipeline.worker.orphans import OrphanRecall
from pipeline.worker.partition_counts import PartitionCounts
from pipeline.worker.patience import patiently
from pipeline.worker.positions import StartingPoints
from pipeline.worker.processor import ShardProcessor
from pipeline.worker.telemetry import Telemetry
from pipeline.worker.topic_watch import TopicWatch

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from pipeline.settings import Settings
    from pipeline.worker.health import Health

_TIDY_SECONDS: Final = 10.0
_REFRESH_SECONDS: Final = 1.0
_ERASE_SECONDS: Final = 0.25
_READ_AGAIN_SECONDS: Final = 30.0
_JOIN_SECONDS: Final = 60.0  # twice as long as a rebalance may wait for a member
_ORDER_SECONDS: Final = 3.0  # for the last block and for leaving the group, once the end is asked for
_DIMENSIONS: Final = "definitions and profiles"
_log = logging.getLogger(__name__)


def run(settings: Settings, ending: Ending | None = None) -> int:
    """Run a worker until SIGINT or SIGTERM; return the exit code.

    Args:
        settings: everything it needs to know.
        ending: what has heard the signals from the process's beginning on; none = they are heard from now on.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for chatty in ("faust", "mode", "aiokafka", "kafka"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # the admin client warns of its own slow tasks (0.1 s) whenever the machine is busy
    logging.getLogger("kafka.net").setLevel(logging.ERROR)
    gc.disable()  # the processor collects now and then instead, where it can keep the state out of it
    try:
        return run_until_ended(partial(_run, settings), ending or Ending(), _ORDER_SECONDS)
    except Exception as error:
        _record_death(settings, error)
        if isinstance(error, PipelineError):
            raise
        traceback.print_exc()
        _log.critical("the worker ends: %s", describe_error(error))  # the last line is what `roi status` quotes
        return 1


def _record_death(settings: Settings, error: Exception) -> None:
    """Leave word of the end where `roi status` looks, if ClickHouse takes it."""
    try:
        ledger = ClickHouseLedger(connect(settings, "writer"), settings.clickhouse_database, LIVE, "")
        ledger.execute("record_death", host=socket.gethostname(), owner=str(os.getpid()), cause=describe_error(error))
    except PipelineError as unheard:
        _log.warning("this end is not recorded (%s)", unheard)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def _run(settings: Settings, stop: asyncio.Event) -> None:
    policy = policy_of(settings)
    _log.info("core that counts: %s", described_core(policy.core))
    telemetry = Telemetry(settings.build_commit)
    ledger = await patiently("ClickHouse", lambda: _ledger(settings, uuid.uuid4().hex))
    await asyncio.to_thread(ledger.begin, policy, describe_policy(settings))
    installation = (await asyncio.to_thread(ledger.fetch, "installation"))[0][0]
    campaigns = CampaignRegistry(policy)
    logs = KafkaLogs(settings)
    async with AsyncExitStack() as stack:
        dead_letters = DeadLetterProducer(settings)
        await patiently("Kafka", dead_letters.start)
        stack.push_async_callback(dead_letters.stop)
        reader = DimensionReader(settings)
        await reader.start()
        stack.push_async_callback(reader.stop)
        ledger_of_halts = await _ledger(settings, ledger.owner)  # a client of its own: halts do not wait for blocks
        partition_counts = PartitionCounts(ledger_of_halts, logs)
        await partition_counts.restore()
        dimensions = DimensionTables(reader, ledger, campaigns, telemetry, partition_counts)
        await dimensions.restore()
        committer = Committer(
            ledger=ledger,
            dead_letters=dead_letters,
            recall=OrphanRecall(logs),
            dimensions=dimensions,
            labels=policy.labels,
            telemetry=telemetry,
            now_ms=_now_ms,
        )
        halts = TopicHalts(ledger_of_halts, settings.worker, partition_counts)
        processor = ShardProcessor(
            policy=policy,
            settings=settings.worker,
            idle_seconds=settings.time.idle_minutes * 60,
            campaigns=campaigns,
            ledger=ledger,
            committer=committer,
            dimensions=dimensions,
            source=reader,
            starting_points=StartingPoints(logs, ledger, telemetry),
            halts=halts,
            telemetry=telemetry,
            now_ms=_now_ms,
        )
        reads_packed = chosen_core(settings.worker.core) == "native"
        app = build_app(
            settings, processor, reads_packed=reads_packed, installation=installation, registry=telemetry.registry
        )
        watch = TopicWatch(
            halts=halts,
            partition_counts=partition_counts,
            inspector=logs,
            processor=processor,
            handover=app.handover,
            source=reader,
        )
        await watch.heed_halts()  # before the first batch: nothing of a halted topic is read after a restart either
        telemetry.health.halted = lambda: halts.topics
        telemetry.health.shut_out = lambda: app.membership.shut_out(_JOIN_SECONDS)
        telemetry.health.read_again = lambda: app.handover.stuck(_READ_AGAIN_SECONDS)
        app_of_metrics = monitoring_app(telemetry.registry, telemetry.health)
        server = MonitoringServer(app_of_metrics, settings.worker.metrics_host, settings.worker.metrics_port)
        stack.enter_context(server)
        _log.info("metrics on http://%s:%d/metrics, and /healthz", settings.worker.metrics_host, server.port)
        commits = asyncio.create_task(processor.run_commits(app.handover.failed))
        tidying = asyncio.create_task(_tidy(processor))
        refreshing = asyncio.create_task(_refresh(processor, telemetry.health))
        eraser = Eraser(await _ledger(settings, ledger.owner), committer.paused, policy.labels)
        erase = partial(processor.erase, eraser, app.handover.failed)
        erasing = asyncio.create_task(erase_for_ever(erase, _ERASE_SECONDS))
        watching = asyncio.create_task(watch.run(telemetry.health))
        measuring = asyncio.create_task(LagMeter(logs, processor, telemetry).run())
        beside = (commits, tidying, refreshing, erasing, watching, measuring)
        for task in beside:
            stack.push_async_callback(_cancel, task)
        await _until_done(run_app(app, stop), beside)


async def _until_done(running: Coroutine[object, object, None], beside: Sequence[asyncio.Task[None]]) -> None:
    """Wait for the app; what goes on beside it only ends by failing, and takes the worker with it.

    Without its commit cycle nothing would become durable, without the others nothing be forgotten, erased or resumed.
    """
    app = asyncio.create_task(running)
    done, _ = await asyncio.wait({app, *beside}, return_when=asyncio.FIRST_COMPLETED)
    failed = [task for task in beside if task in done]
    if failed and app not in done:
        error = None if failed[0].cancelled() else failed[0].exception()
        # at once: what follows may wait for a server that does not answer
        _log.critical(
            "a part of the worker has failed, which ends: %s", "cancelled" if error is None else places(error)
        )
        for _ in range(2):  # the second one takes it out of its own ending, which may wait to write a last block
            app.cancel()
            await asyncio.wait({app}, timeout=_ORDER_SECONDS)
        failed[0].result()
    await app


async def _tidy(processor: ShardProcessor) -> None:
    while True:
        await asyncio.sleep(_TIDY_SECONDS)
        processor.tidy()


async def _refresh(processor: ShardProcessor, health: Health) -> None:
    telling = Telling()
    while True:
        await asyncio.sleep(_REFRESH_SECONDS)
        try:
            await processor.refresh()
        except KafkaError as error:
            _log.warning("dimension topics not read (%s), trying again", describe_error(error))
            if isinstance(error, UnreadableError):  # an idle partition's worker has no batch that tells it
                health.failing(_DIMENSIONS, str(error))
        except Exception as error:  # noqa: BLE001 - batches that need the tables meet it, too, and are tried again
            _log.error("dimension topics not read: %s; trying again", telling.words(error))
            health.failing(_DIMENSIONS, describe_error(error))
        else:
            health.working(_DIMENSIONS)


async def _ledger(settings: Settings, owner: str) -> ClickHouseLedger:
    client = await asyncio.to_thread(connect, settings, "writer")
    return ClickHouseLedger(client, settings.clickhouse_database, LIVE, owner)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
