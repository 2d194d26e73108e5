"""Events whose key lies on another partition than Kafka's clients put it: one dead letter each, the rest goes on.

The customer's other events are in another shard, so an event that is let in here would be counted beside its past.
"""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING

from pipeline.transport.partitioner import misplaced, partition_of
from schemas.decode import Decoded, Rejected, Rows_co

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from pipeline.transport.ports import RecordBatch


Records = tuple["Sequence[int]", "Sequence[bytes | None]", "Sequence[bytes | None]"]


def decode_placed(
    batch: RecordBatch, records: Records, decode: Callable[..., Decoded[Rows_co]]
) -> tuple[Decoded[Rows_co], list[bytes]]:
    """Decode a batch's records and refuse those that are right but for their place; return those's keys, too.

    Args:
        batch: where the records come from.
        records: their offsets, keys and values.
        decode: takes a topic, offsets, keys and values.
    """
    offsets, keys, values = records
    strays = misplaced(keys, batch.partition, batch.partition_count)
    if not strays:
        return decode(batch.topic, offsets, keys, values), []
    apart = set(strays)
    placed = [place for place in range(len(offsets)) if place not in apart]

    def part(places: Sequence[int]) -> Decoded[Rows_co]:
        return decode(batch.topic, *([column[place] for place in places] for column in records))

    good = part(placed)
    # whatever else is wrong with a record is the better reason
    refused = part(strays).rejected
    known = {item.offset for item in refused}
    stray_keys = {offsets[place]: keys[place] or b"" for place in strays if offsets[place] not in known}
    refused += [
        Rejected(offset, "misplaced_key", place_expected(key, batch.partition_count))
        for offset, key in stray_keys.items()
    ]
    rejected = sorted((*good.rejected, *refused), key=lambda item: item.offset)
    return Decoded(good.columns, rejected), list(stray_keys.values())


def without(records: Records, offsets: Collection[int]) -> tuple[list[int], list[bytes | None], list[bytes | None]]:
    """Return records without those at some offsets."""
    kept = [offset not in offsets for offset in records[0]]
    found, keys, values = records
    return list(compress(found, kept)), list(compress(keys, kept)), list(compress(values, kept))


def place_expected(key: bytes, partition_count: int) -> str:
    """Return what is wrong with a misplaced key, for its dead letter."""
    return f"key: partition {partition_of(key, partition_count)} of {partition_count} expected"
