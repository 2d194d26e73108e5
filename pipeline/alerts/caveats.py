"""What a reader must know to weigh a verdict: codes and numbers; their words are in `pipeline.alerts.words`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from pipeline.alerts.levels import HALF, MARGIN
from pipeline.alerts.looks import FLOOR_RATE
from pipeline.alerts.verdict import LARGEST, Caveat

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pipeline.alerts.looks import Inputs, Look
    from pipeline.alerts.rule import AlertRule
    from pipeline.alerts.statistics import Booleans, Floats, Statistics

    Note = Callable[[str, Booleans, Callable[[int], dict[str, float | str]]], None]

IMMATURE_SHARE: Final = 0.5
"""Less of the return than that is in: the forecast rests more on the peers than on the campaign."""
MIN_CUSTOMERS: Final = 5
"""Of fewer customers each is a large part of the return, which says nothing."""
ONE_CUSTOMER: Final = 0.2
FEW_PEERS: Final = 5
"""Below so many the power falls (docs/stop-rule.md)."""
KNOWN_ALONE: Final = 50
"""Without peers the shape of values is known from the campaign's own customers: of fewer, values of sigma 1.6 had 9 %
false stops at true 2.0 (sigma 1.0: 3.5)."""
UNCERTAIN_MEAN: Final = 0.05
"""Standard error of the peers' mean value beyond which it is said: one such error too low doubles the false stops."""
UNLIKE: Final = 1.0
CHANGING: Final = 2.0
REVERSALS: Final = 0.005
UPFRONT: Final = 0.25
"""Cost that is older than the touches by that share of the campaign's age."""


class Said(NamedTuple):
    """What verdicts say already: outcomes, shares matured (NaN: unknown), converters needed."""

    outcome: NDArray[np.str_]
    share: Floats
    needed: Floats


def caveats_of(inputs: Inputs, seen: Look, said: Said, rules: list[AlertRule]) -> list[tuple[Caveat, ...]]:
    """Return the caveats of every row, the most important first."""
    found: list[list[Caveat]] = [[] for _ in rules]

    def note(code: str, where: Booleans, values: Callable[[int], dict[str, float | str]]) -> None:
        for row in np.flatnonzero(where).tolist():
            found[row].append(Caveat(code, values(row)))

    words, needed = said.outcome, said.needed
    _gates(note, inputs, seen, words, rules)
    matured = np.nan_to_num(said.share, nan=0.0)
    note(
        "immature",
        (words == "immature") & (matured < 1) | (matured < IMMATURE_SHARE),
        lambda row: {"share": round(float(matured[row]), 4)},
    )
    counts = seen.levels.converters
    note(
        "needs_converters",
        (words == "undecided") & (counts < needed) & (needed <= LARGEST),
        lambda row: {"needed": float(round(needed[row])), "has": float(counts[row])},
    )
    _of_values(note, inputs, seen)
    _of_time(note, inputs, seen)
    _of_peers(note, inputs, seen)
    return [tuple(one) for one in found]


def _gates(note: Note, inputs: Inputs, seen: Look, words: NDArray[np.str_], rules: list[AlertRule]) -> None:
    cost = inputs.statistics.cost_total
    required = np.array([rule.min_cost_minor for rule in rules], dtype=np.float64)
    note("little_cost", cost < required, lambda row: {"cost_minor": float(cost[row]), "needed": float(required[row])})
    expected = np.array([rule.min_expected_converters for rule in rules], dtype=np.float64)
    note(
        "few_expected",
        (words == "immature") & (cost >= required) & (seen.expected < expected),
        lambda row: {"expected": max(0.0, round(float(seen.expected[row]), 1)), "needed": float(expected[row])},
    )


def _of_values(note: Note, inputs: Inputs, seen: Look) -> None:
    statistics, unlike = inputs.statistics, seen.levels.unlike
    note("values_unlike_peers", unlike > UNLIKE, lambda row: {"z": round(float(unlike[row]), 1)})
    largest = statistics.largest / np.where(statistics.total > 0, statistics.total, np.inf)
    enough = seen.levels.converters >= MIN_CUSTOMERS
    note("one_customer", enough & (largest >= ONE_CUSTOMER), lambda row: {"share": round(float(largest[row]), 4)})
    heavy = inputs.of_library([float(library.shape.heavy) for library in inputs.libraries])
    note("infinite_variance", (heavy > 0) & enough, lambda row: {"share": round(float(largest[row]), 4)})
    error = (seen.levels.log_mean - seen.levels.centre) / MARGIN
    note("mean_uncertain", seen.own & (error > UNCERTAIN_MEAN), lambda row: {"share": round(float(error[row]), 4)})
    note("no_known_value", seen.floor_rule, lambda _: {"rate": FLOOR_RATE})


def _of_time(note: Note, inputs: Inputs, seen: Look) -> None:
    statistics, matured = inputs.statistics, seen.matured
    rows = np.arange(len(statistics))
    newest = matured.newest[rows, seen.changed_stretch]
    converters = matured.newest_converters[rows, seen.changed_stretch]
    others = seen.levels.converters - converters
    worth = np.exp(np.clip(seen.levels.centre, -80, 80))
    newer, older = _worth(statistics, matured.newest_roots[rows, seen.changed_stretch], converters, others)
    now = _ratio(converters * worth * newer, newest)
    before = _ratio(others * worth * older, matured.mean - newest)
    told = (now <= LARGEST) & (before <= LARGEST)
    note("changing_for_nothing", (seen.change > CHANGING) & ~told, lambda row: {"z": round(float(seen.change[row]), 1)})
    note(
        "changing",
        (seen.change > CHANGING) & told,
        lambda row: {
            "z": round(float(seen.change[row]), 1),
            "newest": round(float(now[row]), 3),
            "before": round(float(before[row]), 3),
        },
    )
    upfront = matured.upfront_hours
    note(
        "upfront_cost",
        (upfront > UPFRONT * statistics.elapsed_hours) & (statistics.elapsed_hours >= 24),
        lambda row: {"hours": float(round(upfront[row]))},
    )
    note("no_end_date", ~np.isfinite(statistics.planned_hours), lambda _: {})
    half = inputs.of_library([library.half_reversed_hours for library in inputs.libraries])
    share = matured.reversed_share
    note(
        "reversals_assumed",
        (share > REVERSALS) & (statistics.elapsed_hours < statistics.window_hours + half),
        lambda row: {"share": round(float(share[row]), 4)},
    )


def _ratio(returned: Floats, cost: Floats) -> Floats:
    """Return return per cost, NaN where less than one minor unit has matured: free touches have no ratio."""
    paid = cost >= 1
    return np.where(paid, returned / np.where(paid, cost, 1.0), np.nan)


def _worth(statistics: Statistics, roots: Floats, converters: Floats, others: Floats) -> tuple[Floats, Floats]:
    """Return what the newest customers and the others are worth relative to all: squares of their mean √z."""
    if statistics.root_values is None:
        return np.ones(len(roots)), np.ones(len(roots))
    total = statistics.sums[:, :, HALF].sum(axis=1)
    mean = np.where(total > 0, total, 1.0) / np.maximum(converters + others, 1)  # who has no converter has no root
    newest = roots / np.maximum(converters, 1) / mean
    return newest**2, ((total - roots) / np.maximum(others, 1) / mean) ** 2


def _of_peers(note: Note, inputs: Inputs, seen: Look) -> None:
    peers = inputs.of_library([float(library.campaigns) for library in inputs.libraries])
    note("no_peers", peers == 0, lambda _: {})
    counts = seen.levels.converters
    note("few_customers", (peers == 0) & seen.own & (counts < KNOWN_ALONE), lambda row: {"has": float(counts[row])})
    note("few_peers", (peers > 0) & (peers < FEW_PEERS), lambda row: {"peers": float(peers[row])})
