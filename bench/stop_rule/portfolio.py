"""Many campaigns at once: what share of the stops is false, each decided by itself, and with the share controlled.

The mix: 5 % of the campaigns settle at 1.0, 10 % at 1.4, 20 % at 2.0, 35 % at 2.4, 30 % at 3.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from bench.stop_rule.campaigns import campaign
from bench.stop_rule.cells import CAMPAIGNS_A_PORTFOLIO, Task, library_of
from bench.stop_rule.trials import Portfolio, Told, tried
from pipeline.alerts.false_stops import CONSERVATISM, benjamini_hochberg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.stop_rule.scenario import Scenario

MIX: Final = {1.0: 0.05, 1.4: 0.10, 2.0: 0.20, 2.4: 0.35, 3.0: 0.30}
LIMIT: Final = 0.05
"""Share of false stops beyond which the product controls them."""


@dataclass(frozen=True, slots=True)
class Ended:
    """One campaign at its end: its true ratio, whether it was stopped, and its running p-value."""

    true_ratio: float
    stopped: bool
    p_value: float


def mixed(scenario: Scenario, campaigns: int) -> list[float]:
    """Return the true ratios of a mix, in an order that deals each portfolio about the same."""
    ratios = [ratio for ratio, share in MIX.items() for _ in range(round(share * campaigns))]
    return [ratios[index] for index in np.random.default_rng(len(scenario.name)).permutation(len(ratios))]


def ended(scenario: Scenario, number: int, ratios: Sequence[float], seed: int) -> list[Ended]:
    """Judge one portfolio of the mix to its end."""
    library, bank = library_of(Task(scenario, 0.0, number, len(ratios), seed))
    random = np.random.default_rng([seed, number, 1])
    portfolio = Portfolio([campaign(random, scenario, ratio) for ratio in ratios])
    trials = tried(portfolio, Told(library, bank))
    return [
        Ended(ratio, trial.stopped_at is not None, trial.smallest_p_value)
        for ratio, trial in zip(ratios, trials, strict=True)
    ]


def dealt(scenario: Scenario, campaigns: int) -> list[list[float]]:
    """Return the true ratios of each portfolio of a mix."""
    ratios = mixed(scenario, campaigns)
    return [ratios[start : start + CAMPAIGNS_A_PORTFOLIO] for start in range(0, len(ratios), CAMPAIGNS_A_PORTFOLIO)]


def shares(found: Sequence[Ended]) -> dict[str, Any]:
    """Return false share and power of each way to decide, in %."""
    stopped = np.array([one.stopped for one in found])
    clear = benjamini_hochberg(np.array([one.p_value for one in found]), min(1.0, CONSERVATISM * LIMIT))
    ratios = np.array([one.true_ratio for one in found])
    return {"campaigns": len(found), "each": _of(stopped, ratios), "controlled": _of(stopped & clear, ratios)}


def _of(stopped: np.ndarray[Any, np.dtype[np.bool_]], ratios: np.ndarray[Any, Any]) -> dict[str, float]:
    false = int((stopped & (ratios >= 2.0)).sum())
    found = {"false_share": round(100 * false / max(int(stopped.sum()), 1), 2)}
    return found | {
        f"{ratio:.1f}": round(100 * float(stopped[ratios == ratio].mean()), 1)
        for ratio in MIX
        if (ratios == ratio).any()
    }
