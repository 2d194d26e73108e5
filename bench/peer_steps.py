"""The steps of `python -m bench --only peers`: both jobs on a broker, then ClickHouse alone; results as JSON too."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from bench import peering, throughput
from bench.alone_figures import alone_rows, crossovers
from bench.children import measured
from bench.peer_figures import peer_rows
from bench.servers import Broker, running_broker, running_instance
from bench.workload import fill
from pipeline.errors import UserError
from pipeline.settings import load_settings
from pipeline.simulation.mixes import MixName, MixOptions, mix_events

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bench.figures import Row
    from bench.peer_figures import Outcome

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


@dataclass(slots=True)
class Results:
    """What was found, kept in a file after every single result: a run that is stopped leaves what it has.

    Attributes:
        path: of the JSON file; None = keep none.
    """

    path: Path | None
    _found: dict[str, Any] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._found = {
            "begun": datetime.now(UTC).isoformat(timespec="seconds"),
            "processors": os.cpu_count(),
            "python": platform.python_version(),
            "jobs": [],
        }

    def add_job(self, broker: str, job: str, events: int, peer: str, outcome: Outcome) -> None:
        """Keep one peer's outcome."""
        told = {"broker": broker, "job": job, "given": events, "peer": peer}
        self._found["jobs"].append(told | outcome.as_json())
        self._save()

    def set_alone(self, windows: Sequence[dict[str, Any]], own_us: float) -> None:
        """Keep what is known of ClickHouse alone, in place of what was known before."""
        self._found["alone"] = {"own_us": own_us, "windows": list(windows), "crossovers": crossovers(windows, own_us)}
        self._save()

    def _save(self) -> None:
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(json.dumps(self._found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


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
    with running_broker("tansu") as bootstrap, running_instance(bootstrap) as data:
        options = MixOptions(mix, events, customers=max(1000, events // 10))
        count = fill(load_settings(data), mix_events(options))
        try:
            return throughput.whole_path(data, count).cpu_microseconds
        except ValueError as error:
            raise UserError(f"this pipeline has no figure: {error}", "measure more events: --events") from error


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
