"""How long the stop rule takes to judge many campaigns at once: a tick of the alert evaluator, without its reading."""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Final

import numpy as np

from bench.figures import percentile
from bench.stop_rule.campaigns import campaign
from bench.stop_rule.looks import rows_of, together
from bench.stop_rule.peers import PRODUCT, peers_of
from bench.stop_rule.scenario import Scenario
from pipeline.alerts.judging import judge
from pipeline.alerts.learning import learn
from pipeline.alerts.rule import AlertRule

PRODUCTS: Final = 20
"""Campaigns are of so many products, each with a library of its own."""
DRAWN: Final = 100
"""Different campaigns per product at most; beyond, they repeat at other hours."""
SCENARIO: Final = Scenario("bench")


def measure(campaigns: int, ticks: int) -> dict[str, float]:
    """Judge so many campaigns, each somewhere in its 14 days, again and again; time the calls."""
    random = np.random.default_rng(1)
    parts, libraries = [], []
    for product in range(PRODUCTS):
        library = learn(peers_of(random, SCENARIO), PRODUCT, float(SCENARIO.window_hours))
        wanted = campaigns // PRODUCTS + (product < campaigns % PRODUCTS)
        drawn = [campaign(random, SCENARIO, random.uniform(1.0, 3.0)) for _ in range(min(wanted, DRAWN))]
        for number in range(wanted):
            look = np.array([random.integers(24, SCENARIO.hours)])
            parts.append(rows_of(drawn[number % DRAWN], look, f"{product}-{number}"))
        libraries += [library] * wanted
    statistics = together(parts)
    began = time.perf_counter()
    verdicts = judge(statistics, libraries, AlertRule())
    first = time.perf_counter() - began
    seconds = []
    for _ in range(ticks):
        began = time.perf_counter()
        judge(statistics, libraries, AlertRule())
        seconds.append(time.perf_counter() - began)
    return {
        "campaigns": len(verdicts),
        "below": sum(verdict.outcome == "below" for verdict in verdicts),
        "first_ms": first * 1e3,
        "p50_ms": percentile(seconds, 0.5) * 1e3,
        "worst_ms": max(seconds) * 1e3,
    }


def main() -> None:
    """Measure and print the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--campaigns", type=int, default=10_000, help="rows of one call")
    parser.add_argument("--ticks", type=int, default=10, help="calls after the first")
    arguments = parser.parse_args()
    sys.stdout.write(json.dumps(measure(arguments.campaigns, arguments.ticks)) + "\n")


if __name__ == "__main__":
    main()
