"""The test of one look: signed root, change guard, and what the root must reach whenever one looks. Pure.

Steps 5 to 8 of rule C13. The root is a signed likelihood root (Barndorff-Nielsen 1986) of "the settled ratio is at
least ρ" where the count is quasi-Poisson with dispersion φ and the mean value lognormal with variance σe²/n. The
boundary is of Wang & Tsiatis' family (1987), Δ = ½ - `exponent`, over the information f, raised early, by change and
by an odd value shape.
"""

from __future__ import annotations

from math import erfc, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from pipeline.alerts.statistics import Floats

CONSTANT: Final = 1.65
"""C13 has 1.8 with a guard of .45·z_c all the time."""
HEAVY_CONSTANT: Final = 1.75
"""Where the peers' values may have an infinite variance."""
COLD_CONSTANT: Final = 1.75
"""Without peers."""
LONG_EXTRA: Final = 0.15
"""Added to the constant from a plan of 28 days on: long and slow campaigns are looked at often with little to see."""
EARLY_CONSTANT: Final = 2.6
EARLY_SHARE: Final = 0.57
"""Early is until window + 24 h, at most this share of the planned duration."""
GUARD: Final = 2.75
"""Times √(share of the plan that is left): a change matters by what is still to come of it, at the end by nothing.

C13's .45 all the time weighed too little early and too much late: a campaign that rises slowly or wakes up is stopped
wrongly in its first half, and a steady one is missed at its end.
"""
OPEN_LEFT: Final = 0.04
"""Share that counts as left without a planned end."""
MIN_COMPARED: Final = 3
"""Customers that either side needs for their values to be compared."""
UNLIKE_PENALTY: Final = 0.10
INFORMATION: Final = 80.0
"""I*: so much information as a whole campaign of usual size has."""
EXPONENT: Final = 0.6
"""Of the information in plans of up to 14 days.

A campaign that changes misleads most in its middle and least at its end, so little of the error is spent before: .35,
as C13 has it, stopped .3 to .8 % more of the good ones whose lag, value or rate changes, at the same power.
"""
OPEN_EXPONENT: Final = 0.35
"""Without an end, and from 28 days on: no end is near that were worth waiting for."""
CALIBRATED_CONFIDENCE: Final = 0.95


def newton_root(distance: Floats, dispersion: Floats, noise: Floats) -> Floats:
    """Return x with (e^x - 1)/φ = (D - x)/σe²: how much of the distance the count explains.

    Begins right of the solution, from where Newton's steps on a convex function never overshoot.
    """
    positive = np.maximum(distance, 0.0)
    x = np.minimum(positive, np.log1p(dispersion * positive / noise))
    for _ in range(12):
        grown = np.exp(x)
        x = x - ((grown - 1) / dispersion - (distance - x) / noise) / (grown / dispersion + 1 / noise)
    return x


def signed_root(
    required_cost: Floats, effective: Floats, log_mean: Floats, dispersion: Floats, noise: Floats
) -> Floats:
    """Return r (step 5), positive where the return stays behind; 0 where there is nothing to compare.

    Args:
        required_cost: (B,) ρ0·A, the return that must have come by now.
        effective: (B,) n_e.
        log_mean: (B,) û.
        dispersion: (B,) φ.
        noise: (B,) σe².
    """
    known = (required_cost > 0) & (effective > 0)
    count = np.where(known, effective, 1.0)
    distance = np.clip(np.log(np.where(known, required_cost, 1.0) / count) - np.where(known, log_mean, 0.0), -60, 60)
    x = newton_root(distance, dispersion, noise)
    square = 2 * count * ((np.expm1(x) - x) / dispersion + (distance - x) ** 2 / (2 * noise))
    return np.where(known, np.sign(distance) * np.sqrt(np.maximum(square, 0)), 0.0)


def distance_at(root: Floats, effective: Floats, dispersion: Floats, noise: Floats) -> Floats:
    """Return the D at which the signed root has this value: its inverse, also in closed form but for x.

    With D - x = σe²·(e^x - 1)/φ the root's square is 2n[(e^x - 1 - x)/φ + σe²(e^x - 1)²/(2φ²)], which grows with |x|.
    """
    wanted = np.clip(root, -300, 300) ** 2 / (2 * np.maximum(effective, 1e-9))
    side = np.where(root < 0, -1.0, 1.0)
    low, high = np.zeros_like(wanted), np.full_like(wanted, 30.0)
    for _ in range(60):
        x = (low + high) / 2
        grown = np.expm1(side * x)
        beyond = (grown - side * x) / dispersion + noise * grown**2 / (2 * dispersion**2) > wanted
        low, high = np.where(beyond, low, x), np.where(beyond, x, high)
    x = side * high
    return np.asarray(x + noise * np.expm1(x) / dispersion)


def poisson_root(expected: Floats, seen: Floats, dispersion: Floats) -> Floats:
    """Return √(2(e - n + n·log(n/e))/φ), positive where fewer are seen than expected (step 8)."""
    ratio = np.where(seen > 0, seen, 1.0) / np.maximum(expected, 1e-12)
    twice = 2 * (expected - seen + np.where(seen > 0, seen * np.log(ratio), 0.0))
    return np.asarray(np.sign(expected - seen) * np.sqrt(np.maximum(twice / dispersion, 0.0)))


def change_roots(converters: Floats, newest: Floats, exposed: Floats, dispersion: Floats) -> Floats:
    """Return the (B, stretches) roots of "the newest touches convert better than the others" (step 6), at least 0.

    Args:
        converters: (B,) all n.
        newest: (B, stretches) n_w.
        exposed: (B, stretches) Ā_w / Ā.
        dispersion: (B,) φ.
    """
    count = converters[:, None]
    expected = count * np.clip(exposed, 1e-6, 1 - 1e-6)
    rest = count - newest
    gain = np.where(newest > 0, newest * np.log(np.where(newest > 0, newest, 1) / np.maximum(expected, 1e-12)), 0)
    loss = np.where(rest > 0, rest * np.log(np.where(rest > 0, rest, 1) / np.maximum(count - expected, 1e-12)), 0)
    root = np.sqrt(np.maximum(2 * (gain + loss) / dispersion[:, None], 0))
    return np.where((newest > expected) & (count > 0), root, 0.0)


def value_roots(converters: Floats, newest: Floats, total: Floats, of_newest: Floats, variance: Floats) -> Floats:
    """Return the (B, stretches) roots of "the newest customers are worth more than the others", at least 0.

    Of √z: it bends heavy tails and yet sees a drift of the product mix, which log z hardly does.

    Args:
        converters: (B,) all n.
        newest: (B, stretches) n_w.
        total: (B,) Σ √z of all.
        of_newest: (B, stretches) of the newest.
        variance: (B,) of √z within the campaign.
    """
    rest = converters[:, None] - newest
    known = (newest >= MIN_COMPARED) & (rest >= MIN_COMPARED)
    one, other = np.where(known, newest, 1.0), np.where(known, rest, 1.0)
    gap = of_newest / one - (total[:, None] - of_newest) / other
    error = np.sqrt(np.maximum(variance, 1e-9)[:, None] * (1 / one + 1 / other))
    return np.where(known, np.maximum(gap / error, 0.0), 0.0)


def time_left(elapsed_hours: Floats, planned_hours: Floats) -> Floats:
    """Return which share of the plan is still to come, 0 to 1; without an end `OPEN_LEFT`."""
    planned = np.maximum(np.where(np.isfinite(planned_hours), planned_hours, 1.0), 1e-9)
    return np.where(np.isfinite(planned_hours), np.clip(1 - elapsed_hours / planned, 0, 1), OPEN_LEFT)


def raised(change: Floats, unlike: Floats, left: Floats) -> Floats:
    """Return what is added to the constant for z_c, with the share of the plan that is left, and z_s (steps 6, 7)."""
    return np.asarray(GUARD * np.sqrt(left) * change + UNLIKE_PENALTY * np.clip(unlike - 1, 0, 2))


def growth(planned_hours: Floats) -> Floats:
    """Return by how much the boundary grows with log f (step 7): the longer a campaign, the oftener it is looked at.

    .3 up to 14 days, 1.0 from 28 days on and without an end; C13's .5 left 6 % false stops at 30 days.
    """
    return np.asarray(0.3 + 0.7 * _length(planned_hours))


def exponent(planned_hours: Floats) -> Floats:
    """Return the power of the information by which the boundary is higher before the end."""
    return np.asarray(EXPONENT + (OPEN_EXPONENT - EXPONENT) * _length(planned_hours))


def longer(planned_hours: Floats) -> Floats:
    """Return what is added to the constant in planned campaigns of more than 14 days; without an end log f does it."""
    return np.where(np.isfinite(planned_hours), LONG_EXTRA * _length(planned_hours), 0.0)


def _length(planned_hours: Floats) -> Floats:
    """Return 0 for plans of up to 14 days, 1 from 28 days on and without an end."""
    return np.asarray(np.clip(planned_hours / (14 * 24) - 1, 0, 1))


def early(elapsed_hours: Floats, planned_hours: Floats, window_hours: Floats) -> Floats:
    """Return by row whether it is too early for the usual constant."""
    return np.asarray(elapsed_hours < np.minimum(window_hours + 24, EARLY_SHARE * planned_hours))


def boundary(raised_constant: Floats, information: Floats, planned_hours: Floats) -> Floats:
    """Return [c_t + added]·min(1, f)^(-e) + k·log max(1, f) at confidence 0.95 (step 7).

    Args:
        raised_constant: (B,) the constant and what change and an unlike shape raise it by (`raised`).
        information: (B,) f.
        planned_hours: (B,) infinite without an end.
    """
    share = np.clip(information, 1e-4, 1e6)
    early_part = raised_constant * np.minimum(share, 1) ** -exponent(planned_hours)
    return np.asarray(early_part + growth(planned_hours) * np.log(np.maximum(share, 1)))


def standardised(root: Floats, information: Floats, planned_hours: Floats) -> Floats:
    """Return what the root stands for at f = 1: the raised constant where it is at the boundary."""
    share = np.clip(information, 1e-4, 1e6)
    late_part = growth(planned_hours) * np.log(np.maximum(share, 1))
    return np.asarray((root - late_part) * np.minimum(share, 1) ** exponent(planned_hours))


def confidence_scale(confidence: Floats) -> Floats:
    """Return the factor of the boundary: 1 at 0.95, for which it was calibrated, else the normal quantiles' ratio."""
    levels = {level: NormalDist().inv_cdf(level) for level in set(confidence.tolist())}
    calibrated = NormalDist().inv_cdf(CALIBRATED_CONFIDENCE)
    return np.array([levels[level] / calibrated for level in confidence.tolist()])


def normal_tail(z: Floats) -> Floats:
    """Return P(Z > z) of a standard normal."""
    return np.array([0.5 * erfc(one / sqrt(2)) for one in z.tolist()])


def expected_at(root: Floats, seen: Floats, dispersion: Floats) -> Floats:
    """Return the expected count at which `poisson_root` has this value (≥ 0): its inverse, by bisection."""
    wanted = np.clip(root, 0, 300) ** 2 * dispersion
    low, high = seen.astype(np.float64), 4 * seen + 2 * wanted + 1e-9
    for _ in range(60):
        middle = (low + high) / 2
        gone = np.where(seen > 0, seen * np.log(np.maximum(middle, 1e-300) / np.where(seen > 0, seen, 1)), 0)
        beyond = 2 * (middle - seen - gone) > wanted
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    return high
