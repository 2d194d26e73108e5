"""The lines of the flatness: a point's processor time beside the cheapest of its axis, and each axis as a whole."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Final

from bench.figures import Row
from bench.flatness import spread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.flatness import Axis, Measured

TARGET: Final = 1.15
"""The dearest point of an axis is to cost at most so many times the cheapest."""


def flatness_rows(
    broker: str, axis: Axis, found: Mapping[int, Sequence[Measured]], failed: Mapping[int, str]
) -> list[Row]:
    """Return a row per point of an axis, one per point that could not be measured, and one for the axis.

    Args:
        broker: what was read from.
        axis: what grows.
        found: a point's runs, at least one, by its number.
        failed: why a point, or what was left of its runs, was not measured, by its number.
    """
    times_us = {value: [run.backlog.cpu_microseconds for run in runs] for value, runs in sorted(found.items())}
    costs = {value: median(runs_us) for value, runs_us in times_us.items()}
    rows = []
    for value, runs_us in times_us.items():
        cost = costs[value]
        runs = f" ({min(runs_us):.2f} to {max(runs_us):.2f} in {len(runs_us)} runs)" * (len(runs_us) > 1)
        beside = f"{cost / min(costs.values()):.2f} times the cheapest; "
        beside += f"bare getmany {median(run.getmany.cpu_microseconds for run in found[value]):.2f} µs; "
        beside += f"{median(run.backlog.rate for run in found[value]):,.0f} events/s"
        rows.append(Row(f"{value:,} {axis}", broker, f"{cost:.2f} µs CPU an event{runs}", beside))
    rows += [Row(f"{value:,} {axis}", broker, "not measured", why) for value, why in failed.items()]
    return [*rows, *_whole(broker, axis, list(costs), list(costs.values()))]


def _whole(broker: str, axis: Axis, values: Sequence[int], costs: Sequence[float]) -> list[Row]:
    if len(costs) < 2:
        return []
    found = spread(costs)
    verdict = "within" if found <= TARGET else "over"
    name = f"flatness from {min(values):,} to {max(values):,} {axis}"
    return [Row(name, broker, f"dearest {found:.2f} times the cheapest", f"{verdict} the target of {TARGET}")]
