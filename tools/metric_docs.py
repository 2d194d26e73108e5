"""`python -m tools.metric_docs [--check]`: write docs/metrics.md, or fail where it differs from the registry."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.metrics.dimensions import DIMENSIONS
from pipeline.metrics.registry import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline.metrics.definitions import Kind, MetricDefinition

_ROOT: Final = Path(__file__).resolve().parents[1]
_MIGRATIONS: Final = _ROOT / "sql" / "migrations"
_VIEW: Final = re.compile(r"\bVIEW \{database\}\.(\w+)")
PATH: Final = _ROOT / "docs" / "metrics.md"
_HEAD: Final = """\
# Metrics

Generated from `pipeline/metrics/registry.py` by `python -m tools.metric_docs`; do not edit.

Money is in minor units (fen). A ratio whose denominator is 0 is null. Every view but those of alerts has a
column `run`: `live`, or the name of a replay. Sections are those of the
public contract, `.sql` files those of `sql/migrations/`.
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
    parts += [
        "\n## Dimensions\n\nColumns that say what a row is about.\n\n",
        _markdown(("Column", "Label", "Meaning"), rows),
    ]
    return "".join(parts)


def _sources(one: MetricDefinition, newest: Mapping[str, str]) -> list[str]:
    """Return where a metric's formula stands: of views, in the migrations that have defined them last."""
    if not one.source.endswith(".sql"):
        return [one.source]
    views = (column.partition(".")[0] for column in one.columns)
    return sorted({newest.get(view, one.source) for view in views}) or [one.source]


def _newest_definitions() -> dict[str, str]:
    """Return the last migration that defines each view."""
    return {
        view: path.name
        for path in sorted(_MIGRATIONS.glob("*.sql"))
        for view in _VIEW.findall(path.read_text(encoding="utf-8"))
    }


def _table(found: Iterable[MetricDefinition]) -> str:
    newest = _newest_definitions()
    rows = [
        (
            f"`{one.name}`",
            one.label,
            one.formula,
            one.unit,
            ", ".join(_sources(one, newest)),
            ", ".join(f"`{column}`" for column in one.columns) or "-",
        )
        for one in found
    ]
    return _markdown(("Name", "Label", "Formula", "Unit", "Source", "Stands in"), rows)


def _markdown(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def main() -> int:
    """Return the exit code: 1 where ``--check`` finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m tools.metric_docs", description="The page of metrics.")
    parser.add_argument("--check", action="store_true", help="only compare; exit code 1 where they differ")
    if parser.parse_args().check:
        if not PATH.exists() or PATH.read_text() != render():
            sys.stderr.write(f"{PATH.name} is not what the registry says; run: python -m tools.metric_docs\n")
            return 1
        return 0
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(render())
    return 0


if __name__ == "__main__":
    sys.exit(main())
