"""Seconds that a worker with nothing on its disk needs to take over the state of very many customers."""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.memory import batches
from pipeline.clickhouse.connection import connect
from pipeline.ledger.body import body_of, encode
from pipeline.ledger.ledger import Block, ClickHouseLedger
from pipeline.ledger.loader import Loader
from pipeline.policies import policy_of
from pipeline.settings import load_settings
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.transport.ports import RecordBatch
from pipeline.worker.cores import chosen_core
from pipeline.worker.shard import OwnedShard
from schemas.topics import CUSTOMER_LANE

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.state.policy import Policy

RUN: Final = "bench-recovery"


def measure(settings: Settings, customers: int) -> dict[str, Any]:
    """Write the state of one shard to the ledger and load it into another."""
    policy = policy_of(settings)
    client = connect(settings, "writer")
    former = ClickHouseLedger(client, settings.clickhouse_database, RUN, "former-owner")
    former.begin(policy, "bench")
    written = _fill(former, policy, customers)
    next_owner = ClickHouseLedger(client, settings.clickhouse_database, RUN, "next-owner")
    gc.collect()
    gc.freeze()
    gc.disable()  # as in a worker
    fresh = OwnedShard(CUSTOMER_LANE, 0, policy, CampaignRegistry(policy))
    began, used = time.perf_counter(), time.process_time()
    next_owner.claim([fresh.number])
    Loader(next_owner, policy, 0).load({fresh.number: fresh.core})
    seconds = time.perf_counter() - began
    return {
        "core": chosen_core(policy.core),
        "customers": fresh.core.customer_count,
        "rows": written,
        "seconds": seconds,
        "own_cpu_seconds": time.process_time() - used,  # the rest is the engine's, as far as the two were not at once
        "customers_per_second": fresh.core.customer_count / seconds,
    }


def _fill(ledger: ClickHouseLedger, policy: Policy, customers: int) -> int:
    shard = OwnedShard(CUSTOMER_LANE, 0, policy, CampaignRegistry(policy))
    shard.open_epoch(ledger.claim([shard.number])[shard.number])
    written = 0
    for number, batch in enumerate(batches(customers), start=1):
        for topic, (keys, values) in batch.items():
            if topic in CUSTOMER_LANE.events:
                start = shard.next_offset.get(topic, 0)
                offsets = list(range(start, start + len(keys)))
                shard.apply(RecordBatch(topic, 0, offsets, list(keys), list(values), start + len(keys)), None)
        out = shard.seal_block()
        if out is not None:
            body, rows = body_of(encode(out[0], policy.labels, 0))
            ledger.write(Block(number, {shard.number: shard.epoch}, body, rows))
            written += rows
    return written


def main() -> None:
    """Measure and print the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--customers", type=int, default=1_000_000)
    arguments = parser.parse_args()
    sys.stdout.write(json.dumps(measure(load_settings(arguments.data), arguments.customers)) + "\n")


if __name__ == "__main__":
    main()
