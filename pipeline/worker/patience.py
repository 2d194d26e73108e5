"""Waiting, at a worker's start, for Kafka and ClickHouse, which may be starting too."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final, TypeVar

from aiokafka.errors import KafkaError

from pipeline.backoff import Backoff
from pipeline.errors import UnreachableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

LONGEST_SECONDS: Final = 30.0
_RETRIES: Final = Backoff(first_seconds=0.2, longest_seconds=3.0)
_log = logging.getLogger(__name__)


async def patiently(what: str, attempt: Callable[[], Awaitable[T]], seconds: float = LONGEST_SECONDS) -> T:
    """Repeat ``attempt`` until ``what`` answers; every failure is logged.

    Raises:
        UnreachableError: it has not answered for so many seconds.
    """
    failures, deadline = 0, time.monotonic() + seconds
    while True:
        try:
            return await asyncio.wait_for(attempt(), max(_RETRIES.first_seconds, deadline - time.monotonic()))
        except (UnreachableError, KafkaError, TimeoutError) as error:
            failures += 1
            pause = _RETRIES.delay(failures)
            if time.monotonic() + pause > deadline:
                raise UnreachableError(
                    f"{what} has not answered for {seconds:.0f} s ({type(error).__name__})",
                    f"start it, or correct the address ({_SETTING[what]})",
                ) from error
            _log.warning("%s does not answer (%s), trying again in %.1f s", what, type(error).__name__, pause)
        await asyncio.sleep(pause)


_SETTING: Final = {"Kafka": "ROI_KAFKA_BOOTSTRAP_SERVERS", "ClickHouse": "ROI_CLICKHOUSE_URL"}
