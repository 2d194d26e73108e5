"""How high the evidence climbs in campaigns at exactly the required ratio: what p-values are read from.

`pipeline.alerts.p_values` keeps the chances that this finds (``python -m bench.stop_rule --chances``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zlib import crc32

import numpy as np

from bench.stop_rule.campaigns import campaign
from bench.stop_rule.cells import Task, library_of
from bench.stop_rule.looks import rows_of, together
from bench.stop_rule.scenarios import SCENARIOS
from pipeline.alerts.looks import Inputs, look
from pipeline.alerts.p_values import HEIGHTS
from pipeline.alerts.rule import AlertRule

if TYPE_CHECKING:
    from multiprocessing.pool import Pool

    from pipeline.alerts.statistics import Floats

SEED: Final = 4_321
NAMES: Final = (
    "base: 600 touches a day, σ 1.0",
    "heavy values, σ 1.6",
    "lag 72 h",
    "light values, Gamma ½",
    "2 % loans of 40 times the value",
    "5 peers",
    "two products",
    "two products, share doubled",
    "30 days",
    "no end date",
    "no end date, σ 1.6",
    "0 peers",
    "0 peers, σ 1.6",
    "0 peers, Gamma ½",
    "3 peers",
    "3 peers, σ 1.6",
    "H3 slow rise ±30 %",
    "H4 Gamma ½, weekdays 45 %, day effects 20 %",
    "N9 paused on days 5 to 8",
    "N10 lags double during the campaign",
)
"""Ordinary scenarios and those that the rule errs most in."""
PORTFOLIO: Final = 20
"""Campaigns that share their peers."""
_STEP: Final = 2
"""Hours between looks; 6 where the rule looks every third."""


def heights_of(name: str, number: int, campaigns: int) -> Floats:
    """Return the largest standardised root of each campaign of one portfolio."""
    scenario = next(one for one in SCENARIOS if one.name == name)
    library, bank = library_of(Task(scenario, 2.0, number, campaigns, SEED))
    random = np.random.default_rng([SEED, crc32(name.encode()), number])
    step = _STEP * scenario.step_hours
    grid = np.arange(step - 1, scenario.hours, step)
    rows = together([rows_of(campaign(random, scenario, 2.0), grid) for _ in range(campaigns)])
    rule, count = AlertRule(), len(rows)
    required, confidence = np.full(count, rule.min_return_ratio), np.full(count, rule.confidence)
    with np.errstate(all="ignore"):
        seen = look(Inputs(rows, (library,), np.zeros(count, np.int64), required, confidence, bank))
    heights = np.where(seen.expected >= rule.min_expected_converters, seen.standardised, -np.inf)
    return np.asarray(heights.reshape(campaigns, -1).max(axis=1))


def chances(campaigns: int, pool: Pool) -> list[float]:
    """Return the share of campaigns that ever reach each of `HEIGHTS`, the mean over scenarios."""
    portfolios = max(1, campaigns // PORTFOLIO)
    tasks = [(name, number, PORTFOLIO) for name in NAMES for number in range(portfolios)]
    largest = np.concatenate(pool.starmap(heights_of, tasks, chunksize=4))
    return [round(float((largest >= height).mean()), 6) for height in HEIGHTS]
