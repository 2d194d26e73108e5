from __future__ import annotations

import pytest
from aiokafka.partitioner import murmur2 as aiokafka_murmur2
from hypothesis import given
from hypothesis import strategies as st

from pipeline.transport.partitioner import check_partitioner, murmur2, partition_of
from pipeline.transport.ports import RecordBatch, TopicHaltedError


@pytest.mark.parametrize(
    ("key", "signed"),
    [  # the vectors of Apache Kafka's UtilsTest
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_gives_kafkas_own_vectors(key: bytes, signed: int) -> None:
    assert murmur2(key) == signed & 0xFFFFFFFF


@given(st.binary(max_size=70))
def test_murmur2_equals_another_implementation(key: bytes) -> None:
    assert murmur2(key) == aiokafka_murmur2(key) & 0xFFFFFFFF


def batch_of(keys: list[bytes | None], partition: int) -> RecordBatch:
    count = len(keys)
    return RecordBatch("bank.logins.v1", partition, list(range(count)), keys, [b"{}"] * count, count)


def test_keys_where_murmur2_puts_them_pass() -> None:
    keys: list[bytes | None] = [key for key in map(b"c%d".__mod__, range(5000)) if partition_of(key, 8) == 3]
    check_partitioner(batch_of([*keys, None], 3), 8)


def test_keys_spread_by_another_hash_halt_the_topic_and_name_the_mend() -> None:
    keys: list[bytes | None] = [b"c%d" % number for number in range(100)]
    with pytest.raises(TopicHaltedError, match="partitioner=murmur2_random") as halted:
        check_partitioner(batch_of(keys, 3), 8)
    assert halted.value.topic == "bank.logins.v1"
    assert "c1" not in str(halted.value)


def test_one_stray_key_is_found_in_a_small_batch() -> None:
    stray = next(key for key in map(b"c%d".__mod__, range(100)) if partition_of(key, 8) != 0)
    with pytest.raises(TopicHaltedError, match="1 of 1 sampled"):
        check_partitioner(batch_of([stray], 0), 8)
