"""Shares the shards out among the workers: partitions that share state never part.

Faust's own choice (aiokafka's round robin) separates equal partition numbers of co-partitioned topics as soon as
the number of partitions is no multiple of the number of workers.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

from pipeline.transport.membership import protocol_of
from schemas.topics import LANES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aiokafka.cluster import ClusterMetadata

PROTOCOL_VERSION: Final = 0


class Shard(NamedTuple):
    """A lane's topics at one partition number."""

    lane: str
    partition: int


def assign_evenly(shards: Iterable[Shard], owned: Mapping[str, frozenset[Shard]]) -> dict[str, list[Shard]]:
    """Give every shard to one member, evenly per lane, moving as few as that allows.

    Args:
        shards: all shards there are.
        owned: what each member held before, by member id; a shard that two members claim goes to either.
    """
    shares: dict[str, list[Shard]] = {member: [] for member in owned}
    by_lane: dict[str, list[Shard]] = defaultdict(list)
    for shard in sorted(shards):
        by_lane[shard.lane].append(shard)
    for lane_shards in by_lane.values():
        quota = -(-len(lane_shards) // len(owned))
        held: dict[str, list[Shard]] = {member: [] for member in owned}
        left: list[Shard] = []
        for shard in lane_shards:
            keeper = next((m for m in sorted(owned) if shard in owned[m] and len(held[m]) < quota), None)
            (left if keeper is None else held[keeper]).append(shard)
        for shard in left:
            # the member with the fewest shards of this lane, then of all
            poorest = min(sorted(owned), key=lambda m: (len(held[m]), len(shares[m])))
            held[poorest].append(shard)
        _level(held)
        for member, lane_share in held.items():
            shares[member] += lane_share
    return shares


def _level(held: dict[str, list[Shard]]) -> None:
    """Move shards from the richest to the poorest member until they differ by one at most."""
    while True:
        poorest = min(held, key=lambda m: len(held[m]))
        richest = max(held, key=lambda m: len(held[m]))
        if len(held[richest]) - len(held[poorest]) <= 1:
            return
        held[poorest].append(held[richest].pop())


class LaneAssignor(AbstractPartitionAssignor):  # type: ignore[misc] # aiokafka is untyped
    """aiokafka's assignor interface around `assign_evenly`; a member's previous shards travel as user data.

    aiokafka declares class methods, but calls them on what it is given: an instance, which alone can remember.

    Args:
        installation: whose workers share the partitions out among themselves.
    """

    def __init__(self, installation: str) -> None:
        self._protocol = protocol_of(installation)
        self._owned: frozenset[Shard] = frozenset()

    @property
    def name(self) -> str:
        """The protocol that members of one group have in common."""
        return self._protocol

    def assign(
        self, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """Share out all partitions of the lanes' topics; called on the group's leader."""
        counts = {
            lane.name: max((len(cluster.partitions_for_topic(topic) or ()) for topic in lane.events), default=0)
            for lane in LANES
        }
        shards = [Shard(lane, partition) for lane, count in counts.items() for partition in range(count)]
        owned = {member: _decode(metadata.user_data) for member, metadata in members.items()}
        return {
            member: ConsumerProtocolMemberAssignment(PROTOCOL_VERSION, _by_topic(cluster, share), b"")
            for member, share in assign_evenly(shards, owned).items()
        }

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """Return what this member tells the leader when it joins."""
        return ConsumerProtocolMemberMetadata(PROTOCOL_VERSION, list(topics), json.dumps(sorted(self._owned)).encode())

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Remember what was assigned, to keep it at the next rebalance."""
        self._owned = frozenset(
            Shard(lane.name, partition)
            for lane in LANES
            for topic, partitions in assignment.assignment
            if topic in lane.events
            for partition in partitions
        )


def _by_topic(cluster: ClusterMetadata, share: Iterable[Shard]) -> list[tuple[str, list[int]]]:
    topics_of = {lane.name: lane.events for lane in LANES}
    partitions: dict[str, list[int]] = defaultdict(list)
    for shard in sorted(share):
        for topic in topics_of[shard.lane]:
            if shard.partition in (cluster.partitions_for_topic(topic) or ()):
                partitions[topic].append(shard.partition)
    return sorted(partitions.items())


def _decode(user_data: bytes) -> frozenset[Shard]:
    return frozenset(Shard(lane, partition) for lane, partition in json.loads(user_data or b"[]"))
