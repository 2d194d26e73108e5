"""Looks at everything that `pipeline.operations.health` judges; every question has a time limit of a few seconds."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.errors import ForbiddenError, UnreachableError, UserError
from pipeline.operations.evaluators import EvaluatorSeen, evaluator_seen
from pipeline.operations.halts import halted, log_faults
from pipeline.operations.health import BROKER, ENDPOINT, RECENT_SECONDS, Death, Disk, Observations, Trouble
from pipeline.operations.presence import silent_parts
from schemas.topics import ALL_TOPICS

if TYPE_CHECKING:
    from pipeline.operations.halts import Halted, LogFault
    from pipeline.operations.presence import WorkersSeen
    from pipeline.settings import Settings

QUESTION_SECONDS: Final = 5.0
_AGAIN_SECONDS: Final = 2.0  # to a broker that has just left a question of five unanswered
HEALTH_FILE: Final = "health.json"  # what the supervisor of an instance knows of its parts
_DEATHS: Final = """
    SELECT host, cause, toUnixTimestamp64Milli(at) / 1000 AS at
    FROM worker_deaths WHERE run = 'live' AND at > now64(3) - INTERVAL 300 SECOND ORDER BY at
"""


def observe(  # noqa: PLR0913 - what is to be asked, and what the caller has seen itself
    settings: Settings,
    data: Path | None,
    *,
    asks_kafka: bool = False,
    asks_parts: bool = False,
    workers: WorkersSeen | None = None,
    lag: int | None = None,
    block_age_seconds: float | None = None,
) -> Observations:
    """Return what can be seen of a system; a server that does not answer is an observation, no error.

    Args:
        settings: where ClickHouse answers.
        data: directory of the instance, where it is known.
        asks_kafka: whether to ask the broker, too, which topics are there.
        asks_parts: whether to ask the instance's parts themselves, too, whether they live.
        workers: who is in their group, if the caller has asked.
        lag: records that wait, if the caller has asked Kafka.
        block_age_seconds: age of the newest block, likewise.
    """
    from pipeline.clickhouse.reader import Reader

    now = time.time()
    written = _written(data)
    parts = _parts(written)
    deaths, troubles = _of_parts(parts, now)
    broker = _broker(parts, settings)
    unreachable, missing = _of_kafka(settings) if asks_kafka else ([], ())
    asked = list(broker) if asks_parts or unreachable else []
    halts: list[Halted] = []
    found: list[LogFault] = []
    evaluator: EvaluatorSeen | None = None
    reader = Reader(settings, timeout_seconds=QUESTION_SECONDS)
    try:
        halts, found = halted(reader), log_faults(reader, settings)
        evaluator = evaluator_seen(reader)
        if not any(part["name"].startswith("worker") for part in parts):
            # a supervisor knows of every death of its own, a worker only of those that it could tell
            deaths += [Death(f"worker on {row['host']}", row["at"], row["cause"]) for row in reader.rows(_DEATHS)]
    except UserError as error:  # also one that answers with nothing but errors
        unreachable.append(("ClickHouse", error.cause, error.remedy))
        asked += [] if asks_parts else [it for it in parts if _is_own_endpoint(it, settings)]
    asked += [it for it in parts if it["name"] != BROKER] if asks_parts else []
    return Observations(
        now=now,
        unreachable=tuple(unreachable),
        missing_topics=missing,
        halts=tuple(halts),
        log_faults=tuple(found),
        deaths=tuple(deaths),
        troubles=tuple(troubles),
        silent=silent_parts(asked, QUESTION_SECONDS if asks_parts else _AGAIN_SECONDS),
        stopped_supervisor=_stopped(written.get("supervisor")),
        broker_pid=next((it["pid"] for it in broker), None),
        is_endpoint_own=any(_is_own_endpoint(it, settings) for it in parts),
        workers_are_gone=workers is not None and workers.are_gone,
        group_of_strangers="" if workers is None else workers.strangers_in,
        disk=disk_of(data),
        lag=lag,
        block_age_seconds=block_age_seconds,
        evaluator=evaluator,
        evaluator_begun_seconds=next((now - it["started"] for it in parts if _is_new_evaluator(it)), None),
    )


def _of_kafka(settings: Settings) -> tuple[list[tuple[str, str, str]], tuple[str, ...]]:
    """Return what is wrong with the broker itself, and which of the contract's topics are not there."""
    from pipeline.transport.reading import partition_counts

    try:
        there = partition_counts(settings, QUESTION_SECONDS)
    except (UnreachableError, ForbiddenError) as error:
        return [("Kafka", error.cause, error.remedy)], ()
    return [], tuple(topic for topic in ALL_TOPICS if topic not in there)


def _broker(parts: list[dict[str, Any]], settings: Settings) -> list[dict[str, Any]]:
    """Return the instance's own broker while it runs, unless the settings name another."""
    address = f"kafka://{settings.kafka_bootstrap_servers}"
    return [it for it in parts if it["is_running"] and it["name"] == BROKER and it.get("url") == address]


def _is_own_endpoint(part: dict[str, Any], settings: Settings) -> bool:
    return part["name"] == ENDPOINT and part.get("url") == f"{settings.clickhouse_url}/ping"


def _is_new_evaluator(part: dict[str, Any]) -> bool:
    return bool(part["name"] == "alerts" and part["is_running"] and "started" in part)


def supervised(data: Path | None) -> list[dict[str, Any]]:
    """Return what the supervisor of an instance has written about its parts; nothing where there is none."""
    return _parts(_written(data))


def _parts(written: dict[str, Any]) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = written.get("parts", [])
    return parts


def _stopped(pid: int | None) -> int | None:
    """Return the process of a supervisor if it has been stopped and not ended, as far as the system shows it."""
    if pid is None:
        return None
    with suppress(OSError):  # it has ended, or this system has no such files
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return pid if state in "Tt" else None
    return None


def _written(data: Path | None) -> dict[str, Any]:
    if data is not None:
        with suppress(OSError, ValueError):
            written: dict[str, Any] = json.loads((data / HEALTH_FILE).read_text())
            return written
    return {}


def disk_of(data: Path | None) -> Disk | None:
    """Return the room on the disk of an instance."""
    if data is None:
        return None
    try:
        usage = shutil.disk_usage(data)
    except OSError:
        return None
    return Disk(str(data), usage.free, usage.total)


def _of_parts(parts: list[dict[str, Any]], now: float) -> tuple[list[Death], list[Trouble]]:
    deaths = [Death(part["name"], it["at"], it["cause"], it["is_killed"]) for part in parts for it in part["deaths"]]
    troubles = [Trouble(part["name"], part["trouble"], part["since"]) for part in parts if part["trouble"]]
    return [death for death in deaths if now - death.at <= RECENT_SECONDS], troubles
