"""What a fetch of aiokafka has brought, as columns."""

from __future__ import annotations

import time
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.transport.packed import Packed, PackedBatch, joined, packed
from pipeline.transport.ports import RecordBatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.transport.ports import TP


def record_batch(  # noqa: PLR0913 - the fields of a batch
    tp: TP,
    records: Sequence[Any],
    next_offset: int,
    end_offset: int,
    partition_count: int,
    *,
    fetched_at: float | None = None,
) -> RecordBatch:
    """Return records of one partition as a batch that has arrived just now, or at a monotonic time."""
    return RecordBatch(
        tp.topic,
        tp.partition,
        offsets=[record.offset for record in records],
        keys=[record.key for record in records],
        values=[record.value for record in records],
        # records of the oldest format have none
        timestamps=[-1 if record.timestamp is None else record.timestamp for record in records],
        next_offset=next_offset,
        end_offset=end_offset,
        fetched_at=time.monotonic() if fetched_at is None else fetched_at,
        partition_count=partition_count,
    )


def run_batch(  # noqa: PLR0913 - the fields of a batch
    tp: TP,
    runs: Sequence[Packed | list[Any]],
    next_offset: int,
    end_offset: int,
    partition_count: int,
    *,
    fetched_at: float | None = None,
) -> RecordBatch:
    """Return runs of one partition as a batch, as `record_batch` does: packed unless no run of it is."""
    fetched_at = time.monotonic() if fetched_at is None else fetched_at
    lists = [run for run in runs if not isinstance(run, Packed)]
    if len(lists) == len(runs):
        records = list(chain.from_iterable(lists))
        return record_batch(tp, records, next_offset, end_offset, partition_count, fetched_at=fetched_at)
    return PackedBatch(
        tp.topic,
        tp.partition,
        joined([run if isinstance(run, Packed) else packed(run) for run in runs]),
        next_offset,
        end_offset=end_offset,
        fetched_at=fetched_at,
        partition_count=partition_count,
        refusals={},
    )


def runs_before(runs: Sequence[Packed | list[Any]], end: int) -> list[Packed | list[Any]]:
    """Return runs of one partition without the records from an offset on."""
    return [
        run.part(0, int(np.searchsorted(run.rows["offset"], end)))
        if isinstance(run, Packed)
        else [record for record in run if record.offset < end]
        for run in runs
    ]
