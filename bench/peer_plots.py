"""`python -m bench.peer_plots RESULTS FOLDER`: draw what `python -m bench --only peers --json RESULTS` has found."""

from __future__ import annotations

import argparse
import json
from math import ceil, log10
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.alone_figures import points
from bench.stop_rule.svg import COLOURS, Axis, Dot, Drawing, rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

JOBS: Final = ("trivial", "full")
_STEP: Final = 25
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 700, 50, 340


def plots(found: Mapping[str, Any]) -> dict[str, str]:
    """Return file names and contents; what was not measured has no place in them."""
    drawn = {"peers-cost.svg": cost(found["jobs"])} if found["jobs"] else {}
    alone = found.get("alone")
    if alone and points(alone["windows"]):
        drawn["peers-crossover.svg"] = refreshes(points(alone["windows"]), alone["crossovers"])
    return drawn


def cost(jobs: Sequence[Mapping[str, Any]]) -> str:
    """Return a row per peer and broker: processor time of an event in each job, cheapest full job first."""
    by_peer: dict[str, dict[str, float]] = {}
    wrong: dict[str, str] = {}
    for one in jobs:
        name = f"{one['peer']} ({one['broker']})"
        cell = by_peer.setdefault(name, {})
        if "cpu_microseconds_per_event" in one:
            cell[one["job"]] = one["cpu_microseconds_per_event"]
            if not one["equal"]:
                wrong[name] = wrong.get(name, "") + f", {one['job']} WRONG"
    dearest = max((value for cell in by_peer.values() for value in cell.values()), default=1.0)
    order = sorted(by_peer.items(), key=lambda item: item[1].get("full", 0.0))
    return rows(
        "Processor time of one event, microseconds",
        range(0, _STEP * ceil(dearest / _STEP) + 1, _STEP),
        [f"{job} job" for job in JOBS],
        {name + wrong.get(name, ""): [Dot(cell[job]) if job in cell else None for job in JOBS] for name, cell in order},
    )


def refreshes(measured: Sequence[tuple[int, float]], crossings: Sequence[Mapping[str, Any]]) -> str:
    """Return a refresh's processor time over the window, both logarithmic, with what each period can spare."""
    spares = [entry["spare_cpu_seconds"] for entry in crossings if entry["spare_cpu_seconds"] > 0]
    title = "ClickHouse alone: processor seconds of a refresh over events in the window"
    drawing = Drawing(760, 400, title)
    across = _decades((size for size, _ in measured), _LEFT, _RIGHT)
    upward = _decades([*(seconds for _, seconds in measured), *spares], _BOTTOM, _TOP)
    drawing.text((_LEFT, 22), title)
    for tick in upward.ticks:
        drawing.line((_LEFT, upward.at(tick)), (_RIGHT, upward.at(tick)))
        drawing.text((_LEFT - 8, upward.at(tick) + 4), f"{10**tick:g}", "end")
    for tick in across.ticks:
        drawing.text((across.at(tick), _BOTTOM + 20), f"{10**tick:,.0f}", "middle")
    drawing.text(((_LEFT + _RIGHT) / 2, _BOTTOM + 45), "events in the window", "middle")
    for number, entry in enumerate(crossings, start=1):
        if entry["spare_cpu_seconds"] <= 0:
            continue
        y, colour = upward.at(log10(entry["spare_cpu_seconds"])), COLOURS[number]
        drawing.line((_LEFT, y), (_RIGHT, y), colour, 1.5)
        drawing.text((_LEFT + 6, y - 5), f"what a refresh every {entry['every_seconds']} s can spend", colour=colour)
        if entry["all"]["events"] is not None:
            drawing.dot(across.at(log10(entry["all"]["events"])), y, colour)
    line = [(across.at(log10(size)), upward.at(log10(seconds))) for size, seconds in measured]
    drawing.path(line, COLOURS[0])
    for x, y in line:
        drawing.dot(x, y, COLOURS[0])
    return str(drawing)


def _decades(values: Iterable[float], start: float, end: float) -> Axis:
    """Return a logarithmic axis around positive values, a tick at each power of ten."""
    logs = [log10(value) for value in values]
    low, high = int(min(logs) // 1), max(ceil(max(logs)), int(min(logs) // 1) + 1)
    return Axis(low, high, start, end, range(low, high + 1))


def main() -> None:
    """Draw one file of results."""
    parser = argparse.ArgumentParser()
    parser.add_argument("results", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    for name, content in plots(json.loads(arguments.results.read_text(encoding="utf-8"))).items():
        (arguments.folder / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
