from __future__ import annotations

from collections import defaultdict
from typing import Final

import pytest

from pipeline.native.customers import NativeCustomerShard
from pipeline.native.library import library
from pipeline.simulation.mixes import MixOptions, mix_events
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.state.policy import Policy
from pipeline.worker.cores import customer_core
from schemas.decode import decode
from schemas.topics import LOGINS, TOUCHES, TRANSACTIONS

pytestmark = pytest.mark.usefixtures("native_core")

CUSTOMERS: Final = 1_000
EVENTS: Final = 6_000
ID_BYTES: Final = len("customer-00000000")
# a slot of a table has eight bytes, and between 60 and 75 of 100 slots are taken once a table has grown
MOST_SLOTS: Final = 8 / 0.59


def shard_of(events: int) -> NativeCustomerShard:
    policy = Policy(pseudonym_key=b"key", core="native")
    shard = customer_core(policy, CampaignRegistry(policy))
    assert isinstance(shard, NativeCustomerShard)
    records: dict[str, list[tuple[bytes, bytes]]] = defaultdict(list)
    for topic, key, value in mix_events(MixOptions("A", events, CUSTOMERS)):
        records[topic].append((key, value))
    for topic in (LOGINS, TOUCHES, TRANSACTIONS):
        keys, values = [key for key, _ in records[topic]], [value for _, value in records[topic]]
        shard.apply(topic, decode(topic, range(len(keys)), keys, values, currency="CNY").columns, None)
    return shard


def test_sizes_are_those_of_what_is_held() -> None:
    shard = shard_of(EVENTS)
    sizes, held, known = shard.sizes(), shard.held(), shard.customer_count
    assert min(known, held["touches"], held["transactions"]) > CUSTOMERS / 3
    assert sizes["customers"] == 40 * known
    assert sizes["customer ids"] == ID_BYTES * known
    assert sizes["touches"] == 16 * (held["touches"] + 1)  # number 0 is nobody's
    assert sizes["transactions"] == 48 * (held["transactions"] + 1)
    assert sizes["reach"] == 16 * (held["reach"] + 1)
    assert sizes["conversions"] == 16 * (held["conversions"] + 1)
    assert sizes["times of touch ids"] == 12 * held["touch ids"]
    assert sizes["due"] == 8 * held["due"]
    assert sizes["cells"] > 112 * held["cells"]
    assert 8 < sizes["tables of customers"] / known < max(MOST_SLOTS, 8 * 1024 / known)
    assert sizes["reversals"] == 0
    assert min(sizes[name] for name in sizes if name != "reversals") > 0


def test_an_empty_shard_takes_next_to_nothing() -> None:
    assert sum(shard_of(0).sizes().values()) < 1_000


def test_there_is_no_size_without_a_name() -> None:
    shard = shard_of(EVENTS)
    assert library().shard_size(shard.people.handle, len(shard.sizes())) == 0
