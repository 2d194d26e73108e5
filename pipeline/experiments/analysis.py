"""An experiment, analysed: facts and a plan in, results and their history out. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.errors import UserError
from pipeline.experiments.always_valid import AlwaysValid, always_valid
from pipeline.experiments.discovery import adjusted
from pipeline.experiments.facts import METRICS
from pipeline.experiments.incremental import money_of
from pipeline.experiments.lifts import cuped, welch
from pipeline.experiments.planning import outlook
from pipeline.experiments.sample_ratio import planned_shares, sample_ratio
from pipeline.experiments.tiers import tier_effects
from pipeline.experiments.verdict import Decision, decide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.experiments.facts import ExperimentFacts
    from pipeline.experiments.incremental import Money
    from pipeline.experiments.lifts import Adjusted, Lift
    from pipeline.experiments.moments import Moments
    from pipeline.experiments.planning import Outlook
    from pipeline.experiments.sample_ratio import SampleRatio
    from pipeline.experiments.tiers import TierEffects

RATE_DAYS: Final = 7
"""Customers assigned a day from now on are those of the last week."""


@dataclass(frozen=True, slots=True)
class Design:
    """What was planned.

    Attributes:
        control: the variant that the others are compared with.
        shares: planned weights by variant; None = equal.
        ends_at_ms: the campaign's end; None without one.
        metrics: what is asked for.
        relevant_share: the smallest lift that matters, as a share of the control's mean.
    """

    control: str
    shares: Mapping[str, float] | None = None
    ends_at_ms: int | None = None
    metrics: tuple[str, ...] = METRICS
    relevant_share: float = 0.1


@dataclass(frozen=True, slots=True)
class Compared:
    """A variant beside the control on one metric.

    Attributes:
        everyone: sums of all who are in the variant, open windows as they stand.
        ended: sums of those whose window is over; the decision rests on them.
        lift, cuped: over everyone, as of this one look.
        ended_lift, always: over those whose window is over.
    """

    metric: str
    variant: str
    everyone: Moments
    ended: Moments
    control: Moments
    ended_control: Moments
    lift: Lift
    cuped: Adjusted | None
    ended_lift: Lift
    always: AlwaysValid

    @classmethod
    def of(cls, facts: ExperimentFacts, metric: str, variant: str, control: str) -> Compared:
        """Return the comparison of a variant."""
        everyone, kept = facts.outcomes(variant, metric), facts.outcomes(control, metric)
        ended = facts.outcomes(variant, metric, lambda day: day.is_over)
        ended_kept = facts.outcomes(control, metric, lambda day: day.is_over)
        return cls(
            metric,
            variant,
            everyone,
            ended,
            kept,
            ended_kept,
            welch(everyone, kept),
            cuped(everyone, kept),
            welch(ended, ended_kept),
            always_valid(ended, ended_kept),
        )


@dataclass(frozen=True, slots=True)
class Result:
    """What a comparison says to do.

    Attributes:
        q_value, always_q: the fixed and the always-valid p-value with all comparisons of the analysis in mind.
    """

    compared: Compared
    q_value: float | None
    always_q: float
    decision: Decision
    outlook: Outlook
    tiers: TierEffects


@dataclass(frozen=True, slots=True)
class Analysis:
    """All results of an experiment, by metric and then by variant; the control has none."""

    facts: ExperimentFacts
    design: Design
    sample_ratio: SampleRatio
    is_finished: bool
    results: tuple[Result, ...]
    money: Mapping[str, Money]

    @property
    def customers(self) -> int:
        """All who are in one variant."""
        return sum(self.facts.customers().values())

    @property
    def ended(self) -> int:
        """Those of them whose window is over."""
        return sum(self.facts.customers(lambda day: day.is_over).values())


def analyse(facts: ExperimentFacts, design: Design) -> Analysis:
    """Return the results.

    Raises:
        UserError: there is nothing to compare, or no such control.
    """
    check_control(facts, design.control)
    others = [variant for variant in facts.variants if variant != design.control]
    ratio = sample_ratio(facts.customers(), planned_shares(facts.variants, design.shares))
    is_finished = is_over(facts, design)
    found = [Compared.of(facts, metric, variant, design.control) for metric in design.metrics for variant in others]
    q_values = adjusted({(one.metric, one.variant): one.lift.p_value for one in found})
    always_q = adjusted({(one.metric, one.variant): one.always.p_value for one in found})
    results = []
    for one in found:
        pair, kept = (one.metric, one.variant), one.ended_control
        decision = decide(
            one.always,
            always_q[pair] or 0.0,
            is_invalid=ratio.is_wrong,
            is_finished=is_finished,
            relevant=abs(kept.mean or 0.0) * design.relevant_share,
        )
        still_open, per_day = _to_come(facts, design, one.variant)
        results.append(
            Result(
                compared=one,
                q_value=q_values[pair],
                always_q=always_q[pair] or 0.0,
                decision=decision,
                outlook=outlook(one.ended, kept, design.relevant_share, still_open, per_day),
                tiers=tier_effects(
                    _by_tier(facts, one.variant, one.metric), _by_tier(facts, design.control, one.metric)
                ),
            )
        )
    money = {variant: money_of(facts, variant, design.control) for variant in others}
    return Analysis(facts, design, ratio, is_finished, tuple(results), money)


def check_control(facts: ExperimentFacts, control: str) -> None:
    """Raise UserError unless there is a control and something to compare with it."""
    names = ", ".join(variant or "'' (none)" for variant in facts.variants)
    if facts.left_out and not facts.days:
        raise UserError(
            f"every customer was assigned to two variants or more ({facts.left_out:,}), so none can be compared",
            "assign each customer once, always by the same salt and shares (roi ab --assign does)",
        )
    if not facts.by_assignment and control not in facts.variants:
        raise UserError(
            f"the campaign has no assign touch, so nobody is known to be in the control {control!r}: "
            f"contacts of a control are not counted (variants: {names or 'none'})",
            "send assign touches (roi ab --assign), or compare variants with one of them: --control VARIANT",
        )
    if len(facts.variants) < 2:
        raise UserError(
            f"there is nothing to compare: all customers are in one variant ({names or 'none'})",
            "assign customers to two variants or more (roi ab --assign)",
        )
    if control not in facts.variants:
        raise UserError(
            f"nobody is in the control {control!r}", f"name another with --control; the variants are {names}"
        )


def is_over(facts: ExperimentFacts, design: Design) -> bool:
    """Tell whether nobody comes any more: the campaign has ended, and so has everybody's window."""
    has_ended = design.ends_at_ms is not None and design.ends_at_ms < facts.as_of_ms
    return has_ended and all(day.is_over for day in facts.days)


def _by_tier(facts: ExperimentFacts, variant: str, metric: str) -> dict[str, Moments]:
    tiers = sorted({day.tier for day in facts.days})

    def of_tier(tier: str) -> Moments:
        return facts.outcomes(variant, metric, lambda day: day.is_over and day.tier == tier)

    return {tier: sums for tier in tiers if (sums := of_tier(tier)).customers}


def _to_come(facts: ExperimentFacts, design: Design, variant: str) -> tuple[list[int], float]:
    """Return how many of a variant and the control end in 1, 2, … days, and how many are assigned a day."""
    pair = {variant, design.control}
    still_open: dict[int, int] = {}
    recent = 0
    for day in facts.days:
        if day.variant in pair:
            if not day.is_over:
                away = max(1, day.end_day - facts.today + 1)
                still_open[away] = still_open.get(away, 0) + day.spending.customers
            recent += day.spending.customers * (day.assigned_day > facts.today - RATE_DAYS)
    has_ended = design.ends_at_ms is not None and design.ends_at_ms < facts.as_of_ms
    return [still_open.get(away, 0) for away in range(1, max(still_open, default=0) + 1)], (
        0.0 if has_ended else recent / RATE_DAYS
    )
