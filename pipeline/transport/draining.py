"""Takes what aiokafka has fetched out of its fetcher in runs, in the manner of its `Fetcher.fetched_records`."""
# ruff: noqa: SLF001 - the public way out of the fetcher is by single records

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn

from aiokafka.consumer.fetcher import FetchError, FetchResult
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError

from pipeline.transport.packed import Packed
from pipeline.transport.ports import TP
from pipeline.transport.runs import keep_bytes, runs
from pipeline.transport.turns import slice_records
from pipeline.transport.unreadable import unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipeline.transport.runs import Run
    from pipeline.transport.turns import Turns

# decompressed, of one partition, after which no further run is taken: small batches may hold gigabytes of blanks,
# and places in the joined buffer have 32 bits
ENOUGH_BYTES: Final = 1 << 28
# errors that say by themselves what is to be done; the last is read once more, tolerantly
_TELLING: Final = (OffsetOutOfRangeError, NoOffsetForPartitionError, UnicodeDecodeError)


async def fetched_runs(
    fetcher: Any, partitions: frozenset[TP], seconds: float, most: int, turns: Turns | None = None
) -> dict[Any, list[Run]]:
    """Return what has arrived for the partitions, waiting a moment for some, and move their positions on.

    Args:
        fetcher: aiokafka's.
        partitions: at least one.
        seconds: longest wait.
        most: records after which no further run is taken; none has more, so there are less than twice as many.
        turns: whose records are taken next, slice by slice; of each partition `most` then, and of all twice as many.
            Without it those that arrived first are taken first.

    Raises:
        UnreadableError: a partition's records cannot be read; nothing of the others was taken.
        Exception: as `Fetcher.fetched_records`.
    """
    keep_bytes()
    deadline = time.monotonic() + seconds
    while True:
        if fetcher._subscriptions.reassignment_in_progress:
            await fetcher._subscriptions.wait_for_assignment()
        drained = _drain(fetcher, partitions, most, turns)
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


def _drain(fetcher: Any, partitions: frozenset[TP], most: int, turns: Turns | None) -> dict[Any, list[Run]]:
    drained: dict[Any, _Taken] = {}
    left = most if turns is None else 2 * most
    now_ms = time.time_ns() // 1_000_000
    results = dict(_arrived(fetcher, partitions))
    for shard in _shards(fetcher, partitions, results, turns):
        while shard and left > 0:
            tp = turns.next_of(shard, now_ms) if turns else shard[0]
            longest = min(slice_records(tp), most) if turns else most
            result = results[tp]
            if isinstance(result, FetchResult):
                try:
                    taken = _take(result, tp, min(longest, left), longest)
                except Exception as error:  # noqa: BLE001 - of a broken record batch; raised below, now or by the next call
                    result = fetcher._records[tp] = FetchError(error=error, backoff=0)  # as a failed fetch
            if not isinstance(result, FetchResult):
                # raised here, an error would take along what was drained before it: those positions have moved on
                if drained:
                    return {each: part.runs for each, part in drained.items()}
                _forget(fetcher, tp)
                _raise(TP(*tp), result._error)
            if turns:
                turns.took(tp, taken, shard)
            part = drained.setdefault(tp, _Taken())
            part.add(taken)
            left -= sum(map(len, taken))
            if not result.has_more():
                _forget(fetcher, tp)
            if not result.has_more() or not taken or part.records >= most or part.size >= ENOUGH_BYTES:
                shard.remove(tp)
    return {tp: part.runs for tp, part in drained.items()}


def _shards(
    fetcher: Any, partitions: frozenset[TP], arrived: Mapping[TP, Any], turns: Turns | None
) -> Iterable[list[TP]]:
    """Return what has arrived, in the order in which it is taken."""
    if turns is None:
        return ([tp] for tp in arrived)
    subscription = fetcher._subscriptions.subscription
    assignment = subscription and subscription.assignment
    states = ((tp, assignment.state_value(tp)) for tp in partitions - arrived.keys()) if assignment else ()
    under_way = {
        tp.partition
        for tp, state in states
        # its log, as far as is known, holds more than has been taken
        if state and state.has_valid_position and state.highwater is not None and state.position < state.highwater
    }
    return turns.shards(arrived, under_way)


@dataclass(slots=True)
class _Taken:
    """What was taken of one partition: the size is that of its runs' buffers, which several may share."""

    runs: list[Run] = field(default_factory=list)
    records: int = 0
    size: int = 0
    _texts: bytes = b""

    def add(self, runs: list[Run]) -> None:
        self.runs += runs
        for run in runs:
            self.records += len(run)
            if isinstance(run, Packed) and run.texts is not self._texts:
                self._texts = run.texts
                self.size += len(run.texts)


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


def _take(result: Any, tp: Any, enough: int, longest: int) -> list[Run]:
    if not result.check_assignment(tp) or not result.has_more():
        return []
    source = result._partition_records
    if source._records_iterator.gi_code is not runs.__code__:  # its own, not begun yet
        source._records_iterator = runs(source, longest)
    taken = _Taken()
    for run in source:
        taken.add([run])
        if taken.records >= enough or taken.size >= ENOUGH_BYTES:
            break
    else:
        result._update_position()
        result._partition_records = None
        return taken.runs
    result._update_position()
    return taken.runs
