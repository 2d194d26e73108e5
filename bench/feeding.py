"""Writes events dated now at a steady rate until it is ended: what a measurement of reading goes on beside."""

from __future__ import annotations

import argparse
import time
from itertools import count
from pathlib import Path
from typing import Final

from confluent_kafka import Producer

from pipeline.settings import load_settings
from pipeline.simulation.mixes import MixOptions, mix_events

_SLICE_SECONDS: Final = 0.25


def main() -> None:
    """Write to the topics of an instance."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="directory of a running instance with workers")
    parser.add_argument("--rate", type=int, default=5_000, help="events per second")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--campaigns", type=int, default=200)
    arguments = parser.parse_args()
    address = load_settings(arguments.data).kafka_bootstrap_servers
    producer = Producer({"bootstrap.servers": address, "partitioner": "murmur2_random", "linger.ms": 5})
    due = time.time()
    for number in count():
        options = MixOptions(
            "A",
            int(arguments.rate * _SLICE_SECONDS),
            arguments.customers,
            campaigns=arguments.campaigns,
            seed=number,
            begin_ms=int(due * 1000),
            span_ms=int(_SLICE_SECONDS * 1000),
            first_number=number * int(arguments.rate * _SLICE_SECONDS),
        )
        for topic, key, value in mix_events(options):
            producer.produce(topic, value, key)
        producer.poll(0)
        # what a held-up machine has missed is not made up for: more than the rate would come in meanwhile
        due = max(due + _SLICE_SECONDS, time.time())
        time.sleep(max(0.0, due - time.time()))


if __name__ == "__main__":
    main()
