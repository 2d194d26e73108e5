"""What the rule says of one campaign as of one instant. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

Outcome = Literal["immature", "undecided", "below", "above"]
"""``immature``: cannot be judged yet. ``below``: the return stays below what is required. ``above``: a matured return
beyond the required ratio and its margin, which resolves an alert. ``undecided``: anything else."""

LARGEST: Final = 1e12
"""Ratios and counts beyond it say nothing and are left out."""


@dataclass(frozen=True, slots=True)
class Caveat:
    """Something that a reader must know to weigh a verdict: a code, and the numbers its words name.

    Codes and words: `pipeline.alerts.words`.
    """

    code: str
    values: dict[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Band:
    """A forecast of the settled ratio with its band at the rule's confidence."""

    low: float
    value: float
    high: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """One look at one campaign.

    Attributes:
        campaign_id: whose.
        as_of_ms: nothing later was looked at.
        outcome: what is decided.
        return_ratio: return so far / cost so far; None without cost.
        forecast: of the settled ratio; None where nothing can be said.
        upper_bound: the largest ratio that the data do not rule out at the rule's confidence; None likewise.
        matured_share: share of the final return of the touches so far that is in, 0 to 1; None without cost.
        converters: customers with a net return.
        converters_needed: about so many decide a true ratio of 0.7 of the required one; None where unknown.
        converters_expected: by now, at exactly the required ratio; None where unknown.
        cost_minor: spent so far.
        return_minor: net return so far.
        signed_root: the test statistic, positive below the required ratio.
        boundary: what it must reach to decide.
        p_value: running, one-sided; for the share of false stops.
        caveats: what to know.
    """

    campaign_id: str
    as_of_ms: int
    outcome: Outcome
    return_ratio: float | None
    forecast: Band | None
    upper_bound: float | None
    matured_share: float | None
    converters: int
    converters_needed: float | None
    converters_expected: float | None
    cost_minor: int
    return_minor: int
    signed_root: float
    boundary: float
    p_value: float
    caveats: tuple[Caveat, ...] = ()
