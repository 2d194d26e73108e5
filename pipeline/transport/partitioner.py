"""Kafka's own partitioner, and the check that a topic's producer spreads keys by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.transport.ports import TopicHaltedError

if TYPE_CHECKING:
    from pipeline.transport.ports import RecordBatch

SAMPLE_KEYS: Final = 16  # of each batch; about 2 µs each
MURMUR2_SEED: Final = 0x9747B28C
MURMUR2_FACTOR: Final = 0x5BD1E995
MASK_32: Final = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """Return Kafka's 32-bit murmur2 of ``data`` as an unsigned number (Java's is the same bits, signed)."""
    length = len(data)
    whole = length & ~3
    digest = MURMUR2_SEED ^ length
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little") * MURMUR2_FACTOR & MASK_32
        word = (word ^ word >> 24) * MURMUR2_FACTOR & MASK_32
        digest = (digest * MURMUR2_FACTOR & MASK_32) ^ word
    if whole < length:
        digest = (digest ^ int.from_bytes(data[whole:], "little")) * MURMUR2_FACTOR & MASK_32
    digest = (digest ^ digest >> 13) * MURMUR2_FACTOR & MASK_32
    return digest ^ digest >> 15


def partition_of(key: bytes, partition_count: int) -> int:
    """Return the partition on which Kafka's own clients put ``key``."""
    return (murmur2(key) & 0x7FFFFFFF) % partition_count


def check_partitioner(batch: RecordBatch, partition_count: int) -> None:
    """Check a sample of the batch's keys against the partition they were found on.

    Raises:
        TopicHaltedError: a key lies elsewhere than murmur2 puts it, so one customer's events would not meet.
    """
    keys = batch.keys[:: max(1, len(batch) // SAMPLE_KEYS)]
    strays = sum(key is not None and partition_of(key, partition_count) != batch.partition for key in keys)
    if strays:
        raise TopicHaltedError(
            batch.topic,
            f"{strays} of {len(keys)} sampled keys on partition {batch.partition} of {partition_count} do not belong"
            f" there (offsets {batch.offsets[0]} to {batch.offsets[-1]}): its producer does not spread keys by murmur2",
            "set partitioner=murmur2_random in librdkafka clients, and write the topic anew",
        )
