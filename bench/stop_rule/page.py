"""The generated part of docs/stop-rule.md: the table of calibration, from the results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bench.stop_rule.runs import DEAD_RATIO
from bench.stop_rule.scenarios import SCENARIOS
from bench.stop_rule.studied import STUDIED
from tools.readme import table as markdown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LIMITS: Final = {"2.0": 5.0, "2.4": 1.0}
"""Promised share of false stops, in %."""
_HEADINGS: Final = (
    "scenario (converters)",
    "false at 2.0",
    "false at 2.4",
    "right at 1.4",
    "right at 1.0",
    "days at 1.4 / 1.0",
    "C13: 2.0; 1.4",
    "plain rule at 2.0",
)


def table(found: Mapping[str, Any]) -> str:
    """Return the table of all scenarios, as Markdown."""
    return markdown(_HEADINGS, _rows(found["scenarios"]))


def render(found: Mapping[str, Any]) -> str:
    """Return the generated part of the page."""
    parts = [_sizes(found), table(found), beyond_promise(found["scenarios"]), _dead(found["scenarios"]), _mixes(found)]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def beyond(scenarios: Mapping[str, Any]) -> list[tuple[str, str, float, float]]:
    """Return where the measured share of false stops is beyond the promise: scenario, true ratio, share, error."""
    return [
        (name, ratio, cells[ratio]["stopped"], cells[ratio]["error"])
        for name, cells in scenarios.items()
        for ratio, limit in LIMITS.items()
        if ratio in cells and cells[ratio]["stopped"] > limit
    ]


def _rows(scenarios: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    groups = {scenario.name: scenario.group for scenario in SCENARIOS}
    group = ""
    for name, cells in scenarios.items():
        if groups.get(name, group) != group:
            group = groups[name]
            yield (f"*{group}*", *[""] * (len(_HEADINGS) - 1))
        studied = STUDIED.get(name)
        yield (
            f"{name} ({cells['2.0']['converters']:.0f})",
            f"**{cells['2.0']['stopped']:.1f}** ±{cells['2.0']['error']:.1f}",
            f"{cells['2.4']['stopped']:.1f}",
            f"**{cells['1.4']['stopped']:.0f}** ±{cells['1.4']['error']:.0f}",
            f"{cells['1.0']['stopped']:.0f}",
            f"{_day(cells['1.4'])} / {_day(cells['1.0'])}",
            f"{studied[0]:.1f}; {studied[1]:.0f}" if studied else "",
            f"{cells['2.0']['plain']:.0f}",
        )


def _day(cell: Mapping[str, Any]) -> str:
    return "-" if cell["days"] is None else f"{cell['days']:.1f}"


def _sizes(found: Mapping[str, Any]) -> str:
    counts = {
        ratio: min(cells[ratio]["campaigns"] for cells in found["scenarios"].values())
        for ratio in ("2.0", "1.4", "2.4", "1.0")
    }
    sizes = ", ".join(f"{count:,} at {ratio}" for ratio, count in counts.items())
    return (
        f"Campaigns per scenario, at least: {sizes}; seed {found['seed']}. Shares in %, ± one standard error (between"
        " portfolios of 50 campaigns that share their peers), days to the stop as the median of those stopped."
    )


def beyond_promise(scenarios: Mapping[str, Any]) -> str:
    """Return a sentence that names every cell of which more were stopped than is promised."""
    found = beyond(scenarios)
    if not found:
        return "No scenario is beyond the promise (5 % at 2.0, 1 % at 2.4)."
    cells = "; ".join(f"{name} at {ratio}: {share:.1f} ± {error:.1f} %" for name, ratio, share, error in found)
    return f"Measured beyond the promise (5 % at 2.0, 1 % at 2.4): {cells}."


def _dead(scenarios: Mapping[str, Any]) -> str:
    key = f"{DEAD_RATIO:.1f}"
    rows = [
        (f"{name} ({cells[key]['converters']:.1f})", f"{cells[key]['stopped']:.1f}", f"{cells[key]['days']:.1f}")
        for name, cells in scenarios.items()
        if key in cells
    ]
    return markdown(("nearly nobody converts (converters)", f"stopped at {DEAD_RATIO:g}, %", "days"), rows)


def _mixes(found: Mapping[str, Any]) -> str:
    headings = ("many campaigns at once", "decided", "false share of the stops", "stopped at 1.0", "1.4", "2.0", "2.4")
    rows = []
    for name, mix in found.get("mixes", {}).items():
        for key, words in (("each", "each by its own rule"), ("controlled", "with Benjamini-Hochberg")):
            shares = mix[key]
            cells = [f"{shares[ratio]:.1f}" for ratio in ("1.0", "1.4", "2.0", "2.4")]
            rows.append((f"{name} ({mix['campaigns']:,})", words, f"{shares['false_share']:.1f} %", *cells))
    return markdown(headings, rows)
