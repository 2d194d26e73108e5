"""The plots of docs/stop-rule.md, from the results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.stop_rule.runs import CURVE
from bench.stop_rule.scenarios import CURVES
from bench.stop_rule.svg import Dot, curves, rows

if TYPE_CHECKING:
    from collections.abc import Mapping


def plots(found: Mapping[str, Any]) -> dict[str, str]:
    """Return file names and contents."""
    scenarios: dict[str, dict[str, Any]] = found["scenarios"]
    return {
        "stop-rule-power.svg": power(found),
        "stop-rule-false-stops.svg": rows(
            "Stopped although the true ratio is what is required, %: line at 5; whiskers ± 2 standard errors",
            range(11),
            ("true ratio 2.0", "true ratio 2.4"),
            {name: [_share(cells, "2.0"), _share(cells, "2.4")] for name, cells in scenarios.items()},
            5,
        ),
        "stop-rule-days.svg": rows(
            "Days from the start to the stop, median of those stopped",
            range(0, 61, 5),
            ("true ratio 1.4", "true ratio 1.0"),
            {name: [_days(cells, "1.4"), _days(cells, "1.0")] for name, cells in scenarios.items()},
        ),
    }


def power(found: Mapping[str, Any]) -> str:
    """Return the plot of the share stopped over the true ratio."""
    lines: dict[str, list[float]] = {}
    for scenario in CURVES:
        cells = found["scenarios"][scenario.name]
        lines[scenario.name] = [cells[f"{ratio:.1f}"]["stopped"] for ratio in CURVE]
    return curves("Stopped by the end, % of campaigns", ("true ratio (required: 2.0)", ""), CURVE, lines, 5)


def _share(cells: Mapping[str, Any], ratio: str) -> Dot | None:
    cell = cells.get(ratio)
    return None if cell is None else Dot(cell["stopped"], 2 * cell["error"])


def _days(cells: Mapping[str, Any], ratio: str) -> Dot | None:
    cell = cells.get(ratio)
    return None if cell is None or cell["days"] is None else Dot(cell["days"])
