"""Many experiments of one kind, analysed every day by the product's own functions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pipeline.experiments.always_valid import ALPHA, always_valid
from pipeline.experiments.lifts import cuped, welch
from pipeline.experiments.moments import Moments
from pipeline.experiments.sample_ratio import FIXED_LEVEL, SEQUENTIAL_LEVEL, sample_ratio

if TYPE_CHECKING:
    from bench.experiments.scenarios import Floats, Scenario

SEED: Final = 20261126
_AT_ONCE: Final = 50


@dataclass(slots=True)
class Outcome:
    """Experiments of one kind: how many, and in how many each thing happened.

    Keys: ``once``, ``once_cuped`` p < 0.05 on the last day (Welch); ``peeked`` the same on any day; ``always`` the
    always-valid p on any day; ``always_last`` on the last; ``welch_always`` on any day by Welch's error alone;
    ``srm_fixed``, ``srm_sequential`` a sample ratio called wrong on any day; ``missed`` the always-valid interval
    without the truth on any day.
    """

    experiments: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def share(self, key: str) -> float:
        """Return in how many of a hundred it happened."""
        return 100 * self.counts[key] / self.experiments

    def as_json(self) -> dict[str, Any]:
        """Return what is kept."""
        return {"experiments": self.experiments, **{key: self.share(key) for key in KEYS}}


KEYS: Final = ("once", "once_cuped", "peeked", "always", "always_last", "srm_fixed", "srm_sequential", "invalid")


def measure(scenario: Scenario, experiments: int, effect: float = 1.0) -> Outcome:
    """Return what became of experiments of one kind.

    Args:
        scenario: how customers come.
        experiments: how many.
        effect: the treated's mean as a multiple of the control's.
    """
    # the same experiments whatever else is measured
    random = np.random.default_rng([SEED, *scenario.name.encode(), *scenario.metric.encode()])
    found = Outcome()
    while found.experiments < experiments:
        count = min(_AT_ONCE, experiments - found.experiments)
        for sums, planned in _experiments(random, scenario, count, effect):
            found.experiments += 1
            found.counts.update(_happened(sums, planned))
    return found


def _experiments(random: np.random.Generator, scenario: Scenario, count: int, effect: float) -> Any:
    """Yield experiments: day by day the sums of the treated and of the control, and the planned shares."""
    shape = (count, scenario.days, scenario.per_day)
    shares = np.full(scenario.days, 1 - scenario.control)
    if scenario.ramp is not None:
        shares = np.linspace(scenario.ramp, 1 - scenario.control, scenario.days)
    treated = random.random(shape) < shares[:, None]
    trend = np.linspace(1.0, scenario.trend, scenario.days)[:, None]
    inclined = random.gamma(2.0, 0.5, shape) * trend
    rare = np.where(treated, 1 / scenario.spread, 1.0)
    factor = np.where(treated, effect * scenario.spread, 1.0)
    after = scenario.draw(random, inclined * rare, factor)
    before = scenario.draw(random, inclined, np.ones(shape))
    planned = {"treated": float(shares.mean()), "control": float(1 - shares.mean())}
    arms = [_sums(after, before, chosen) for chosen in (treated, ~treated)]
    for number in range(count):
        yield (
            [(_moments(arms[0], number, day), _moments(arms[1], number, day)) for day in range(scenario.days)],
            planned,
        )


def _sums(after: Floats, before: Floats, chosen: Any) -> list[Floats]:
    columns = (chosen * 1.0, (after != 0) * chosen, after, after**2, before, before**2, after * before)
    return [np.cumsum((column * chosen).sum(axis=2), axis=1) for column in columns]


def _moments(columns: list[Floats], number: int, day: int) -> Moments:
    return Moments(*(int(column[number, day]) for column in columns))


def _happened(looks: list[tuple[Moments, Moments]], planned: dict[str, float]) -> set[str]:
    found: set[str] = set()
    for treated, kept in looks:
        once = welch(treated, kept).p_value
        always = always_valid(treated, kept).p_value
        ratio = sample_ratio({"treated": treated.customers, "control": kept.customers}, planned)
        is_last = treated is looks[-1][0]
        happened = {
            "peeked": once is not None and once < ALPHA,
            "once": is_last and once is not None and once < ALPHA,
            "always": always < ALPHA,
            "always_last": is_last and always < ALPHA,
            "srm_fixed": ratio.p_value is not None and ratio.p_value < FIXED_LEVEL,
            "srm_sequential": ratio.sequential_p < SEQUENTIAL_LEVEL,
            "invalid": is_last and ratio.is_wrong,
        }
        found |= {key for key, value in happened.items() if value}
    adjusted = cuped(*looks[-1])
    if adjusted is not None and adjusted.lift.p_value is not None and adjusted.lift.p_value < ALPHA:
        found.add("once_cuped")
    return found
