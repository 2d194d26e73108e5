"""`python -m bench.stop_rule`: simulate campaigns, judge them with the product's rule, and say how often it errs."""

from __future__ import annotations

import argparse
import json
import sys
import time
from math import inf
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape

from bench.stop_rule.heights import chances
from bench.stop_rule.page import beyond_promise, render, table
from bench.stop_rule.plots import plots
from bench.stop_rule.runs import CURVE, DEAD_RATIO, SEED, SIZES, cells_of, constants, measured, measured_mix, processes
from bench.stop_rule.scenarios import CURVES, DEAD, MIXES, SCENARIOS
from tools.readme import with_section

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
CHANCES_SIZE: Final = 500
"""Campaigns of each scenario that p-values are read from."""
MIX_SIZE: Final = 1.5
"""Campaigns of a mix as a multiple of those of a cell."""


def parse(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.stop_rule",
        description="Simulate campaigns of known true ratio, judge them as the product does, say how often that errs.",
        epilog="example: python -m bench.stop_rule --scenarios 'base;60 days' --campaigns 400",
    )
    parser.add_argument("--scenarios", help="parts of names, separated by ';' (default: all, the power curve, the mix)")
    parser.add_argument(
        "--campaigns", type=int, default=2000, help="at true 2.0 and 1.4; fewer at others (default 2000)"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes (default 2); the numbers do not depend on it")
    parser.add_argument("--minutes", type=float, help="begin no twentieth of the campaigns that would take longer")
    parser.add_argument(
        "--out",
        type=Path,
        help="folder for results.json, renewed after every twentieth, and plots (default: print only)",
    )
    parser.add_argument("--write", action="store_true", help="renew docs/stop-rule.md, its plots and stop-rule.json")
    parser.add_argument(
        "--chances", action="store_true", help="only print what pipeline/alerts/p_values.py keeps, 500 a scenario"
    )
    parser.add_argument("--draw", action="store_true", help="as --write, from the stop-rule.json there is")
    arguments = parser.parse_args(words)
    if arguments.campaigns < 1 or arguments.workers < 1:
        parser.error("--campaigns and --workers must be at least 1")
    if arguments.write and arguments.scenarios:
        parser.error("--write needs all scenarios")
    return arguments


def results(arguments: argparse.Namespace, progress: Console) -> dict[str, Any]:
    """Measure what the command line asks for."""
    began = time.monotonic()
    found: dict[str, Any] = {"seed": SEED, "constants": constants()}

    def tell(cells: dict[str, dict[str, dict[str, Any]]]) -> None:
        done = sum(cell["campaigns"] for of_one in cells.values() for cell in of_one.values())
        seconds = time.monotonic() - began
        progress.print(f"{seconds:5.0f} s  {done:,} campaigns; {escape(beyond_promise(cells))}", soft_wrap=True)
        if arguments.out:
            _keep(arguments.out / "results.json", found | {"scenarios": cells})

    wanted = [word.strip() for word in (arguments.scenarios or "").split(";") if word.strip()]
    chosen = [one for one in SCENARIOS if not wanted or any(word in one.name for word in wanted)]
    tasks = cells_of(chosen, arguments.campaigns)
    curves = [] if wanted else cells_of(CURVES, arguments.campaigns, [one for one in CURVE if one not in SIZES])
    dead = cells_of([one for one in chosen if one in DEAD], arguments.campaigns, [DEAD_RATIO])
    with processes(arguments.workers) as pool:
        found["scenarios"] = measured([*tasks, *dead, *curves], pool, tell, 60 * (arguments.minutes or inf))
        if not wanted:
            size = round(MIX_SIZE * arguments.campaigns)
            found["mixes"] = {one.name: measured_mix(one, size, pool) for one in MIXES}
    return found


def _keep(path: Path, found: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write(found: dict[str, Any], folder: Path) -> None:
    """Write the plots and, where it has one, the page's generated part."""
    images = folder / "img"
    images.mkdir(parents=True, exist_ok=True)
    for name, content in plots(found).items():
        (images / name).write_text(content, encoding="utf-8")
    page = folder / "stop-rule.md"
    if page.exists():
        text = with_section(page.read_text(encoding="utf-8"), "calibration", render(found))
        page.write_text(text, encoding="utf-8")


def main() -> int:
    """Measure, print the table, and write what is asked for."""
    arguments = parse(sys.argv[1:])
    kept = DOCS / "stop-rule.json"
    if arguments.draw:
        write(json.loads(kept.read_text(encoding="utf-8")), DOCS)
        return 0
    if arguments.chances:
        with processes(arguments.workers) as pool:
            sys.stdout.write(f"{chances(CHANCES_SIZE, pool)}\n")
        return 0
    found = results(arguments, Console(stderr=True))
    sys.stdout.write(table(found))
    if arguments.out and not arguments.scenarios:
        write(found, arguments.out)
    if arguments.write:
        _keep(kept, found)
        write(found, DOCS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
