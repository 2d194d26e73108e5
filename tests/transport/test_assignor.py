from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from hypothesis import given
from hypothesis import strategies as st

from pipeline.transport.assignor import LaneAssignor, Shard, assign_evenly
from schemas.topics import CUSTOMER_LANE, EVENT_TOPICS

PARTITIONS = 8


def shards(count: int) -> list[Shard]:
    return [Shard(lane, partition) for lane in ("customer", "campaign") for partition in range(count)]


@given(st.integers(1, 12), st.lists(st.integers(1, 6), min_size=1, max_size=6))
def test_every_shard_has_one_owner_and_shares_are_even(count: int, sizes_of_group: list[int]) -> None:
    owned: dict[str, frozenset[Shard]] = {}
    for size in sizes_of_group:
        members = {f"worker-{number}": owned.get(f"worker-{number}", frozenset()) for number in range(size)}
        shares = assign_evenly(shards(count), members)
        owners = Counter(shard for share in shares.values() for shard in share)
        assert owners == dict.fromkeys(shards(count), 1)
        for lane in ("customer", "campaign"):
            loads = [sum(shard.lane == lane for shard in share) for share in shares.values()]
            assert max(loads) - min(loads) <= 1
        owned = {member: frozenset(share) for member, share in shares.items()}


def test_joining_worker_takes_no_more_than_its_share() -> None:
    before = {
        member: frozenset(share)
        for member, share in assign_evenly(shards(8), {"a": frozenset(), "b": frozenset()}).items()
    }
    after = assign_evenly(shards(8), before | {"c": frozenset()})
    for member in ("a", "b"):
        assert set(after[member]) < before[member]


def test_leaving_worker_moves_only_its_own_shards() -> None:
    before = {
        member: frozenset(share)
        for member, share in assign_evenly(shards(9), {"a": frozenset(), "b": frozenset(), "c": frozenset()}).items()
    }
    after = assign_evenly(shards(9), {member: before[member] for member in ("a", "b")})
    for member in ("a", "b"):
        assert set(after[member]) > before[member]


@pytest.mark.parametrize("members", [1, 2, 3, 5, 9])
def test_co_partitioned_topics_stay_together(members: int) -> None:
    assert not separated(LaneAssignor("1"), members)


def test_stock_assignor_separates_them() -> None:
    assert separated(RoundRobinPartitionAssignor, 3)


def separated(assignor: Any, members: int) -> set[int]:
    """Return the partition numbers at which the customer lane's topics have different owners."""
    cluster = SimpleNamespace(partitions_for_topic=lambda _: set(range(PARTITIONS)))
    metadata = {f"worker-{number}": assignor.metadata(list(EVENT_TOPICS)) for number in range(members)}
    assignment = assignor.assign(cluster, metadata)
    owner = {tp: member for member, share in assignment.items() for tp in share.partitions()}
    assert len(owner) == PARTITIONS * len(EVENT_TOPICS)
    return {
        partition
        for partition in range(PARTITIONS)
        if len({owner[topic, partition] for topic in CUSTOMER_LANE.events}) > 1
    }
