"""The steps of `python -m bench --only peers`: both jobs on a broker, then ClickHouse alone; results as JSON too."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bench import peering, throughput
from bench.alone_figures import alone_rows
from bench.children import measured
from bench.peer_figures import peer_rows
from pipeline.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.figures import Row
    from bench.results import Results
    from bench.servers import Broker
    from pipeline.simulation.mixes import MixName

_FULL_JOB_EVENTS: Final = 200_000
_PARSED: Final = 200_000
"""Events that ClickHouse alone takes in as JSON; the oracle, which is slow, goes over them once a window."""
WINDOWS: Final = (1_000_000, 10_000_000, 100_000_000)
WINDOW_SECONDS: Final = 1_800.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured.

    Attributes:
        events: to read in the trivial job, and for this pipeline's own figure.
        peer_seconds: longest time of one peer in one job.
        windows: of ClickHouse alone, in events.
        window_seconds: longest time of one of them.
    """

    events: int
    mix: MixName
    peer_seconds: float
    windows: Sequence[int]
    window_seconds: float


def jobs(broker: Broker, job: str, plan: Plan, results: Results) -> list[Row]:
    """Measure one job of all peers on one broker."""
    peering.need_installed()
    # the slowest does some thousand events a second, and the oracle no more
    events = min(plan.events, _FULL_JOB_EVENTS) if job == "full" else plan.events
    found = {}
    for name, outcome in peering.measure(broker, events, plan.mix, job, plan.peer_seconds):
        found[name] = outcome
        results.add_job(broker, job, events, name, outcome)
    return peer_rows(broker, job, found)


def alone(plan: Plan, results: Results) -> list[Row]:
    """Measure ClickHouse alone by window, and this pipeline's processor time of an event to compare it with."""
    own_us = _own_us(plan.events, plan.mix)
    found: list[dict[str, Any]] = []
    for one in _windows(plan):
        found.append(one)
        results.set_alone(found, own_us)
    return alone_rows(found, own_us)


def _own_us(events: int, mix: MixName) -> float:
    return throughput.alone("tansu", events, mix).cpu_microseconds


def _windows(plan: Plan) -> Iterator[dict[str, Any]]:
    parsed = min(plan.events, _PARSED, *plan.windows)
    for window in plan.windows:
        load = os.getloadavg()[0]
        options = ("--window", window, "--parsed", parsed)
        try:
            found = measured("bench.peers.clickhouse_alone", *options, seconds=plan.window_seconds)
        except UserError as error:
            found = {"window": window, "why": error.cause}
        yield found | {"load": load}
