"""The verdict on many campaigns at once: rule C13 (docs/stop-rule.md). Pure; vectorised over rows."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from pipeline.alerts import boundary as test
from pipeline.alerts.caveats import Said, caveats_of
from pipeline.alerts.learning import PeerLibrary
from pipeline.alerts.looks import Base, Inputs, Look, base_of, look
from pipeline.alerts.p_values import p_values
from pipeline.alerts.quantiles import two_sided
from pipeline.alerts.rule import AlertRule
from pipeline.alerts.verdict import LARGEST, Band, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.alerts.statistics import BankLevel, Booleans, Floats, Integers, Statistics

DECIDABLE: Final = 0.7
"""Share of the required ratio that `converters_needed` speaks of: 1.4 where 2.0 is required."""
POWER: Final = 0.85


@dataclass(frozen=True, slots=True)
class Decided:
    """What is decided of ``B`` rows, without what only a reader is shown: see `pipeline.alerts.verdict.Verdict`.

    Attributes:
        outcome: (B,) texts.
        p_value: (B,)
        low: (B,) the forecast's band; NaN = unknown.
        value: (B,) the forecast.
        high: (B,)
        floor_rule: (B,) whether nothing is known of values: a `BankLevel` would help.
    """

    outcome: NDArray[np.str_]
    p_value: Floats
    low: Floats
    value: Floats
    high: Floats
    floor_rule: Booleans


@dataclass(frozen=True, slots=True)
class _Columns:
    """What verdicts show, by row; NaN = unknown."""

    outcome: list[str]
    p_value: Floats
    ratio: Floats
    low: Floats
    value: Floats
    high: Floats
    upper: Floats
    share: Floats
    needed: Floats


def judge(
    statistics: Statistics,
    libraries: Sequence[PeerLibrary] | PeerLibrary,
    rules: Sequence[AlertRule] | AlertRule,
    bank: Sequence[BankLevel | None] | BankLevel | None = None,
) -> list[Verdict]:
    """Return the verdict on every row, in their order.

    Args:
        statistics: B rows, any campaigns and instants.
        libraries: one for all, or one a row (`learn`, `generic_library`); rows that share one should share the object.
        rules: one for all, or one a row. Other confidences than 0.95 scale the calibrated boundary by the ratio of the
            normal quantiles, which was not simulated.
        bank: value of the bank's transactions that a campaign's goal matches, for rows with fewer than three peers.
    """
    if not len(statistics):
        return []
    each_rule = [rules] * len(statistics) if isinstance(rules, AlertRule) else list(rules)
    inputs = _inputs(statistics, libraries, each_rule, bank)
    with np.errstate(all="ignore"):
        seen = look(inputs)
        columns = _columns(inputs, seen, each_rule)
    return _verdicts(inputs, seen, columns, each_rule)


def decide(
    statistics: Statistics,
    libraries: Sequence[PeerLibrary] | PeerLibrary,
    rule_sets: Sequence[Sequence[AlertRule]],
    bank: Sequence[BankLevel | None] | BankLevel | None = None,
) -> list[Decided]:
    """Return what `judge` decides of every row under several sets of rules; lag and values are looked at once.

    Args:
        statistics: B rows, at least one.
        libraries: as for `judge`.
        rule_sets: each has a rule a row.
        bank: as for `judge`.
    """
    found: list[Decided] = []
    base: Base | None = None
    for rules in rule_sets:
        inputs = _inputs(statistics, libraries, rules, bank)
        with np.errstate(all="ignore"):
            base = base or base_of(inputs)
            found.append(_decided(inputs, look(inputs, base), rules))
    return found


def _inputs(
    statistics: Statistics,
    libraries: Sequence[PeerLibrary] | PeerLibrary,
    rules: Sequence[AlertRule],
    bank: Sequence[BankLevel | None] | BankLevel | None,
) -> Inputs:
    distinct, which = _distinct(libraries, len(statistics))
    return Inputs(
        statistics=statistics,
        libraries=distinct,
        which=which,
        required=np.array([rule.min_return_ratio for rule in rules], dtype=np.float64),
        confidence=np.array([rule.confidence for rule in rules]),
        bank=bank,
    )


def _distinct(libraries: Sequence[PeerLibrary] | PeerLibrary, rows: int) -> tuple[tuple[PeerLibrary, ...], Integers]:
    if isinstance(libraries, PeerLibrary):
        return (libraries,), np.zeros(rows, dtype=np.int64)
    numbers: dict[int, int] = {}
    which = np.array([numbers.setdefault(id(one), len(numbers)) for one in libraries], dtype=np.int64)
    by_id = {id(one): one for one in libraries}
    return tuple(by_id[one] for one in numbers), which


def _decided(inputs: Inputs, seen: Look, rules: Sequence[AlertRule]) -> Decided:
    low, value, high = _forecast(inputs.confidence, seen)
    needed_cost = np.array([rule.min_cost_minor for rule in rules], dtype=np.float64)
    needed_converters = np.array([rule.min_expected_converters for rule in rules], dtype=np.float64)
    margin = np.array([rule.resolve_margin for rule in rules])
    spent = inputs.statistics.cost_total >= needed_cost
    # a campaign with enough converters can be above whatever the required ratio lets expect
    ripe = spent & (seen.matured.low > 0) & (np.maximum(seen.expected, seen.levels.converters) >= needed_converters)
    below = spent & (seen.expected >= needed_converters) & (seen.root >= seen.boundary) & (inputs.required > 0)
    below &= seen.matured.low > 0
    above = ripe & ~below & (value >= inputs.required + margin)
    gated = seen.expected < needed_converters
    return Decided(
        outcome=np.select([below, ~ripe, above], ["below", "immature", "above"], "undecided"),
        p_value=np.where(gated, 1.0, p_values(seen.standardised)),
        low=low,
        value=value,
        high=high,
        floor_rule=seen.floor_rule,
    )


def _columns(inputs: Inputs, seen: Look, rules: Sequence[AlertRule]) -> _Columns:
    statistics, matured = inputs.statistics, seen.matured
    decided = _decided(inputs, seen, rules)
    cost = statistics.cost_total
    known = cost > 0
    share = np.where(matured.cost > 0, matured.mean / np.where(matured.cost > 0, matured.cost, 1), np.nan)
    quantiles = {
        one: NormalDist().inv_cdf(one) + NormalDist().inv_cdf(POWER) for one in set(inputs.confidence.tolist())
    }
    both = np.array([quantiles[one] for one in inputs.confidence.tolist()])
    return _Columns(
        outcome=decided.outcome.tolist(),
        p_value=decided.p_value,
        ratio=np.where(known, statistics.return_all / np.where(known, cost, 1), np.nan),
        low=decided.low,
        value=decided.value,
        high=decided.high,
        upper=_upper_bound(seen),
        share=np.clip(share, 0, 1),
        needed=both**2 * (seen.dispersion + seen.levels.noise) / np.log(DECIDABLE) ** 2,
    )


def _forecast(confidence: Floats, seen: Look) -> tuple[Floats, Floats, Floats]:
    """Return the settled ratio of the touches so far, with its band: count, values, δ and lag are all uncertain.

    Of campaigns that have no converter yet: 0, and at most what so many unseen converters of typical value would make.
    """
    levels, matured = seen.levels, seen.matured
    levels_known = (levels.effective > 0) & (matured.mean > 0)
    count = np.where(levels_known, levels.effective, 1.0)
    error = 2 * (levels.log_mean - levels.centre)
    spread = np.sqrt((seen.dispersion + levels.noise) / count + matured.log_spread**2 + error**2)
    value = count * np.exp(np.clip(levels.centre, -80, 80)) / np.where(levels_known, matured.mean, 1.0)
    quantiles = {one: two_sided(one) for one in set(confidence.tolist())}
    width = np.exp(np.minimum(np.array([quantiles[one] for one in confidence.tolist()]) * spread, 30))
    none_seen = (levels.effective <= 0) & (matured.mean > 0) & ~np.isnan(seen.typical)
    at_most = -np.log1p(-confidence) * np.exp(np.clip(seen.typical, -80, 80)) / np.where(none_seen, matured.mean, 1.0)
    unknown = np.where(none_seen, 0.0, np.nan)
    return (
        np.where(levels_known, value / width, unknown),
        np.where(levels_known, value, unknown),
        np.where(levels_known, value * width, np.where(none_seen, at_most, np.nan)),
    )


def _upper_bound(seen: Look) -> Floats:
    """Return the largest ratio that is not rejected: where the root would be at the boundary."""
    levels, matured = seen.levels, seen.matured
    distance = test.distance_at(seen.boundary, levels.effective, seen.dispersion, levels.noise)
    by_value = levels.effective * np.exp(np.clip(distance + levels.log_mean, -80, 80))
    by_count = test.expected_at(seen.boundary, levels.converters, seen.dispersion)
    by_count = by_count * np.exp(np.clip(seen.typical, -80, 80))
    bound = np.where(seen.own, by_value, np.where(seen.floor_rule, np.nan, by_count))
    return np.where(matured.low > 0, bound / np.where(matured.low > 0, matured.low, 1), np.nan)


def _verdicts(inputs: Inputs, seen: Look, columns: _Columns, rules: list[AlertRule]) -> list[Verdict]:
    statistics = inputs.statistics
    caveats = caveats_of(inputs, seen, Said(np.array(columns.outcome), columns.share, columns.needed), rules)
    bands = [
        None if low is None or value is None or high is None else Band(low, value, high)
        for low, value, high in zip(*map(_optional, (columns.low, columns.value, columns.high)), strict=True)
    ]
    rows = zip(
        statistics.campaign_id,
        statistics.as_of_ms.tolist(),
        columns.outcome,
        _optional(columns.ratio),
        bands,
        _optional(columns.upper),
        _optional(columns.share),
        map(int, statistics.converters_all.tolist()),
        _optional(columns.needed),
        _optional(seen.expected),
        map(int, statistics.cost_total.tolist()),
        map(int, statistics.return_all.tolist()),
        np.nan_to_num(seen.root, posinf=1e6, neginf=-1e6).tolist(),
        np.nan_to_num(seen.boundary, nan=1e6, posinf=1e6).tolist(),
        columns.p_value.tolist(),
        caveats,
        strict=True,
    )
    return [Verdict(*row) for row in rows]


def _optional(values: Floats) -> list[float | None]:
    """Return numbers, None where there is none or one that no ratio or count can be."""
    fit = np.abs(values) <= LARGEST
    return [number if known else None for number, known in zip(values.tolist(), fit.tolist(), strict=True)]
