from __future__ import annotations

import pytest
from aiokafka.partitioner import murmur2 as aiokafka_murmur2
from hypothesis import given
from hypothesis import strategies as st

from pipeline.transport.partitioner import LONGEST_KEY, misplaced, murmur2, murmur2_of_all, partition_of


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


@given(st.lists(st.binary(max_size=70) | st.binary(max_size=4), min_size=1, max_size=50))
def test_murmur2_of_all_keys_is_that_of_each(keys: list[bytes]) -> None:
    assert murmur2_of_all(keys).tolist() == [murmur2(key) for key in keys]


@pytest.mark.parametrize("count", [1, 31, 32, 5000])
def test_keys_where_murmur2_puts_them_are_not_misplaced(count: int) -> None:
    keys: list[bytes | None] = [key for key in map(b"c%d".__mod__, range(9 * count)) if partition_of(key, 8) == 3]
    assert misplaced([*keys[:count], None], 3, 8) == []


@pytest.mark.parametrize("count", [1, 31, 32, 5000])
def test_every_misplaced_key_is_found_among_the_others(count: int) -> None:
    keys: list[bytes | None] = [b"c%d" % number for number in range(count)]
    expected = [number for number in range(count) if partition_of(b"c%d" % number, 8) != 3]
    assert misplaced([None, *keys, None], 3, 8) == [place + 1 for place in expected]


def test_a_partition_that_the_topic_does_not_have_is_no_place_for_any_key() -> None:
    assert misplaced([b"a"], 1, 1) == [0]
    assert misplaced([b"a"], 0, 1) == []


def test_nothing_is_judged_while_the_number_of_partitions_is_unknown() -> None:
    assert misplaced([b"a", b"b"], 3, 0) == []


def test_a_key_that_no_id_can_be_is_left_to_other_judges() -> None:
    assert misplaced([b"k" * (LONGEST_KEY + 1)] * 40, 3, 8) == []
    assert misplaced([b"k" * 1_000_000], 3, 8) == []
