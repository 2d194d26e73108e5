"""Processor time of each step and metric family per event, and memory per customer with one and with five models."""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, cast

from bench.cores import add_core_option
from bench.memory import resident_bytes
from pipeline.ledger.body import body_of, encode
from pipeline.simulation.mixes import MixName, MixOptions, mix_events
from pipeline.state.campaign_registry import CampaignRegistry
from pipeline.state.policy import Policy
from pipeline.transport.ports import RecordBatch
from pipeline.worker.cores import Decoder, chosen_core
from pipeline.worker.shard import OwnedShard
from schemas.topics import CAMPAIGN_LANE, COSTS, CUSTOMER_LANE, LANE_OF_TOPIC

if TYPE_CHECKING:
    from pipeline.settings import AttributionModel
    from pipeline.state.policy import CoreName

ALL_MODELS: Final[tuple[AttributionModel, ...]] = ("last_touch", "first_touch", "linear", "position", "time_decay")
BATCH: Final = 5_000
BLOCK_BATCHES: Final = 16


def measure(
    mix: MixName, events: int, customers: int, models: tuple[AttributionModel, ...], core: CoreName = "auto"
) -> dict[str, Any]:
    """Run the core over a mix; return microseconds per event of each topic, and what the rest costs per event."""
    batches = _batches(mix, events, customers)
    policy = Policy(models=models, future_ms=None, pseudonym_key=b"bench", core=core)
    campaigns = CampaignRegistry(policy)
    lanes = {lane: OwnedShard(lane, 0, policy, campaigns) for lane in (CUSTOMER_LANE, CAMPAIGN_LANE)}
    for shard in lanes.values():
        shard.open_epoch(1)
    gc.collect()
    gc.freeze()
    gc.disable()  # as in a worker
    before = resident_bytes()
    spent: dict[str, float] = defaultdict(float)
    counts: dict[str, int] = defaultdict(int)
    decode, began = Decoder(policy), time.process_time()
    for batch in batches:
        decode(batch.topic, batch.offsets, batch.keys, batch.values)
    spent["decode"] = time.process_time() - began
    for number, batch in enumerate(batches, start=1):
        began = time.process_time()
        lanes[LANE_OF_TOPIC[batch.topic]].apply(batch, None)
        spent[batch.topic] += time.process_time() - began
        counts[batch.topic] += len(batch)
        if number % BLOCK_BATCHES == 0:
            began = time.process_time()
            sealed = [out[0] for shard in lanes.values() if (out := shard.seal_block())]
            body_of([sheet for part in sealed for sheet in encode(part, policy.labels, 0)])
            spent["block"] += time.process_time() - began
    found: dict[str, Any] = {"core": chosen_core(core)}
    found |= {topic: spent[topic] / counts[topic] * 1e6 for topic in counts}
    found |= {step: spent[step] / events * 1e6 for step in ("decode", "block")}
    found["all"] = (sum(spent.values()) - spent["decode"]) / events * 1e6
    found["bytes_each"] = (resident_bytes() - before) / lanes[CUSTOMER_LANE].core.customer_count
    return found


def _batches(mix: MixName, events: int, customers: int) -> list[RecordBatch]:
    queues: dict[str, tuple[list[bytes], list[bytes]]] = defaultdict(lambda: ([], []))
    positions: dict[str, int] = defaultdict(int)
    batches: list[RecordBatch] = []

    def close(topic: str) -> None:
        keys, values = queues.pop(topic)
        start = positions[topic]
        positions[topic] = start + len(keys)
        batches.append(
            RecordBatch(topic, 0, list(range(start, start + len(keys))), list(keys), list(values), start + len(keys))
        )

    share = {COSTS: 50}
    for topic, key, value in mix_events(MixOptions(mix, events, customers)):
        keys, values = queues[topic]
        keys.append(key)
        values.append(value)
        if len(keys) == BATCH // share.get(topic, 1):
            close(topic)
    for topic in list(queues):
        close(topic)
    return batches


def main() -> None:
    """Measure and print the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mix", choices=("A", "B"), default="A")
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--models", choices=("one", "five"), default="one")
    add_core_option(parser)
    arguments = parser.parse_args()
    models = ALL_MODELS if arguments.models == "five" else ALL_MODELS[:1]
    found = measure(cast("MixName", arguments.mix), arguments.events, arguments.customers, models, arguments.core)
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
