"""Takes what aiokafka has fetched out of its fetcher in runs, in the manner of its `Fetcher.fetched_records`."""
# ruff: noqa: SLF001 - the public way out of the fetcher is by single records

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final, NoReturn

from aiokafka.consumer.fetcher import FetchError, FetchResult
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError

from pipeline.transport.packed import Packed
from pipeline.transport.ports import TP
from pipeline.transport.runs import keep_bytes, runs
from pipeline.transport.unreadable import unreadable

if TYPE_CHECKING:
    from pipeline.transport.runs import Run

# decompressed, of one partition, after which no further run is taken: small batches may hold gigabytes of blanks,
# and places in the joined buffer have 32 bits
ENOUGH_BYTES: Final = 1 << 28
# errors that say by themselves what is to be done; the last is read once more, tolerantly
_TELLING: Final = (OffsetOutOfRangeError, NoOffsetForPartitionError, UnicodeDecodeError)


async def fetched_runs(fetcher: Any, partitions: frozenset[TP], seconds: float, most: int) -> dict[Any, list[Run]]:
    """Return what has arrived for the partitions, waiting a moment for some, and move their positions on.

    Args:
        fetcher: aiokafka's.
        partitions: at least one.
        seconds: longest wait.
        most: records after which no further run is taken; none has more, so there are less than twice as many.

    Raises:
        UnreadableError: a partition's records cannot be read; nothing of the others was taken.
        Exception: as `Fetcher.fetched_records`.
    """
    keep_bytes()
    deadline = time.monotonic() + seconds
    while True:
        if fetcher._subscriptions.reassignment_in_progress:
            await fetcher._subscriptions.wait_for_assignment()
        drained = _drain(fetcher, partitions, most)
        left = deadline - time.monotonic()
        if drained or left <= 0:
            return drained
        waiter = fetcher._create_fetch_waiter()
        done, pending = await asyncio.wait([waiter], timeout=left)
        if not done or fetcher._closed:
            for one in pending:
                one.cancel()
            return {}
        waiter.result()  # raises what the broker does not allow


def _drain(fetcher: Any, partitions: frozenset[TP], longest: int) -> dict[Any, list[Run]]:
    drained: dict[Any, list[Run]] = {}
    most = longest
    for tp, result in _arrived(fetcher, partitions):
        if isinstance(result, FetchResult):
            try:
                taken = _take(result, tp, most, longest)
            except Exception as error:  # noqa: BLE001 - of a broken record batch; raised below, now or by the next call
                result = fetcher._records[tp] = FetchError(error=error, backoff=0)  # noqa: PLW2901 - as a failed fetch
        if not isinstance(result, FetchResult):
            # raised here, an error would take along what was drained before it: those positions have moved on
            if drained:
                return drained
            _forget(fetcher, tp)
            _raise(TP(*tp), result._error)
        if not result.has_more():
            _forget(fetcher, tp)
        drained[tp] = taken
        if taken:
            most -= sum(map(len, taken))
            if most <= 0:
                break
    return drained


def _arrived(fetcher: Any, partitions: frozenset[TP]) -> list[tuple[Any, Any]]:
    """Return results and errors of the partitions, and drop those of partitions that were taken away."""
    for tp in [tp for tp in fetcher._records if tp not in partitions and not fetcher._subscriptions.is_assigned(tp)]:
        del fetcher._records[tp]
    return [(tp, result) for tp, result in fetcher._records.items() if tp in partitions]


def _raise(tp: TP, error: Exception) -> NoReturn:
    if isinstance(error, _TELLING):
        raise error
    raise unreadable([tp], error) from error


def _forget(fetcher: Any, tp: Any) -> None:
    """Let the partition be fetched again."""
    del fetcher._records[tp]
    fetcher._notify(fetcher._wait_consume_future)


def _take(result: Any, tp: Any, most: int, longest: int) -> list[Run]:
    if not result.check_assignment(tp) or not result.has_more():
        return []
    source = result._partition_records
    if source._records_iterator.gi_code is not runs.__code__:  # its own, not begun yet
        source._records_iterator = runs(source, longest)
    taken: list[Run] = []
    size = 0
    texts = b""
    for run in source:
        taken.append(run)
        most -= len(run)
        if isinstance(run, Packed) and run.texts is not texts:  # runs of one buffer share it
            texts = run.texts
            size += len(texts)
        if most <= 0 or size >= ENOUGH_BYTES:
            break
    else:
        result._update_position()
        result._partition_records = None
        return taken
    result._update_position()
    return taken
