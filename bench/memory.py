"""Bytes of memory that the state of one customer takes, among very many."""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from collections import defaultdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.cores import add_core_option
from pipeline.native.customers import NativeCustomerShard
from pipeline.simulation.mixes import MixOptions, mix_events
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.state.policy import Policy
from pipeline.worker.cores import chosen_core, customer_core
from schemas.decode import decode
from schemas.topics import LOGINS, TOUCHES, TRANSACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.state.policy import CoreName

BATCH: Final = 20_000
# mix A: 29 of 100 events are touches or transactions, so each customer has about 0.9 of them
EVENTS_PER_CUSTOMER: Final = 3


def resident_bytes() -> int:
    """Return this process's resident memory (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def batches(customers: int) -> Iterator[dict[str, tuple[list[bytes], list[bytes]]]]:
    """Yield keys and values of mix A by topic, some thousand events at a time."""
    events = mix_events(MixOptions("A", customers * EVENTS_PER_CUSTOMER, customers))
    while batch := list(islice(events, BATCH)):
        by_topic: dict[str, tuple[list[bytes], list[bytes]]] = defaultdict(lambda: ([], []))
        for topic, key, value in batch:
            by_topic[topic][0].append(key)
            by_topic[topic][1].append(value)
        yield by_topic


def measure(customers: int, core: CoreName = "auto") -> dict[str, Any]:
    """Fill the state of one shard and return what it takes per customer; of the compiled core by structures, too.

    Some 25 MB of it have nothing to do with customers: the decoder, and what Python keeps of the batches' room.
    """
    policy = Policy(pseudonym_key=b"bench", core=core)
    shard = customer_core(policy, CampaignRegistry(policy))
    gc.collect()
    before = resident_bytes()
    for version, batch in enumerate(batches(customers), start=1):
        for topic, (keys, values) in batch.items():
            if topic in {LOGINS, TRANSACTIONS, TOUCHES}:
                columns = decode(topic, range(len(values)), keys, values, currency="CNY").columns
                shard.apply(topic, columns, None)
        shard.drain_changes(version)
    gc.collect()
    held = shard.held()
    sizes = shard.sizes() if isinstance(shard, NativeCustomerShard) else {}
    return {
        "core": chosen_core(core),
        "customers": shard.customer_count,
        "live_touches": held["touches"],
        "live_transactions": held["transactions"],
        "bytes_each": (resident_bytes() - before) / shard.customer_count,
        "structures": {name: size / shard.customer_count for name, size in sizes.items()},
    }


def main() -> None:
    """Measure and print the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    add_core_option(parser)
    arguments = parser.parse_args()
    sys.stdout.write(json.dumps(measure(arguments.customers, arguments.core)) + "\n")


if __name__ == "__main__":
    main()
