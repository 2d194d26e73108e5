"""Does the effect differ between tiers of customers? Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.experiments.always_valid import is_enough, standard_errors
from pipeline.experiments.lifts import Lift, welch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.experiments.moments import Moments


@dataclass(frozen=True, slots=True)
class TierEffects:
    """A variant's lift in each tier.

    Attributes:
        lifts: by tier, those that are too small to be tested too.
        difference_p: of Cochran's test that the effect is the same in all tiers; None with fewer than two that can be
            tested. Valid at one look.
        tested: the tiers it rests on.
        customers: by tier, in the variant and the control.
        control_means: the control's mean by tier.
    """

    lifts: Mapping[str, Lift]
    difference_p: float | None
    tested: tuple[str, ...]
    customers: Mapping[str, int]
    control_means: Mapping[str, float | None]


def tier_effects(treatment: Mapping[str, Moments], control: Mapping[str, Moments]) -> TierEffects:
    """Return the effect by tier, and whether it differs: Cochran 1954, Q = Σ w·(lift - mean lift)², w = 1 / variance.

    A standard error is the larger of the pooled one and Welch's, for the reason that `always_valid` has.
    """
    from scipy import stats

    tiers = sorted(treatment.keys() & control.keys())
    lifts = {tier: welch(treatment[tier], control[tier]) for tier in tiers}
    tested = tuple(tier for tier in tiers if is_enough(treatment[tier], control[tier]))
    customers = {tier: treatment[tier].customers + control[tier].customers for tier in tiers}
    means = {tier: control[tier].mean for tier in tiers}
    if len(tested) < 2:
        return TierEffects(lifts, None, tested, customers, means)
    weights = [1 / max(standard_errors(treatment[tier], control[tier])) ** 2 for tier in tested]
    values = [lifts[tier].lift for tier in tested]
    middle = sum(weight * value for weight, value in zip(weights, values, strict=True)) / sum(weights)
    q = sum(weight * (value - middle) ** 2 for weight, value in zip(weights, values, strict=True))
    return TierEffects(lifts, float(stats.chi2.sf(q, len(tested) - 1)), tested, customers, means)
