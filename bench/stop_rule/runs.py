"""Measuring: every cell of the table, the power curve and the mixed portfolio, on several processes."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import Counter
from contextlib import contextmanager
from math import ceil, inf
from typing import TYPE_CHECKING, Any, Final

from bench.stop_rule.cells import CAMPAIGNS_A_PORTFOLIO, Task, done, summary
from bench.stop_rule.portfolio import dealt, ended, shares
from pipeline.alerts import boundary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from multiprocessing.pool import Pool

    from bench.stop_rule.cells import Found
    from bench.stop_rule.scenario import Scenario

    Cells = dict[str, dict[str, dict[str, Any]]]
    Tell = Callable[[Cells], None]

SEED: Final = 20_270_311
SIZES: Final = {2.0: 1.0, 1.4: 1.0, 2.4: 0.5, 1.0: 0.25}
"""True ratios of the table, and which part of the campaigns is spent on each."""
DEAD_RATIO: Final = 0.01
"""True ratio of campaigns that nearly nobody converts in."""
DEAD_SIZE: Final = 0.25
CURVE: Final = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.4, 3.0)
CURVE_SIZE: Final = 0.5
ROUNDS: Final = 20
_TOGETHER: Final = 4
CONSTANTS: Final = (
    "CONSTANT",
    "HEAVY_CONSTANT",
    "COLD_CONSTANT",
    "LONG_EXTRA",
    "EARLY_CONSTANT",
    "EARLY_SHARE",
    "GUARD",
    "OPEN_LEFT",
    "UNLIKE_PENALTY",
    "INFORMATION",
    "EXPONENT",
    "OPEN_EXPONENT",
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
    sizes = SIZES | {DEAD_RATIO: DEAD_SIZE}
    return [
        task
        for scenario in scenarios
        for ratio in ratios
        for task in tasks_of(scenario, ratio, max(1, round(campaigns * sizes.get(ratio, CURVE_SIZE))))
    ]


@contextmanager
def processes(workers: int) -> Iterator[Pool]:
    """Give processes that compute on one core each."""
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield pool


def rounds_of(tasks: Sequence[Task]) -> list[list[Task]]:
    """Deal tasks into rounds, each with a twentieth of every cell: so many rounds are a table of so many campaigns."""
    sizes = Counter((task.scenario.name, task.true_ratio) for task in tasks)
    rounds: list[list[Task]] = [[] for _ in range(ROUNDS)]
    for task in tasks:
        size = sizes[task.scenario.name, task.true_ratio]
        rounds[ceil(ROUNDS * (task.number + 1) / size) - 1].append(task)
    # tasks of one portfolio one after the other: they share what its peers teach
    return [sorted(each, key=lambda task: (task.scenario.name, task.number)) for each in rounds if each]


def measured(tasks: Sequence[Task], pool: Pool, tell: Tell, seconds: float = inf) -> Cells:
    """Return the summary of every cell, by scenario and true ratio, after all rounds or those that fit into a time.

    The numbers depend on how many rounds were done, not on how many processes there are. ``tell`` hears of every round.
    """
    ends = time.monotonic() + seconds
    parts: dict[tuple[str, float], dict[int, Found]] = {(task.scenario.name, task.true_ratio): {} for task in tasks}
    found: Cells = {}
    longest = 0.0
    for each in rounds_of(tasks):
        began = time.monotonic()
        if found and began + longest > ends:
            break
        for task, part in pool.imap_unordered(_tried, each, chunksize=_TOGETHER):
            parts[task.scenario.name, task.true_ratio][task.number] = part
        longest = max(longest, time.monotonic() - began)
        found = _summaries(parts)
        tell(found)
    return found


def _summaries(parts: Mapping[tuple[str, float], Mapping[int, Found]]) -> Cells:
    found: Cells = {name: {} for name, _ in parts}
    for (name, ratio), numbered in sorted(parts.items()):
        if numbered:
            found[name][f"{ratio:.1f}"] = summary([one for _, one in sorted(numbered.items())])
    return found


def measured_mix(scenario: Scenario, campaigns: int, pool: Pool) -> dict[str, Any]:
    """Return false share and power of a mix of campaigns (`bench.stop_rule.portfolio`)."""
    tasks = [(scenario, number, ratios, SEED) for number, ratios in enumerate(dealt(scenario, campaigns))]
    return shares([one for part in pool.starmap(ended, tasks) for one in part])


def constants() -> dict[str, float]:
    """Return the boundary's constants that a measurement belongs to."""
    return {name: float(getattr(boundary, name)) for name in CONSTANTS}


def _tried(task: Task) -> tuple[Task, Found]:
    return task, done(task)
