"""Optimise instead of stop: is it one segment that drags a campaign below? Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from pipeline.alerts.false_stops import holm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.alerts.rule import AlertRule
    from pipeline.alerts.verdict import Verdict

SegmentKind = Literal["channel", "variant", "tier"]
LEVEL: Final = 0.05
"""Chance that any segment of a campaign is blamed falsely (the study: 13 % uncorrected, 2.6 % with Holm)."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a campaign's touches, judged as if it were a campaign of its own.

    Attributes:
        kind: what it is a value of.
        label: the value.
        verdict: of `judge` on the segment's own rows.
    """

    kind: SegmentKind
    label: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Optimisation:
    """Without this segment the campaign is forecast to settle at ``ratio_without``."""

    segment: SegmentKind
    label: str
    ratio_without: float


def advice(whole: Verdict, segments: Sequence[Segment], rule: AlertRule) -> Optimisation | None:
    """Return the segment whose end would mend the campaign; None where no single one is to blame.

    Blamed is who stays below by itself, Holm's correction over all segments of the campaign, and without whom the
    forecast of the rest is what is required. Of several the one that leaves the best ratio.
    """
    if len(segments) < 2:
        return None
    clear = holm(np.array([one.verdict.p_value for one in segments]), LEVEL)
    blamed = [one for one, guilty in zip(segments, clear.tolist(), strict=True) if guilty]
    mending = [
        Optimisation(one.kind, one.label, without)
        for one in blamed
        if (without := ratio_without(whole, one.verdict)) is not None and without >= rule.min_return_ratio
    ]
    return max(mending, key=lambda one: (one.ratio_without, one.label), default=None)


def ratio_without(whole: Verdict, part: Verdict) -> float | None:
    """Return the settled ratio that is forecast of a campaign less a part; None where nothing is left or known."""
    cost = whole.cost_minor - part.cost_minor
    if cost <= 0 or whole.forecast is None:
        return None
    # a part that converts nobody may have no forecast: it takes no return with it
    gone = part.forecast.value * part.cost_minor if part.forecast is not None else float(part.return_minor)
    return max(0.0, whole.forecast.value * whole.cost_minor - gone) / cost
