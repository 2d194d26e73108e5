"""One cell of the table: a scenario at one true ratio, its campaigns in portfolios that share their peers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from math import sqrt
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

import numpy as np

from bench.stop_rule.campaigns import campaign
from bench.stop_rule.peers import PRODUCT, bank_level, peers_of
from bench.stop_rule.trials import Portfolio, Told, plain_stop, tried
from pipeline.alerts.learning import PeerLibrary, generic_library, learn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.stop_rule.scenario import Scenario
    from pipeline.alerts.statistics import BankLevel

CAMPAIGNS_A_PORTFOLIO: Final = 50
"""They share peers, and with them what was learnt wrongly: the error of a share is taken between portfolios."""

DRAWN_AT: Final = 2.0
"""True ratio that campaigns are drawn at; at others their values are so many times larger."""


@dataclass(frozen=True, slots=True)
class Task:
    """One portfolio of a cell: ``campaigns`` campaigns whose peers are drawn by its number.

    The same number and seed give the same campaigns, in whatever order and process tasks are done; where the ratio only
    moves the values, also at all ratios.
    """

    scenario: Scenario
    true_ratio: float
    number: int
    campaigns: int
    seed: int


@dataclass(slots=True)
class Found:
    """What became of a portfolio.

    Attributes:
        campaigns: how many.
        stops: days from the start to the stop.
        plain_stops: likewise by the plain rule.
        converters: of all campaigns, at their end.
        codes: caveats that the stops carried.
        immature: campaigns that could not be judged even at their last look.
    """

    campaigns: int = 0
    stops: list[float] = field(default_factory=list)
    plain_stops: list[float] = field(default_factory=list)
    converters: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    immature: int = 0


def library_of(task: Task) -> tuple[PeerLibrary, BankLevel | None]:
    """Return what the portfolio's peers teach, and the bank's level where they are too few to tell it."""
    return _learnt(task.scenario, task.number, task.seed)


@lru_cache(maxsize=4)
def _learnt(scenario: Scenario, number: int, seed: int) -> tuple[PeerLibrary, BankLevel | None]:
    random = np.random.default_rng([seed, crc32(scenario.name.encode()), number])
    peers = peers_of(random, scenario)
    window = float(scenario.window_hours)
    library = learn(peers, PRODUCT, window) if peers else generic_library(PRODUCT, window)
    return library, bank_level(random, scenario)


@lru_cache(maxsize=2)
def _drawn(scenario: Scenario, true_ratio: float, number: int, campaigns: int, seed: int) -> Portfolio:
    random = np.random.default_rng([seed, crc32(scenario.name.encode()), number, round(true_ratio * 1000)])
    return Portfolio([campaign(random, scenario, true_ratio) for _ in range(campaigns)])


def done(task: Task) -> Found:
    """Draw and judge one portfolio."""
    library, bank = library_of(task)
    drawn_at = task.true_ratio if task.scenario.by_count else DRAWN_AT
    factor = task.true_ratio / drawn_at
    portfolio = _drawn(task.scenario, drawn_at, task.number, task.campaigns, task.seed)
    found = Found(campaigns=task.campaigns)
    for trial in tried(portfolio, Told(library, bank, factor)):
        last = trial.verdicts[max(trial.verdicts)]
        found.converters += last.converters
        found.immature += last.outcome == "immature"
        if trial.stopped_at is not None:
            found.stops.append((trial.stopped_at + 1) / 24)
            found.codes.update({caveat.code for caveat in trial.verdicts[trial.stopped_at].caveats})
        plain = plain_stop(trial.campaign, factor)
        if plain is not None:
            found.plain_stops.append((plain + 1) / 24)
    return found


def summary(parts: Sequence[Found]) -> dict[str, Any]:
    """Return a cell as the file of results has it: shares in %, errors as one standard error, days as medians."""
    campaigns = sum(part.campaigns for part in parts)
    stops = [day for part in parts for day in part.stops]
    plain = [day for part in parts for day in part.plain_stops]
    codes = sum((part.codes for part in parts), Counter[str]())
    return {
        "campaigns": campaigns,
        "converters": round(sum(part.converters for part in parts) / campaigns, 1),
        "stopped": _percent(len(stops), campaigns),
        "error": round(100 * _error([len(part.stops) / part.campaigns for part in parts], campaigns), 2),
        "days": _median(stops),
        "plain": _percent(len(plain), campaigns),
        "plain_days": _median(plain),
        "immature": _percent(sum(part.immature for part in parts), campaigns),
        "said": {code: _percent(count, len(stops)) for code, count in sorted(codes.items())},
    }


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0


def _median(days: Sequence[float]) -> float | None:
    return round(float(np.median(days)), 1) if days else None


def _error(shares: Sequence[float], campaigns: int) -> float:
    """Return the standard error of a share: between portfolios, and at least what as many coins would have."""
    mean = float(np.mean(shares))
    coins = sqrt(mean * (1 - mean) / campaigns)
    if len(shares) < 5:
        return coins
    return max(coins, float(np.std(shares, ddof=1)) / sqrt(len(shares)))
