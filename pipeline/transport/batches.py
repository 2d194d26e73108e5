"""What a fetch of aiokafka has brought, as columns."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pipeline.transport.ports import RecordBatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.transport.ports import TP


def record_batch(
    tp: TP, records: Sequence[Any], next_offset: int, end_offset: int, partition_count: int
) -> RecordBatch:
    """Return records of one partition as a batch that has arrived just now."""
    return RecordBatch(
        tp.topic,
        tp.partition,
        offsets=[record.offset for record in records],
        keys=[record.key for record in records],
        values=[record.value for record in records],
        timestamps=[record.timestamp for record in records],
        next_offset=next_offset,
        end_offset=end_offset,
        fetched_at=time.monotonic(),
        partition_count=partition_count,
    )
