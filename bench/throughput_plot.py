"""`python -m bench.throughput_plot RESULTS FOLDER`: draw `python -m bench --only throughput --json RESULTS`."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from math import ceil, floor, log10
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from bench.stop_rule.svg import COLOURS, Axis, Drawing
from bench.throughput import GETMANY, PLAIN_PATH, STOCK_FAUST, WHOLE_PATH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FILE: Final = "throughput.svg"
TITLE: Final = "One process reading a backlog, logarithmic: events per second, and processor time of an event"
SERIES: Final = {
    WHOLE_PATH: "this pipeline, compiled core",
    PLAIN_PATH: "this pipeline, plain core",
    GETMANY: "bare aiokafka getmany",
    STOCK_FAUST: "stock Faust doing nothing",
}
_LINE, _GAP, _TOP, _WIDTH = 18, 26, 50, 860
_NAMES_END, _LEFT, _MIDDLE, _RIGHT = 190, 205, 530, 855
_LABEL_ROOM: Final = 80  # behind the largest dot


@dataclass(frozen=True, slots=True)
class Panel:
    """One of the two figures: its field in the results, its words, and where it stands."""

    field: str
    title: str
    form: str
    start: float
    end: float

    def axis(self, values: Sequence[float]) -> Axis:
        """Return a logarithmic axis over the values, a tick at each power of ten."""
        low, high = floor(log10(min(values))), ceil(log10(max(values)))
        high = max(high, low + 1)
        return Axis(low, high, self.start, self.end - _LABEL_ROOM, range(low, high + 1))


PANELS: Final = (
    Panel("events_per_second", "events/s", ",.0f", _LEFT, _MIDDLE),
    Panel("cpu_microseconds_per_event", "µs CPU an event", ".1f", _MIDDLE + 20, _RIGHT),
)


def plot(found: Sequence[Mapping[str, Any]]) -> str:
    """Return the drawing: a group of lines per mix and broker, a line per process, both figures as dots.

    Args:
        found: what was measured (`throughput` of the results); of several runs the median is drawn.

    Raises:
        ValueError: nothing was measured.
    """
    if not found:
        raise ValueError("no throughput in the results, must have at least one")
    groups: dict[tuple[str, str], dict[str, list[Mapping[str, Any]]]] = {}
    for one in found:
        groups.setdefault((one["mix"], one["broker"]), {}).setdefault(one["name"], []).append(one)
    lines = sum(map(len, groups.values()))
    bottom = _TOP + lines * _LINE + len(groups) * _GAP + 8
    drawing = Drawing(_WIDTH, bottom + 34, TITLE)
    drawing.text((10, 22), TITLE)
    axes = {panel.field: panel.axis([one[panel.field] for one in found]) for panel in PANELS}
    for panel in PANELS:
        _draw_axis(drawing, panel, axes[panel.field], bottom)
    y = float(_TOP)
    for (mix, broker), processes in sorted(groups.items()):
        y += _GAP
        drawing.text((10, y - 5), f"mix {mix} on {broker}")
        for number, (name, label) in enumerate(SERIES.items()):
            if name in processes:
                y += _LINE
                drawing.text((_NAMES_END, y), label, "end", COLOURS[number])
                for panel in PANELS:
                    value = median(one[panel.field] for one in processes[name])
                    at = axes[panel.field].at(log10(value))
                    drawing.dot(at, y - 4, COLOURS[number])
                    drawing.text((at + 8, y), f"{value:{panel.form}}", colour=COLOURS[number])
    return str(drawing)


def _draw_axis(drawing: Drawing, panel: Panel, axis: Axis, bottom: float) -> None:
    drawing.text((panel.start, _TOP - 8), panel.title)
    for tick in axis.ticks:
        drawing.line((axis.at(tick), _TOP), (axis.at(tick), bottom))
        drawing.text((axis.at(tick), bottom + 18), f"{10**tick:,.10g}", "middle")


def main() -> None:
    """Draw one file of results."""
    parser = argparse.ArgumentParser()
    parser.add_argument("results", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    found = json.loads(arguments.results.read_text(encoding="utf-8"))
    (arguments.folder / FILE).write_text(plot(found.get("throughput", ())), encoding="utf-8")


if __name__ == "__main__":
    main()
