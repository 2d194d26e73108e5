"""docs/metrics.md, generated from the registry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.metrics.dimensions import DIMENSIONS
from pipeline.metrics.registry import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.metrics.definitions import Kind, MetricDefinition

PATH: Final = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
_HEAD: Final = """\
# Metrics

Generated from `pipeline/metrics/registry.py` by `python -m pipeline.metrics docs`; do not edit.

Money is in minor units (fen). A ratio whose denominator is 0 is null. Every view has a column `run`: `live`, or the
name of a replay. Sections are those of the public contract, `.sql` files those of `sql/migrations/`.
"""
_SECTIONS: Final[tuple[tuple[Kind, str, str], ...]] = (
    ("measure", "Measures", "They add up over campaigns and time, except distinct customers."),
    ("ratio", "Ratios", "They never add up: take the ratio of the sums."),
    ("rolling", "Active users", "Distinct customers over business days; by tier, and '' for all."),
    ("figure", "Bank figures and budgets", "The bank's assessment figures; by month, quarter and year."),
    ("operational", "Operation", "How the pipeline itself does. Prometheus counters carry the ending `_total`."),
)


def render() -> str:
    """Return the page."""
    parts = [_HEAD]
    for kind, title, introduction in _SECTIONS:
        parts += [f"\n## {title}\n\n{introduction}\n\n", _table(found for found in METRICS if found.kind == kind)]
    rows = [(f"`{dimension.name}`", dimension.label, dimension.meaning) for dimension in DIMENSIONS]
    parts += ["\n## Dimensions\n\nColumns that say what a row is about.\n\n",
              _markdown(("Column", "Label", "Meaning"), rows)]
    return "".join(parts)


def _table(found: Iterable[MetricDefinition]) -> str:
    rows = [
        (f"`{one.name}`", one.label, one.formula, one.unit, one.source,
         ", ".join(f"`{column}`" for column in one.columns) or "-")
        for one in found
    ]
    return _markdown(("Name", "Label", "Formula", "Unit", "Source", "Stands in"), rows)


def _markdown(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)
