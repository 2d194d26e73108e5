"""`python -m bench.experiments`: simulate experiments of known effect, analyse them daily, say how often that errs."""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from bench.experiments.family import measure_family
from bench.experiments.page import plots, render, table
from bench.experiments.scenarios import BROKEN, SCENARIOS
from bench.experiments.trials import SEED, measure
from tools.readme import with_section

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
EFFECTS: Final = {"converted": 1.25, "return": 1.5, "aum": 2.0, "logins": 1.1}
"""The treated's mean as a multiple of the control's, where power is measured."""
_ALL: Final = (*SCENARIOS, *BROKEN)
_POWER_SHARE: Final = 4
"""Power is measured on this part of the experiments."""


def parse(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.experiments",
        description="Simulate experiments without an effect, analyse them every day as the product does.",
        epilog="example: python -m bench.experiments --scenarios 'tenth' --experiments 400",
    )
    parser.add_argument("--scenarios", help="part of the names (default: all)")
    parser.add_argument("--experiments", type=int, default=2000, help="of each kind (default 2000)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default 2); the numbers do not depend on it")
    parser.add_argument("--write", action="store_true", help="renew docs/ab.md, its plot and ab.json")
    parser.add_argument("--draw", action="store_true", help="as --write, from the ab.json there is")
    arguments = parser.parse_args(words)
    if arguments.experiments < _POWER_SHARE or arguments.workers < 1:
        parser.error(f"--experiments must be at least {_POWER_SHARE}, --workers at least 1")
    if arguments.write and arguments.scenarios:
        parser.error("--write needs all scenarios")
    return arguments


def cell_of(number: int, experiments: int) -> dict[str, Any]:
    """Return what was measured of one kind, given its place: functions cannot go to another process."""
    scenario = _ALL[number]
    effect = EFFECTS[scenario.metric]
    power = measure(scenario, max(1, experiments // _POWER_SHARE), effect)
    return {
        "name": scenario.name,
        "metric": scenario.metric,
        "customers": scenario.per_day * scenario.days,
        **measure(scenario, experiments).as_json(),
        "found": {"effect": effect, "always": power.share("always"), "once": power.share("once")},
    }


def results(arguments: argparse.Namespace, progress: Console) -> dict[str, Any]:
    """Measure what the command line asks for."""
    began = time.monotonic()
    chosen = [one for one in SCENARIOS if not arguments.scenarios or arguments.scenarios in one.name]
    found: dict[str, Any] = {"seed": SEED, "scenarios": [], "broken": []}
    with ProcessPoolExecutor(arguments.workers) as pool:
        family = pool.submit(measure_family, arguments.experiments)
        pending = [(one, pool.submit(cell_of, _ALL.index(one), arguments.experiments)) for one in (*chosen, *BROKEN)]
        for scenario, future in pending:
            cell = future.result()
            found["broken" if scenario in BROKEN else "scenarios"].append(cell)
            told = f"{scenario.metric}, {scenario.name}: {cell['always']:.1f} %"
            progress.print(f"{time.monotonic() - began:5.0f} s  {told}", soft_wrap=True, markup=False)
        found["family"] = family.result()
    return found


def write(found: dict[str, Any]) -> None:
    """Write the plot and the page's generated part."""
    for name, content in plots(found).items():
        (DOCS / "img" / name).write_text(content, encoding="utf-8")
    page = DOCS / "ab.md"
    page.write_text(with_section(page.read_text(encoding="utf-8"), "calibration", render(found)), encoding="utf-8")


def main() -> int:
    """Measure, print the table, and write what is asked for."""
    arguments = parse(sys.argv[1:])
    kept = DOCS / "ab.json"
    if arguments.draw:
        write(json.loads(kept.read_text(encoding="utf-8")))
        return 0
    found = results(arguments, Console(stderr=True))
    sys.stdout.write(table(found))
    if arguments.write:
        kept.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        write(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
