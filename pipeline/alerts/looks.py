"""One look at many campaigns: what the test says, as columns. Pure.

Puts lag (`pipeline.alerts.matured`), values (`pipeline.alerts.levels`) and the test (`pipeline.alerts.boundary`)
together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from pipeline.alerts import boundary as test
from pipeline.alerts.levels import HALF, Levels, levels_of
from pipeline.alerts.matured import Matured, Phase, empty_matured, fill, phases_of
from pipeline.alerts.statistics import BankLevel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.alerts.learning import PeerLibrary
    from pipeline.alerts.statistics import Booleans, Floats, Integers, Statistics

MIN_CONVERTERS: Final = 10
"""From so many converters on, the campaign's own values are judged; below, its count against the typical value."""
MIN_OWN_LEVEL: Final = 3
"""From so many on, its own mean value counts where it is higher than the typical one."""
MIN_PEERS: Final = 3
FEW_CONSTANT_SPREAD: Final = 0.6
"""τm where peers are too few to show it."""
MAX_LOG_VARIANCE: Final = 2.6
"""Log variance of the bank's transactions that is believed: beyond it the mean would be made of the tail alone."""
FLOOR_RATE: Final = 0.002
"""Conversion rate below which a campaign converts nobody, where nothing is known of values (see `_expected`)."""
NO_PLAN_INFORMATION: Final = 0.3
CACHED_ROWS: Final = 256
"""So many rows at a time: their tables by age then stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the test says of ``B`` rows; `boundary` and `root` are at the rule's confidence and required ratio.

    Attributes:
        matured: the lag's part.
        levels: the values' part.
        dispersion: (B,) φ.
        required: (B,) ρ0.
        own: (B,) whether there are converters enough to judge by the campaign's own values.
        typical: (B,) log of the value that a converter is taken to have; NaN where nothing is known of it.
        expected: (B,) converters that must have come by now at the required ratio.
        root: (B,) signed root.
        boundary: (B,) what it must reach.
        standardised: (B,) the root less all that depends on when and what is looked at: `boundary.CONSTANT` decides at
            confidence 0.95.
        change: (B,) z_c.
        changed_stretch: (B,) which of the newest stretches it comes from.
        floor_rule: (B,) whether the conversion rate stands in for an unknown value.
    """

    matured: Matured
    levels: Levels
    dispersion: Floats
    required: Floats
    own: Booleans
    typical: Floats
    expected: Floats
    root: Floats
    boundary: Floats
    standardised: Floats
    change: Floats
    changed_stretch: Integers
    floor_rule: Booleans


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is looked at.

    Attributes:
        statistics: B rows.
        libraries: distinct ones.
        which: (B,) the library of each row.
        required: (B,) ρ0.
        confidence: (B,)
        bank: (B,) what is known of the bank's values, where it is asked; None = nothing.
    """

    statistics: Statistics
    libraries: tuple[PeerLibrary, ...]
    which: Integers
    required: Floats
    confidence: Floats
    bank: Sequence[BankLevel | None] | BankLevel | None

    def of_library(self, values: Sequence[float]) -> Floats:
        """Return by row a number that each library has."""
        return np.array(values, dtype=np.float64)[self.which]


class Base(NamedTuple):
    """What a look rests on whatever is required of the rows: lag and values."""

    matured: Matured
    levels: Levels


def base_of(inputs: Inputs) -> Base:
    """Return lag and values of every row."""
    return Base(matured_of(inputs), levels_of(inputs.statistics, inputs.libraries, inputs.which))


def look(inputs: Inputs, base: Base | None = None) -> Look:
    """Look at every row once; ``base`` where it is known already."""
    statistics = inputs.statistics
    matured, levels = base or base_of(inputs)
    dispersion = inputs.of_library([library.dispersion for library in inputs.libraries])
    own = levels.converters >= MIN_CONVERTERS
    typical, expected, floor_rule = _expected(inputs, matured, levels)
    required_cost = inputs.required * matured.low
    root = np.where(
        own,
        test.signed_root(required_cost, levels.effective, levels.log_mean, dispersion, levels.noise),
        test.poisson_root(expected, levels.converters, dispersion),
    )
    # without matured cost nothing tells how many converters the newest touches should have: none too many
    paid = (matured.mean > 0)[:, None]
    exposed = np.where(paid, matured.newest / np.where(paid, matured.mean[:, None], 1.0), 1.0)
    changes = np.maximum(
        test.change_roots(levels.converters, matured.newest_converters, exposed, dispersion),
        _value_changes(statistics, matured, levels),
    )
    change = changes.max(axis=1)
    information = _information(matured, levels, dispersion, expected, own)
    early = test.early(statistics.elapsed_hours, statistics.planned_hours, statistics.window_hours)
    usual = inputs.of_library([_constant(library) for library in inputs.libraries])
    usual = usual + test.longer(statistics.planned_hours)
    constant = np.where(early, test.EARLY_CONSTANT, usual)
    left = test.time_left(statistics.elapsed_hours, statistics.planned_hours)
    added = test.raised(change, levels.unlike, left)
    beyond = test.standardised(root, information, statistics.planned_hours)
    scale = test.confidence_scale(inputs.confidence)
    return Look(
        matured=matured,
        levels=levels,
        dispersion=dispersion,
        required=inputs.required,
        own=own,
        typical=typical,
        expected=expected,
        root=root,
        boundary=scale * test.boundary(constant + added, information, statistics.planned_hours),
        standardised=beyond - added - np.where(early, test.EARLY_CONSTANT - test.CONSTANT, 0.0),
        change=change,
        changed_stretch=changes.argmax(axis=1),
        floor_rule=floor_rule,
    )


def _value_changes(statistics: Statistics, matured: Matured, levels: Levels) -> Floats:
    """Return the (B, stretches) roots of newer customers being worth more; 0 where nobody counted that by hour."""
    if statistics.root_values is None:
        return np.zeros_like(matured.newest_roots)
    total, squares = (table[:, :, HALF].sum(axis=1) for table in (statistics.sums, statistics.squares))
    count = np.maximum(levels.converters, 1)
    variance = (squares - total**2 / count) / np.maximum(count - 1, 1)
    return test.value_roots(levels.converters, matured.newest_converters, total, matured.newest_roots, variance)


def _constant(library: PeerLibrary) -> float:
    if not library.campaigns:
        return test.COLD_CONSTANT
    return test.HEAVY_CONSTANT if library.shape.heavy else test.CONSTANT


def matured_of(inputs: Inputs) -> Matured:
    """Return the matured cost of every row: groups of rows share a library and the phase of their instants."""
    statistics = inputs.statistics
    matured = empty_matured(len(statistics))
    parts, hours = phases_of(statistics)
    swings = np.array([library.swings for library in inputs.libraries], dtype=bool)[inputs.which]
    keys = np.stack([inputs.which.astype(np.float64), parts, np.where(swings, hours, 0)], axis=1)
    distinct, group = np.unique(keys, axis=0, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(group.ravel(), minlength=len(distinct)))
    for (which, part, hour), group_rows in zip(distinct, np.split(order, ends[:-1]), strict=True):
        phase = Phase(float(part), int(hour))
        for rows in np.split(group_rows, range(CACHED_ROWS, len(group_rows), CACHED_ROWS)):
            fill(matured, rows, statistics, inputs.libraries[int(which)], phase)
    return matured


def _information(matured: Matured, levels: Levels, dispersion: Floats, expected: Floats, own: Booleans) -> Floats:
    """Return f: the share of the information, or of the planned matured cost where that is more (steps 7 and 8).

    Who converts nobody tells by the converters that were expected: by those seen he would tell nothing, and never be
    stopped without a planned end.
    """
    told = levels.effective / (dispersion + levels.noise) / test.INFORMATION
    planned = np.isfinite(matured.planned) & (matured.planned > 0)
    of_plan = matured.low / np.where(planned, matured.planned, 1.0)
    missed = np.maximum(told, expected / dispersion / test.INFORMATION)
    dead = np.where(planned, of_plan, np.minimum(missed, NO_PLAN_INFORMATION))
    return np.clip(np.where(own, np.maximum(told, np.where(planned, of_plan, 0.0)), dead), 1e-4, 1e6)


def _expected(inputs: Inputs, matured: Matured, levels: Levels) -> tuple[Floats, Floats, Booleans]:
    """Return the typical value, the converters that the required ratio lets expect, and where the floor rule holds.

    Step 8, for campaigns with fewer than 10 converters: the peers' mean value and one standard deviation between
    them. With fewer than 3 peers the bank's transactions, with a wide spread, whichever is more. Where nothing is
    known at all, so many converters as 1 in 500 matured touches would be: who converts fewer, converts nobody; and
    its own return, matured, must be behind as well.
    """
    level = _typical_level(inputs)
    count = levels.converters
    own = np.where(count >= MIN_OWN_LEVEL, levels.log_mean, -np.inf)
    typical = np.where(count >= MIN_CONVERTERS, levels.log_mean, np.maximum(level, own))
    unknown = np.isnan(level) & (count < MIN_CONVERTERS)
    required_cost = inputs.required * matured.low
    by_value = required_cost * np.exp(-np.clip(np.where(np.isnan(typical), 0, typical), -80, 80))
    behind = np.where(inputs.statistics.total < required_cost, matured.touches * FLOOR_RATE, 0.0)
    # its own few customers are the only ones that tell a value, so one standard error more than they say
    at_most = levels.log_mean + np.sqrt(levels.noise / np.maximum(count, 1))
    by_own = np.where(count > 0, required_cost * np.exp(-np.clip(at_most, -80, 80)), np.inf)
    return typical, np.where(unknown, np.minimum(behind, by_own), by_value), unknown


def _typical_level(inputs: Inputs) -> Floats:
    """Return by row the log of a value that converters have at most, typically; NaN where nothing is known."""
    peers = inputs.of_library(
        [np.nan if one.level is None else one.level + one.level_spread for one in inputs.libraries]
    )
    few = inputs.of_library([float(library.campaigns) for library in inputs.libraries]) < MIN_PEERS
    if inputs.bank is None or not few.any():
        return peers
    rows = len(inputs.statistics)
    bank = [inputs.bank] * rows if isinstance(inputs.bank, BankLevel) else inputs.bank
    levels = np.array([np.nan if one is None else _bank_level(one) for one in bank])
    return np.where(few, np.fmax(peers, levels), peers)


def _bank_level(bank: BankLevel) -> float:
    return bank.mean_log + min(bank.sd_log**2, MAX_LOG_VARIANCE) / 2 + FEW_CONSTANT_SPREAD
