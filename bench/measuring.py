"""The steps of `python -m bench`: what is measured of each part, in which order, and the lines that come of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from bench import flatness, models, peer_steps, processes, replaying, starting, throughput
from bench.children import CHILD_SECONDS, measured
from bench.cores import built_cores
from bench.figures import (
    Row,
    backtest_row,
    board_rows,
    facts_row,
    family_rows,
    judging_row,
    latency_row,
    memory_row,
    notice_row,
    recovery_row,
    replay_rows,
    throughput_rows,
    tick_rows,
    whale_row,
)
from bench.flatness_figures import flatness_rows
from bench.options import brokers, mixes
from bench.servers import running_broker, running_instance
from pipeline.errors import UserError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from bench.options import Rate
    from bench.results import Results
    from bench.servers import Broker
    from pipeline.simulation.mixes import MixName

Step = tuple[str, "Callable[[], list[Row]]"]
BOTH_MIXES: Final[tuple[MixName, ...]] = ("A", "B")
_QUICK_SECONDS: Final = 5
_QUICK_CUSTOMERS: Final = 100_000
_QUICK_CAMPAIGNS: Final = 1_000
_QUICK_DAYS: Final = 14
_FAMILY_EVENTS: Final = 500_000
_START_EVENTS: Final = 200_000
_FILLING_SECONDS: Final = 1_800.0


@dataclass(slots=True)
class Measuring:
    """One run of the measurements that the command line asks for."""

    arguments: argparse.Namespace
    results: Results

    def steps(self) -> Iterator[Step]:
        """Yield what is to be measured, each with the name to show meanwhile."""
        given = brokers(self.arguments)
        for broker in given:
            for part, steps in self._on_broker(broker).items():
                if part in self.arguments.only:
                    yield from steps
        if "flatness" in self.arguments.only:  # the worker's own time: the first broker tells
            yield from self._flatness_on(given[0])
        if "start" in self.arguments.only:
            for run in range(1, self.arguments.runs + 1):
                yield f"starts, run {run} of {self.arguments.runs}", self._start
        yield from (step for part, step in self._once().items() if part in self.arguments.only)

    def _on_broker(self, broker: Broker) -> dict[str, list[Step]]:
        arguments, plan = self.arguments, self._peer_plan()
        several = len(mixes(arguments)) > 1
        runs: list[tuple[Rate, int]] = [(rate, run) for rate in arguments.rate for run in range(1, arguments.runs + 1)]
        return {
            "throughput": [
                (f"throughput on {broker}{f', mix {mix}' * several}", partial(self._throughput, broker, mix))
                for mix in mixes(arguments)
            ],
            "latency": [
                (
                    f"latency on {broker} at {rate}{f', run {run} of {arguments.runs}' * (arguments.runs > 1)}",
                    partial(self._latency, broker, rate),
                )
                for rate, run in runs
            ],
            "replay": [
                (f"replays on {broker}{f', mix {mix}' * several}", partial(self._replay, broker, mix))
                for mix in mixes(arguments)
            ],
            "models": [
                (f"one model and five on {broker}, mix {mix}", partial(self._models, broker, mix)) for mix in BOTH_MIXES
            ],
            "processes": [(f"two workers beside one on {broker}", partial(self._processes, broker))],
            "peers": [
                (f"the {job} job of peers on {broker}", partial(peer_steps.jobs, broker, job, plan, self.results))
                for job in ("trivial", "full")
            ],
        }

    def _flatness_on(self, broker: Broker) -> Iterator[Step]:
        for axis, values in self.arguments.flat.items():
            if values:
                yield f"a worker with many {axis} on {broker}", partial(self._flatness, broker, axis, values)

    def _once(self) -> dict[str, Step]:
        quick = self.arguments.quick
        campaigns = _QUICK_CAMPAIGNS if quick else 10_000
        return {
            "whale": ("late events of one large customer", self._whale),
            "families": ("metric families", self._families),
            "memory": ("memory", self._memory),
            "recovery": ("take-over", self._recovery),
            "judging": ("the stop rule", lambda: [judging_row(self._told("judging"))]),
            "facts": ("the facts of campaigns", lambda: [facts_row(self._told("facts", campaigns))]),
            "tick": ("a whole tick of the alerts", lambda: tick_rows(self._told("tick", campaigns))),
            "alerts": ("from a breach to its notice", self._alerts),
            "boards": ("the boards' queries", self._boards),
            "backtest": (
                "a year of campaigns by the hour",
                lambda: [backtest_row(self._told("backtesting", "--campaigns", 30 if quick else 300))],
            ),
            "peers": ("ClickHouse alone", partial(peer_steps.alone, self._peer_plan(), self.results)),
        }

    def _peer_plan(self) -> peer_steps.Plan:
        given = self.arguments
        return peer_steps.Plan(given.events, mixes(given)[0], given.peer_seconds, given.windows, given.window_seconds)

    @property
    def _customers(self) -> int:
        return _QUICK_CUSTOMERS if self.arguments.quick else 1_000_000

    def _told(self, part: str, *options: object, seconds: float = CHILD_SECONDS) -> dict[str, Any]:
        """Return what a module of the bench prints, and keep it."""
        found = measured(f"bench.{part}", *options, seconds=seconds)
        self.results.add(part, found)
        return found

    def _throughput(self, broker: Broker, mix: MixName) -> list[Row]:
        found = throughput.measure(broker, self.arguments.events, mix)
        for name, speed in found.items():
            self.results.add("throughput", {"broker": broker, "mix": mix, "name": name} | speed.as_json())
        rows = throughput_rows(broker, found, baseline=throughput.STOCK_FAUST, ceiling=throughput.GETMANY)
        return [row._replace(measured=f"{row.measured}, mix {mix}") for row in rows]

    def _latency(self, broker: Broker, rate: Rate) -> list[Row]:
        seconds = _QUICK_SECONDS if self.arguments.quick else 30
        # right before its run: a machine's speed may change by a third within minutes, and the share with it
        peak = throughput.alone(broker, self.arguments.events, "A").rate if rate.share else None
        with running_broker(broker) as bootstrap, running_instance(bootstrap, workers=1) as data:
            found = measured("bench.latency", "--data", data, "--rate", rate.of(peak or 0.0), "--seconds", seconds)
        self.results.add("latency", {"broker": broker, "share_of_peak": rate.share or None, "peak": peak} | found)
        return [latency_row(broker, found, f" ({rate})" if rate.share else "")]

    def _whale(self) -> list[Row]:
        return [whale_row(self._told("whale", "--core", core)) for core in built_cores()]

    def _memory(self) -> list[Row]:
        options = ("--customers", self._customers)
        return [memory_row(self._told("memory", *options, "--core", core)) for core in built_cores()]

    def _families(self) -> list[Row]:
        rows = []
        for mix, core in product(mixes(self.arguments), built_cores()):
            options = ("--core", core, "--mix", mix, "--events", min(self.arguments.events, _FAMILY_EVENTS))
            one = measured("bench.families", *options, "--models", "one")
            rows += family_rows(mix, one, measured("bench.families", *options, "--models", "five"))
        return rows

    def _recovery(self) -> list[Row]:
        with running_broker("tansu") as bootstrap, running_instance(bootstrap) as data:
            return [recovery_row(self._told("recovery", "--data", data, "--customers", self._customers))]

    def _replay(self, broker: Broker, mix: MixName) -> list[Row]:
        found = replaying.measure(broker, self.arguments.events, mix)
        speeds = {"live": found.live, "ceiling": found.ceiling}
        speeds |= {f"{processes} processes": one.speed for processes, one in found.replayed.items()}
        for name, speed in speeds.items():
            self.results.add("replay", {"broker": broker, "mix": mix, "name": name} | speed.as_json())
        return replay_rows(broker, *found)

    def _models(self, broker: Broker, mix: MixName) -> list[Row]:
        runs = []
        for run in models.measure(broker, mix, self.arguments.events, self.arguments.runs):
            runs.append(run)
            self.results.add("models", {"broker": broker, "mix": mix, "models": run.how} | run.backlog.as_json())
        return models.model_rows(broker, mix, runs)

    def _processes(self, broker: Broker) -> list[Row]:
        found = processes.measure(broker, mixes(self.arguments)[0], self.arguments.events)
        for backlog in found:
            told = {"broker": broker, "workers": len(backlog.cpu_seconds)} | backlog.as_json()
            self.results.add("processes", told)
        return processes.process_rows(broker, found)

    def _flatness(self, broker: Broker, axis: flatness.Axis, values: list[int]) -> list[Row]:
        found: dict[int, list[flatness.Measured]] = {}
        failed: dict[int, str] = {}
        for _, value in product(range(self.arguments.runs), values):
            if value in failed:
                continue
            try:
                run = self._point(broker, axis, value)
            except UserError as error:
                failed[value] = error.cause  # the others of the axis took minutes: they are not lost with it
            else:
                found.setdefault(value, []).append(run)
        return flatness_rows(broker, axis, found, failed)

    def _point(self, broker: Broker, axis: flatness.Axis, value: int) -> flatness.Measured:
        point = flatness.Point().moved(axis, value)
        run = flatness.measure(broker, point, flatness.Size(self.arguments.events, self.arguments.known_each))
        told = {"broker": broker, "axis": axis, "getmany_us": run.getmany.cpu_microseconds}
        self.results.add("flatness", told | point.as_json() | run.backlog.as_json())
        return run

    def _start(self) -> list[Row]:
        lives = starting.measure(min(self.arguments.events, _START_EVENTS))
        for life in lives:
            self.results.add("start", {"directory": life.directory, "seconds": life.signs})
        return starting.start_rows(lives)

    def _alerts(self) -> list[Row]:
        campaigns = _QUICK_SECONDS if self.arguments.quick else 60
        rate = next((rate.number for rate in self.arguments.rate if rate.number), 20_000)
        return [notice_row(self._told("alerting", "--campaigns", campaigns, "--rate", rate))]

    def _boards(self) -> list[Row]:
        options: tuple[object, ...] = ()
        if self.arguments.quick:
            options = ("--days", _QUICK_DAYS, "--customers", _QUICK_CUSTOMERS, "--rounds", 3)
        with running_broker("tansu") as bootstrap, running_instance(bootstrap) as data:
            return board_rows(self._told("boards", "--data", data, *options, seconds=_FILLING_SECONDS))
