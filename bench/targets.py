"""`python -m bench.targets FILE…`: what the results of `python -m bench --json FILE` say of each target of speed.

Of several runs the median is judged where a target is of speed, and every run where it is of what somebody waits for.
Ratios are of figures of one step, taken within minutes: what a machine's speed does meanwhile is in both.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bench.figures import BOARD_TARGET_MS, VISIBLE_TARGET_MS
from bench.flatness import spread
from bench.flatness_figures import TARGET as FLAT
from bench.models import TARGET as MODELS
from bench.processes import TARGET as PROCESSES
from bench.processes import seconds_each
from bench.starting import PAGE, TARGET_SECONDS
from bench.throughput import GETMANY, STOCK_FAUST, WHOLE_PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    Found = Mapping[str, Any]

PATH_A: Final = 250_000
PATH_B: Final = 120_000
OF_GETMANY: Final = 0.5
OF_FAUST: Final = 25
REPLAY: Final = 0.7
TAKE_OVER: Final = 500_000
CUSTOMER_BYTES: Final = 150
LIVE_BYTES: Final = 80
TICK_SECONDS: Final = 1


class Verdict(NamedTuple):
    """A target, what was measured, and whether that meets it."""

    what: str
    target: str
    found: str
    is_met: bool


def verdicts(results: Iterable[Found]) -> Iterator[Verdict]:
    """Yield what results say of each target they bear on.

    Args:
        results: as `bench.results.Results` keeps them; parts of several are taken together.
    """
    parts: dict[str, list[Found]] = defaultdict(list)
    for found in results:
        for name, told in found.items():
            if isinstance(told, list):
                parts[name] += told
    for name, judge in _JUDGES.items():
        yield from judge(parts[name])


def _throughput(found: Sequence[Found]) -> Iterator[Verdict]:
    for (broker, mix), runs in _by(found, "broker", "mix"):
        rates = {name: _rate(some) for (name,), some in _by(runs, "name")}
        path, least = rates[WHOLE_PATH], PATH_A if mix == "A" else PATH_B
        where = f"mix {mix} on {broker}"
        yield _at_least(f"whole path, {where}, events/s", least, path, ",.0f")
        if mix == "A":
            yield _at_least(f"beside bare getmany, {where}", OF_GETMANY, path / rates[GETMANY], ".2f")
            yield _at_least(f"beside stock Faust, {where}", OF_FAUST, path / rates[STOCK_FAUST], ".1f")


def _latency(found: Sequence[Found]) -> Iterator[Verdict]:
    for (broker, share), runs in _by(found, "broker", "share_of_peak"):
        rates = [run["wished_rate"] for run in runs]
        rate = f"{min(rates):,}" + f" to {max(rates):,}" * (min(rates) < max(rates)) + "/s"
        rate += f", {share:.0%} of the peak before each" if share else ""
        what = f"p99 accepted → visible at {rate}, on {broker}, ms"
        yield _at_most(what, VISIBLE_TARGET_MS, [run["p99_ms"] for run in runs], ",.0f")


def _replay(found: Sequence[Found]) -> Iterator[Verdict]:
    for (broker, mix), runs in _by(found, "broker", "mix"):
        rates = {name: _rate(some) for (name,), some in _by(runs, "name")}
        what = f"replay beside bare getmany, mix {mix} on {broker}"
        yield _at_least(what, REPLAY, rates["1 processes"] / rates["ceiling"], ".2f")


def _models(found: Sequence[Found]) -> Iterator[Verdict]:
    for (broker, mix), runs in _by(found, "broker", "mix"):
        rates = {how: _rate(some) for (how,), some in _by(runs, "models")}
        yield _at_least(f"five models beside one, mix {mix} on {broker}", MODELS, rates["five"] / rates["one"], ".2f")


def _processes(found: Sequence[Found]) -> Iterator[Verdict]:
    for (broker,), runs in _by(found, "broker"):
        slowest = {
            workers: median(seconds_each(run["cpu_seconds"], run["events"]) for run in some)
            for (workers,), some in _by(runs, "workers")
        }
        what = f"two workers beside one, where cores allow, on {broker}"
        yield _at_least(what, PROCESSES, slowest[1] / slowest[2], ".2f")


def _flatness(found: Sequence[Found]) -> Iterator[Verdict]:
    for (broker, axis), runs in _by(found, "broker", "axis"):
        costs = {
            size: median(run["cpu_microseconds_per_event"] for run in some) for (size,), some in _by(runs, str(axis))
        }
        if len(costs) > 1:
            what = f"dearest beside cheapest, {min(costs):,} to {max(costs):,} {axis}, on {broker}"
            yield _at_most(what, FLAT, [spread(list(costs.values()))], ".2f")


def _memory(found: Sequence[Found]) -> Iterator[Verdict]:
    for run in found:
        if run["core"] == "native":
            live = (run["live_touches"] + run["live_transactions"]) / run["customers"]
            what = f"bytes a customer of the whole process, {run['customers']:,} customers with {live:.2f} live events"
            yield _at_most(what, round(CUSTOMER_BYTES + LIVE_BYTES * live), [run["bytes_each"]], ",.0f")


def _recovery(found: Sequence[Found]) -> Iterator[Verdict]:
    for (customers,), runs in _by(found, "customers"):
        rate = median(run["customers_per_second"] for run in runs)
        yield _at_least(f"take-over of {customers:,} customers, customers/s", TAKE_OVER, rate, ",.0f")


def _start(found: Sequence[Found]) -> Iterator[Verdict]:
    for (directory,), runs in _by(found, "directory"):
        what = f"first page of `roi up --embedded`, {directory} directory, s"
        yield _at_most(what, TARGET_SECONDS, [run["seconds"][PAGE] for run in runs], ".1f")


def _tick(found: Sequence[Found]) -> Iterator[Verdict]:
    for kind, what in {"within": "some changed", "minute": "a new minute"}.items():
        for (campaigns,), runs in _by(found, "campaigns"):
            seconds = [run[f"{kind}_seconds"] for run in runs]
            yield _at_most(f"tick of {campaigns:,} campaigns, {what}, p50, s", TICK_SECONDS, seconds, ".2f")


def _boards(found: Sequence[Found]) -> Iterator[Verdict]:
    for run in found:
        panels = [value for board in run["boards"].values() for value in board["panels"].values()]
        yield _at_most("p95 of a panel's query, its slowest range, ms", BOARD_TARGET_MS, panels, ",.0f")


_JUDGES: Final[dict[str, Callable[[Sequence[Found]], Iterator[Verdict]]]] = {
    "throughput": _throughput,
    "latency": _latency,
    "models": _models,
    "replay": _replay,
    "processes": _processes,
    "flatness": _flatness,
    "memory": _memory,
    "recovery": _recovery,
    "start": _start,
    "tick": _tick,
    "boards": _boards,
}


def _by(found: Sequence[Found], *names: str) -> Iterator[tuple[tuple[Any, ...], list[Found]]]:
    """Yield those that have the same values under the names, in the order in which the values came first."""
    values = {tuple(run[name] for name in names): None for run in found}
    for value in values:
        yield value, [run for run in found if tuple(run[name] for name in names) == value]


def _rate(runs: Sequence[Found]) -> float:
    return float(median(run["events_per_second"] for run in runs))


def _at_least(what: str, target: float, found: float, form: str) -> Verdict:
    return Verdict(what, f"≥ {target:,}", format(found, form), found >= target)


def _at_most(what: str, target: float, found: Sequence[float], form: str) -> Verdict:
    least, most = min(found), max(found)
    kept = sum(value <= target for value in found)
    words = f"{least:{form}}"
    if len(found) > 1:
        words += f" to {most:{form}}, {kept} of {len(found)} within"
    return Verdict(what, f"≤ {target:,}", words, kept == len(found))


def markdown(found: Iterable[Verdict]) -> str:
    """Return the table of a page of the documentation."""
    lines = [f"| {it.what} | {it.target} | {it.found} | {'met' if it.is_met else '**missed**'} |" for it in found]
    return "\n".join(["| what | target | measured | |", "|---|---|---|---|", *lines])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.targets", description="Judge results by the targets.")
    parser.add_argument("results", nargs="+", type=Path, metavar="FILE", help="of python -m bench --json")
    files: list[Path] = parser.parse_args().results
    sys.stdout.write(markdown(verdicts(json.loads(file.read_text("utf-8")) for file in files)) + "\n")


if __name__ == "__main__":
    main()
