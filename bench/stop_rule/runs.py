"""Measuring: every cell of the table, the power curve and the mixed portfolio, on several processes."""

from __future__ import annotations

import multiprocessing
import os
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from bench.stop_rule.cells import CAMPAIGNS_A_PORTFOLIO, Task, done, summary
from bench.stop_rule.portfolio import dealt, ended, shares
from pipeline.alerts import boundary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.pool import Pool

    from bench.stop_rule.cells import Found
    from bench.stop_rule.scenario import Scenario

    Tell = Callable[[str, dict[str, Any]], None]

SEED: Final = 20_261_126
SIZES: Final = {2.0: 1.0, 1.4: 1.0, 2.4: 0.5, 1.0: 0.25}
"""True ratios of the table, and which part of the campaigns is spent on each."""
CURVE: Final = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.4, 3.0)
CURVE_SIZE: Final = 0.5
CONSTANTS: Final = (
    "CONSTANT",
    "HEAVY_CONSTANT",
    "COLD_CONSTANT",
    "EARLY_CONSTANT",
    "EARLY_SHARE",
    "GUARD",
    "OPEN_LEFT",
    "UNLIKE_PENALTY",
    "INFORMATION",
    "EXPONENT",
)
"""Of the boundary: who changes one measures again, which a test demands."""


def tasks_of(scenario: Scenario, true_ratio: float, campaigns: int, seed: int = SEED) -> list[Task]:
    """Cut a cell into portfolios."""
    sizes = [CAMPAIGNS_A_PORTFOLIO] * (campaigns // CAMPAIGNS_A_PORTFOLIO)
    if campaigns % CAMPAIGNS_A_PORTFOLIO:
        sizes.append(campaigns % CAMPAIGNS_A_PORTFOLIO)
    return [Task(scenario, true_ratio, number, size, seed) for number, size in enumerate(sizes)]


def cells_of(scenarios: Sequence[Scenario], campaigns: int, ratios: Sequence[float] = tuple(SIZES)) -> list[Task]:
    """Return the table's tasks."""
    return [
        task
        for scenario in scenarios
        for ratio in ratios
        for task in tasks_of(scenario, ratio, max(1, round(campaigns * SIZES.get(ratio, CURVE_SIZE))))
    ]


@contextmanager
def processes(workers: int) -> Iterator[Pool]:
    """Give processes that compute on one core each."""
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield pool


def measured(tasks: Sequence[Task], pool: Pool, tell: Tell) -> dict[str, dict[str, Any]]:
    """Return the summary of every cell, by scenario and true ratio; ``tell`` hears of each when it is done.

    The numbers do not depend on how many processes there are.
    """
    waiting: dict[tuple[str, float], int] = defaultdict(int)
    for task in tasks:
        waiting[task.scenario.name, task.true_ratio] += 1
    parts: dict[tuple[str, float], dict[int, Found]] = defaultdict(dict)
    found: dict[str, dict[str, Any]] = {task.scenario.name: {} for task in tasks}
    for task, part in pool.imap_unordered(_tried, tasks):
        name, ratio = task.scenario.name, task.true_ratio
        parts[name, ratio][task.number] = part
        if len(parts[name, ratio]) == waiting[name, ratio]:
            found[name][f"{ratio:.1f}"] = cell = summary([one for _, one in sorted(parts.pop((name, ratio)).items())])
            tell(f"{name}, true {ratio:.1f}", cell)
    return {name: dict(sorted(cells.items())) for name, cells in found.items()}


def measured_mix(scenario: Scenario, campaigns: int, pool: Pool, tell: Tell) -> dict[str, Any]:
    """Return false share and power of a mix of campaigns (`bench.stop_rule.portfolio`)."""
    tasks = [(scenario, number, ratios, SEED) for number, ratios in enumerate(dealt(scenario, campaigns))]
    found = shares([one for part in pool.starmap(ended, tasks) for one in part])
    tell(f"mix of {scenario.name}", found)
    return found


def constants() -> dict[str, float]:
    """Return the boundary's constants that a measurement belongs to."""
    return {name: float(getattr(boundary, name)) for name in CONSTANTS}


def _tried(task: Task) -> tuple[Task, Found]:
    return task, done(task)
