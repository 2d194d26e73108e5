"""The generated part of docs/ab.md, and its plot, from the results."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any, Final

from bench.stop_rule.svg import Dot, rows
from tools.readme import table as markdown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LEVEL: Final = 5.0
"""Promised share of false calls, in %."""
_HEADINGS: Final = ("no effect", "customers", "once", "CUPED", "peeked", "always", "sample ratio", "found")


def error(share: float, experiments: int) -> float:
    """Return one standard error of a share in %."""
    return sqrt(max(share * (100 - share), 0.0) / experiments)


def table(found: Mapping[str, Any]) -> str:
    """Return the table of all scenarios, as Markdown."""
    return markdown(_HEADINGS, _rows(found["scenarios"]))


def _rows(scenarios: list[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    metric = ""
    for cell in scenarios:
        if cell["metric"] != metric:
            metric = cell["metric"]
            yield (f"*{metric}*", *[""] * (len(_HEADINGS) - 1))
        power = cell["found"]
        yield (
            cell["name"],
            f"{cell['customers']:,}",
            f"{cell['once']:.1f}",
            f"{cell['once_cuped']:.1f}",
            f"{cell['peeked']:.0f}",
            f"**{cell['always']:.1f}** ±{error(cell['always'], cell['experiments']):.1f}",
            f"{cell['srm_fixed']:.1f}; {cell['srm_sequential']:.1f}",
            f"{power['effect'] - 1:+.0%}: {power['always']:.0f}; {power['once']:.0f}",
        )


def render(found: Mapping[str, Any]) -> str:
    """Return the generated part of the page."""
    sizes = {cell["experiments"] for cell in found["scenarios"]}
    head = (
        f"At least {min(sizes):,} experiments a row, seed {found['seed']}; ± one standard error; customers of both arms"
        " by the last day. Few customers convert in most rows (3 %), and σ is that of the logarithm of what they bring."
    )
    return "\n\n".join((head, table(found).rstrip(), beyond(found), _families(found), _broken(found))) + "\n"


def beyond(found: Mapping[str, Any]) -> str:
    """Return a sentence that names every row in which the always-valid test errs more often than it promises."""
    cells = [
        f"{cell['metric']}, {cell['name']}: {cell['always']:.1f} ± {error(cell['always'], cell['experiments']):.1f} %"
        for cell in found["scenarios"]
        if cell["always"] > LEVEL
    ]
    if not cells:
        largest = max(cell["always"] for cell in found["scenarios"])
        return f"No row is beyond the promise (5 %): the largest share of false calls is {largest:.1f} %."
    return f"Beyond the promise (5 %): {'; '.join(cells)}."


def _families(found: Mapping[str, Any]) -> str:
    family = found["family"]
    return (
        f"Four metrics and two variants at once, none with an effect ({family['experiments']:,} experiments): some "
        f"comparison was called on some day in {family['plain']:.1f} % by the always-valid p alone, and in "
        f"{family['adjusted']:.1f} % as the product decides, with all comparisons in mind."
    )


def _broken(found: Mapping[str, Any]) -> str:
    lines = [
        f"Where an assumption is broken: {cell['name']} ({cell['experiments']:,} experiments), the always-valid test "
        f"calls an effect in {cell['always']:.0f} %, and the sample ratio is found wrong on some day in "
        f"{cell['srm_sequential']:.0f} %. Keep the shares while an experiment runs."
        for cell in found["broken"]
    ]
    return "\n".join(lines)


def plots(found: Mapping[str, Any]) -> dict[str, str]:
    """Return file names and contents."""
    cells = {f"{cell['metric']}: {cell['name']}": cell for cell in found["scenarios"]}
    return {
        "ab-false-calls.svg": rows(
            "No effect, and one was called, % of the experiments: line at 5; whiskers ± 2 standard errors",
            range(0, 81, 10),
            ("always-valid, any day", "Welch, last day", "Welch, any day"),
            {name: [_dot(cell, key) for key in ("always", "once", "peeked")] for name, cell in cells.items()},
            LEVEL,
        )
    }


def _dot(cell: Mapping[str, Any], key: str) -> Dot:
    return Dot(cell[key], 2 * error(cell[key], cell["experiments"]))
