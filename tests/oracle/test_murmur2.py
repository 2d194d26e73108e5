from __future__ import annotations

import pytest

from tests.oracle.murmur2 import murmur2, partition_of


@pytest.mark.parametrize(
    ("data", "signed"),
    [  # Kafka's own vectors (UtilsTest.testMurmur2)
        (b"21", -973_932_308),
        (b"foobar", -790_332_482),
        (b"a-little-bit-long-string", -985_981_536),
        (b"a-little-bit-longer-string", -1_486_304_829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        (b"abc", 479_470_107),
    ],
)
def test_murmur2_is_kafkas(data: bytes, signed: int) -> None:
    assert murmur2(data) == signed & 0xFFFFFFFF


def test_partition_drops_the_sign_bit() -> None:
    assert partition_of(b"foobar", 8) == (-790_332_482 & 0x7FFFFFFF) % 8
